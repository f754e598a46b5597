//! Experiment files: what cells they make, and what they refuse.

use std::path::Path;

use toml::Value;

use super::*;
use crate::config::Threshold;

fn load_with(text: &str, sets: &[&str]) -> Result<Experiment, String> {
    let (files, path) = Files::with("x.toml", text);
    let sets: Vec<_> = sets.iter().map(|set| set.to_string()).collect();
    Experiment::load(&path, &sets, &[]).map_err(|error| files.relative(&error))
}

fn load(text: &str) -> Experiment {
    load_with(text, &[]).unwrap()
}

/// The first line of the error.
fn refused(text: &str) -> String {
    let message = load_with(text, &[]).unwrap_err();
    message.lines().next().unwrap().to_string()
}

fn values(experiment: &Experiment, key: &str) -> Vec<String> {
    let cells = experiment.cells().iter();
    let values = cells.flat_map(|cell| cell.varying.iter().filter(|(name, _)| name == key));
    values.map(|(_, value)| value.to_string()).collect()
}

#[test]
fn a_grid_has_every_combination() {
    let experiment = load(
        "name = 'both'\nrecipe = 'baseline'\n[network]\nlayer_sizes = [5, 5]\n[training]\nnum_epochs = 3\n\
         [sweep]\nthreshold = [0.5, 1, 'width']\ndepth = [2, 3]\nnetwork.width = [7]\n",
    );
    assert_eq!(experiment.name, "both");
    assert_eq!(experiment.log_dir, "runs/both");
    assert_eq!(experiment.varying(), ["threshold", "depth", "network.width"]);
    let cells = experiment.cells();
    assert_eq!(cells.len(), 6);
    assert_eq!(cells[1].config.network.layer_sizes, [7; 3]);
    assert_eq!(cells[1].config.goodness.threshold, Threshold::Value(0.5));
    assert_eq!(cells[4].config.goodness.threshold, Threshold::Width);
    assert_eq!(cells[5].index, 5);
    assert_eq!(cells[5].config.training.num_epochs, 3);
    let name = &cells[1].name;
    let hash = cells[1].config.hash();
    assert_eq!(*name, format!("threshold=0.5_depth=3_network.width=7-{}", &hash[..8]));
    let folder = Path::new("runs/both").join(name);
    assert_eq!(Path::new(&cells[1].config.logging.log_dir), folder);
}

#[test]
fn a_file_without_axes_is_told_what_it_lacks() {
    let message = refused("[training]\nseed = 3");
    assert!(message.contains("names neither axes"), "{message}");
}

#[test]
fn ranges_have_both_ends() {
    let axis = |range: &str| values(&load(&format!("[sweep]\n{range}")), range.split(' ').next().unwrap());
    let log = "{ from = 0.5, to = 8, steps = 5, scale = 'log' }";
    assert_eq!(axis(&format!("threshold = {log}")), ["0.5", "1.0", "2.0", "4.0", "8.0"]);
    assert_eq!(axis("dropout = { from = 0, to = 0.3, steps = 4 }"), ["0.0", "0.1", "0.2", "0.3"]);
    assert_eq!(axis("seed = { from = 1, to = 3, steps = 3 }"), ["1", "2", "3"]);
    assert_eq!(axis("width = { from = 10, to = 1000, steps = 3, scale = 'log' }"), ["10", "100", "1000"]);
    assert_eq!(axis("depth = { from = 2, to = 3, steps = 9 }"), ["2", "3"]);
    assert_eq!(axis("seed = { from = 7, to = 9, steps = 1 }"), ["7"]);
}

#[test]
fn recipes_can_vary() {
    let (_files, path) = Files::with(
        "x.toml",
        "[training]\nnum_epochs = 2\n[sweep]\nrecipe = ['baseline', 'hinton', 'contrast']\nseed = [1, 2]",
    );
    let experiment = Experiment::load(&path, &["width=50".into()], &[]).unwrap();
    let cells = experiment.cells();
    assert_eq!(cells.len(), 6);
    assert_eq!(cells[2].config.recipe, "hinton");
    assert_eq!(cells[2].config.training.optimizer, OptimizerKind::Momentum);
    assert_eq!(cells[4].config.training.loss, LossKind::Symba);
    assert!(cells.iter().all(|cell| cell.config.training.num_epochs == 2));
    assert!(cells.iter().all(|cell| cell.config.network.layer_sizes == [50; 4]));
}

#[test]
fn explicit_cells_run_at_every_point_of_the_grid() {
    let experiment = load(
        "[[cell]]\nwidth = 5\n[[cell]]\nnetwork.width = 6\ndepth = 1\n[[cell]]\nloss = 'symba'\nalpha = 2\n\
         [sweep]\nseed = [1, 2]",
    );
    assert_eq!(experiment.cells().len(), 6);
    // One column for one knob, however it is written.
    assert_eq!(experiment.varying(), ["width", "seed", "depth", "loss", "alpha"]);
    assert_eq!(experiment.cells()[3].config.network.layer_sizes, [6]);
    assert_eq!(experiment.cells()[3].config.training.seed, 2);
}

#[test]
fn a_cell_shows_what_it_leaves_to_others() {
    let experiment = load(
        "[goodness]\nthreshold = 3\n[[cell]]\nthreshold = 1\n[[cell]]\nlayer_sizes = [7, 6]\n[[cell]]\n\
         depth = 3\nwidth = 8\n[[cell]]\n",
    );
    assert_eq!(experiment.varying(), ["threshold", "layer_sizes", "depth", "width"]);
    let shown = |cell: usize| -> Vec<String> {
        experiment.varying().iter().map(|key| experiment.cells()[cell].value(key)).collect()
    };
    assert_eq!(shown(0), ["1", "2000x2000x2000x2000", "4", "2000"]);
    assert_eq!(shown(1), ["3", "7x6", "2", "7x6"]);
    assert_eq!(shown(2), ["3", "8x8x8", "3", "8"]);
    assert_eq!(shown(3), ["3", "2000x2000x2000x2000", "4", "2000"]);
    // Folders are named by what a cell says itself.
    assert!(experiment.cells()[0].name.starts_with("threshold=1-"));
    assert!(experiment.cells()[3].name.starts_with("run-"));
}

#[test]
fn narrow_ranges_have_digits_enough() {
    let search = |range: &str, cells: usize| {
        load(&format!("[search]\ncells = {cells}\nlearning_rate = {{ {range} }}"))
    };
    for (from, to) in [(1.00001, 1.00002), (0.123456, 0.123457), (99999.5, 100000.0), (0.99, 1.0)] {
        for scale in ["linear", "log"] {
            let experiment = search(&format!("from = {from}, to = {to}, scale = '{scale}'"), 50);
            let drawn = experiment.cells().iter().map(|cell| cell.config.training.learning_rate);
            assert!(drawn.clone().all(|rate| (from..=to).contains(&rate)), "{from} to {to}");
            // Not at the ends, but all over the range.
            let middle = drawn.filter(|rate| (0.25..0.75).contains(&((rate - from) / (to - from)))).count();
            assert!((10..40).contains(&middle), "{middle} of 50 from {from} to {to}");
            assert!(experiment.cells().iter().all(|cell| cell.name.len() < 40));
        }
    }
    // Where four digits do, there are four; more only where draws would be equal.
    let experiment = search("from = 1, to = 10", 2000);
    let digits = |cell: &Cell| cell.value("learning_rate").len() - 1;
    assert!(experiment.cells()[..20].iter().all(|cell| digits(cell) <= 4));
    let experiment = search("from = 1, to = 2", 3000);
    assert!(experiment.cells().iter().all(|cell| digits(cell) <= 10));
    let short = experiment.cells().iter().filter(|cell| digits(cell) <= 5).count();
    assert!(short > 2000, "{short} of 3000");
    let integers = load("[search]\ncells = 11\nseed = 0\ntraining.seed = { from = 100000, to = 100010 }");
    assert_eq!(integers.cells().len(), 11);
    let steps = load("[sweep]\ndropout = { from = 0.1234567890123456, to = 0.5, steps = 2 }");
    assert_eq!(values(&steps, "dropout"), ["0.1234567890123456", "0.5"]);
}

#[test]
fn a_file_lends_a_name_that_can_be_a_folder() {
    for (file, name) in [
        ("my sweep.toml", "my sweep"),
        ("a$(b);'c'.toml", "a--b---c-"),
        ("..hidden.toml", "hidden"),
        ("....toml", "sweep"),
        ("θ.toml", "θ"),
    ] {
        let (_files, path) = Files::with(file, "[sweep]\nseed = [1]");
        let experiment = Experiment::load(&path, &[], &[]).unwrap();
        assert_eq!((experiment.name.as_str(), experiment.log_dir), (name, format!("runs/{name}")));
    }
    let (_files, path) = Files::with(&format!("{}.toml", "ü".repeat(90)), "[sweep]\nseed = [1]");
    assert_eq!(Experiment::load(&path, &[], &[]).unwrap().name, "ü".repeat(50));
}

#[test]
fn a_search_draws_the_same_cells_every_time() {
    let text = "[data]\nvalidation_size = 5000\n[search]\ncells = 40\nseed = 7\n\
                learning_rate = { from = 1e-4, to = 1e-1, scale = 'log' }\n\
                depth = { from = 2, to = 4 }\ntraining.seed = [1, 2]\nhalving = { min_epochs = 2, factor = 4 }";
    let experiment = load(text);
    assert_eq!(experiment.cells().len(), 40);
    assert_eq!(experiment.halving, Some(Halving { min_epochs: 2, factor: 4 }));
    let names = |experiment: &Experiment| -> Vec<_> {
        experiment.cells().iter().map(|cell| cell.name.clone()).collect()
    };
    assert_eq!(names(&experiment), names(&load(text)));
    assert_ne!(names(&experiment), names(&load(&text.replace("seed = 7", "seed = 8"))));
    for cell in experiment.cells() {
        assert!((2..=4).contains(&cell.config.network.layer_sizes.len()));
        assert!((1e-4..=1e-1).contains(&cell.config.training.learning_rate));
    }
    let small = experiment.cells().iter().filter(|cell| cell.config.training.learning_rate < 1e-3);
    assert!((5..25).contains(&small.count()), "a third of a log scale");
    for depth in ["2", "3", "4"] {
        assert!(values(&experiment, "depth").iter().any(|value| value == depth));
    }
}

#[test]
fn overrides_change_the_base_and_fix_axes() {
    let text = "[training]\nnum_epochs = 30\n[sweep]\nthreshold = [1]\nwidth = [2]";
    let experiment = load_with(text, &["num_epochs=1", "log_dir=here"]).unwrap();
    assert_eq!(experiment.cells()[0].config.training.num_epochs, 1);
    assert_eq!(experiment.log_dir, "here");
    assert!(experiment.cells()[0].config.logging.log_dir.starts_with("here"));
    // A value fixes an axis.
    let fixed = load_with(text, &["goodness.threshold=3"]).unwrap();
    assert_eq!(fixed.cells().len(), 1);
    assert_eq!(fixed.cells()[0].config.goodness.threshold, Threshold::Value(3.0));
    let message = load_with(text, &["layer_sizes=[3]"]).unwrap_err();
    assert!(message.ends_with("`network.layer_sizes` varies in this experiment, as `width`"), "{message}");
    let (_files, path) = Files::with("x.toml", text);
    let flags = [("--log-dir".to_string(), "logging.log_dir".to_string(), Value::from("there"))];
    assert_eq!(Experiment::load(&path, &[], &flags).unwrap().log_dir, "there");
}

#[test]
fn an_error_names_the_axis_and_the_cell() {
    assert_eq!(
        load_with("[sweep]\ndropout = [0.5, 1.5]\nseed = [1, 2]\n", &[]).unwrap_err(),
        "x.toml:2:17: cell 2 (dropout=1.5, seed=1): `training.dropout` must be at least 0 and below 1, found 1.5
  |
2 | dropout = [0.5, 1.5]
  |                 ^^^"
    );
    assert_eq!(
        refused("[sweep]\nseed = [1, 'a']"),
        "x.toml:2:12: `training.seed` must be a whole number of at least 0, found string \"a\""
    );
    // The base is wrong in every cell.
    assert_eq!(
        refused("[training]\nbatch_size = 0\n[sweep]\nseed = [1]"),
        "x.toml:2:14: `training.batch_size` must be at least 1, found 0"
    );
    assert_eq!(
        refused("[goodness]\nthreshold = 3\n[sweep]\nloss = ['bce', 'symba']"),
        "x.toml:4:16: cell 1 (loss=symba): `goodness.threshold` has no effect under \
         `training.loss = \"symba\"`, which compares the two rows of a pair"
    );
}

#[test]
fn sweeps_are_strict() {
    for (text, expected) in [
        ("[sweep]\ntreshold = [1]", "2:1: unknown knob `treshold`; did you mean `threshold`?"),
        (
            "[sweep]\nseed = 1",
            "2:8: `seed` must be a list or a range such as { from = 1, to = 8, steps = 4 }, found 1; \
             write [1], or give the value in the table of its knob",
        ),
        ("[sweep]\nseed = []", "2:8: `seed` has no values"),
        (
            "[sweep]\nlog_dir = ['a']",
            "2:1: `logging.log_dir` cannot vary: every cell has a folder of its own",
        ),
        ("[sweep]\nseed = [1]\ntraining.seed = [2]", "3:10: `training.seed` sets what `seed` sets already"),
        ("[sweep]\ndepth = [1]\nlayer_sizes = [[2]]", "3:1: `layer_sizes` sets what `depth` sets already"),
        (
            "[sweep]\nlayer_sizes = [500, 500]",
            "2:16: `network.layer_sizes` must be a list of whole numbers, found 500; its axis is a list of \
             lists, such as [[500, 500]]",
        ),
        ("[sweep]\nseed = [4, 4]", "2:12: cell 1 (seed=4): the same as cell 0 (x.toml:2:9)"),
        // The axis that makes them equal is named, not the last.
        (
            "[sweep]\ndropout = [0.0, -0.0]\nseed = [1, 2]",
            "2:17: cell 2 (dropout=0, seed=1): the same as cell 0 (x.toml:2:12)",
        ),
        // Said in other words.
        (
            "[[cell]]\ndepth = 2\nwidth = 5\n[[cell]]\nlayer_sizes = [5, 5]",
            "4:1: cell 1 (layer_sizes=5x5): the same as cell 0 (x.toml:1:1)",
        ),
        ("[[cell]]\n[[cell]]\nthreshold = 2", "2:1: cell 1 (threshold=2): the same as cell 0 (x.toml:1:1)"),
        ("sweep = 3", "1:1: `sweep` must be a table: [sweep]"),
        ("[cell]\nseed = 3", "1:2: `cell` must be a list of tables: [[cell]]"),
        ("[[cell]]\nsed = 3", "2:1: unknown knob `sed`; did you mean `seed`?"),
        (
            "[[cell]]\nseed = 3\n[sweep]\nseed = [1]",
            "2:8: `seed` is an axis of [sweep] already; every cell is run at each point of the grid",
        ),
        ("[sweep]\nseed = { from = 1, to = 2 }", "2:8: a range needs `steps`"),
        (
            "[sweep]\nseed = { from = 1, to = 2, step = 2 }",
            "2:28: unknown key `step` in a range; did you mean `steps`?",
        ),
        (
            "[sweep]\nseed = { from = 1.5, to = 2, steps = 2 }",
            "2:17: `from` of `training.seed` must be a whole number",
        ),
        (
            "[sweep]\nseed = { from = 0, to = 9007199254740993, steps = 2 }",
            "2:25: `to` of `training.seed` must be at most 9007199254740992",
        ),
        (
            "[sweep]\nthreshold = { from = 0, to = 2, steps = 2, scale = 'log' }",
            "2:22: `from` of `goodness.threshold` must be above 0 on a log scale",
        ),
        (
            "[sweep]\nthreshold = { from = 1, to = 2, steps = 2, scale = 'lin' }",
            "2:52: `scale` must be \"linear\" or \"log\"",
        ),
        (
            "[sweep]\nloss = { from = 1, to = 2, steps = 2 }",
            "2:8: `training.loss` is not a number: list its values",
        ),
        (
            "[sweep]\nseed = { from = 0, to = 9999, steps = 10000 }\nwidth = [1, 2]",
            "1:2: `sweep` makes more than 10000 cells",
        ),
        ("[search]\nseed = 1", "1:2: `search` needs `cells`, the number of cells to draw"),
        ("[search]\ncells = 1", "1:2: `search` names no knob to draw"),
        (
            "[search]\ncells = 5\ndepth = [1, 2]",
            "1:2: `search` finds only 2 different cells of the 5 asked for",
        ),
        (
            "[search]\ncells = 1\ndepth = { from = 3, to = 2 }",
            "3:9: the range of `network.depth` must have `from` below `to`",
        ),
        (
            "[search]\ncells = 1\ndepth = [1]\nhalving = { factor = 1 }",
            "4:22: `factor` must be a whole number of at least 2, found 1",
        ),
        ("[search]\ncells = 1\ndepth = [1]\nhalving = { min = 1 }", "4:13: unknown key `min` in `halving`"),
        (
            "[search]\ncells = 1\ndepth = [1]\nhalving = {}",
            "4:1: cell 0 (depth=1): `halving` compares cells on validation data: \
             it needs `data.validation_size` above 0",
        ),
        (
            "[data]\nvalidation_size = 9\n[search]\ncells = 1\ndepth = [1]\nhalving = { min_epochs = 99 }",
            "6:1: cell 0 (depth=1): `min_epochs` is 99, but `training.num_epochs` is 60",
        ),
        (
            "name = '../up'",
            "1:8: `name` must be text that can name a folder: letters, digits, `.`, `_`, `-`, not `.` first",
        ),
        (
            "[sweep]\nrecipe = ['hintn']",
            "2:11: cell 0 (recipe=hintn): unknown recipe `hintn`; did you mean `hinton`?",
        ),
    ] {
        assert_eq!(refused(text), format!("x.toml:{expected}"), "{text}");
    }
}

#[test]
fn a_thousand_cells_are_planned() {
    let text =
        "[sweep]\nseed = { from = 1, to = 100, steps = 100 }\nthreshold = [1, 2]\nwidth = [1, 2, 3, 4, 5]";
    assert_eq!(load(text).cells().len(), 1000);
}

#[test]
fn the_config_of_a_cell_repeats_it() {
    let experiment = load("recipe = 'hinton'\n[sweep]\nwidth = [50, 60]\nthreshold = [1, 'width']");
    for cell in experiment.cells() {
        let (_files, path) = Files::with("config.toml", &cell.config.to_toml());
        assert_eq!(ConfigBuilder::new().file(path).build().unwrap(), cell.config);
    }
}
