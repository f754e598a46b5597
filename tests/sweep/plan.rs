//! What a sweep says before it trains, and what it refuses.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use forward_forward::config::Experiment;

use crate::experiment::{GRID, column, place};

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let place = place(GRID);
    let plan = place.json("sweep x.toml --dry-run --json");
    assert!(!place.at("runs").exists());
    let cells = plan["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 12);
    assert_eq!(cells[2]["values"], serde_json::json!({"threshold": 0.5, "depth": 3, "seed": 1}));
    assert!(plan["estimated_seconds"].as_f64().unwrap() > 0.0);
    let shown = place.done("sweep x.toml --dry-run").stdout;
    assert!(shown.starts_with("cell  threshold  depth  seed  parameters  memory"), "{shown}");
    assert!(shown.contains("12 cells; about ") && shown.contains("estimates"), "{shown}");
    // Parameters are what training counts; a dry run knows what is done.
    place.done("sweep x.toml --quiet --cell 2");
    let plan = place.json("sweep x.toml --dry-run --json");
    let folder = plan["cells"][2]["run_dir"].as_str().unwrap();
    let summary: serde_json::Value =
        serde_json::from_str(&place.read(&format!("runs/x/{folder}/summary.json"))).unwrap();
    assert_eq!(plan["cells"][2]["parameters"], summary["parameters"]);
    assert_eq!(plan["cells"][2]["status"], "done");
    assert_eq!(plan["cells"][0]["status"], "pending");
}

#[test]
fn parameters_of_every_recipe() {
    let place = place("[sweep]\nrecipe = ['baseline', 'hinton', 'contrast', 'unsupervised']\n");
    let text = place.read("x.toml").replace("learning_rate = 0.01\n", "");
    place.write("x.toml", text);
    place.done("sweep x.toml --quiet --set num_epochs=1");
    let plan = place.json("sweep x.toml --dry-run --json --set num_epochs=1");
    for cell in plan["cells"].as_array().unwrap() {
        let path = format!("runs/x/{}/summary.json", cell["run_dir"].as_str().unwrap());
        let summary: serde_json::Value = serde_json::from_str(&place.read(&path)).unwrap();
        assert_eq!(cell["parameters"], summary["parameters"], "{cell}");
    }
}

#[test]
fn a_changed_experiment_is_refused_unless_told() {
    let place = place("[sweep]\nseed = [1, 2]\n");
    place.done("sweep x.toml --log-dir s --quiet");
    let refused = place.refused("sweep x.toml --log-dir s --set num_epochs=7");
    assert_eq!(
        refused,
        "--log-dir s: holds another sweep: 2 of 2 cells are not among its 2 (training.num_epochs was 6, is 7); \
         --force-spec goes on with the cells of this one, another --log-dir leaves it alone"
    );
    place.refused("sweep x.toml --log-dir s --set num_epochs=7 --status");
    // Where and how cells are run and logged is no change.
    place.done("sweep x.toml --log-dir s --quiet --set threads=2 --set figures=false");
    // Cells that are the same are kept.
    place.write("x.toml", place.read("x.toml").replace("[1, 2]", "[2, 3]"));
    let outcome = place.done("sweep x.toml --log-dir s --force-spec");
    assert!(outcome.stderr.contains("1 of 2 cells were done before"), "{}", outcome.stderr);
    assert_eq!(column(&place, "s", "seed"), ["2", "3"]);
    place.done("sweep x.toml --log-dir s --quiet");
}

#[test]
fn requests_that_are_wrong() {
    let place = place(GRID);
    assert_eq!(place.refused("sweep x.toml --cell 12"), "--cell 12: x.toml has cells 0 to 11");
    assert!(place.refused("sweep x.toml --jobs 0").contains("--jobs"));
    assert!(place.refused("sweep x.toml --gres gpu:1").starts_with("--gres: is for job arrays"));
    assert!(place.refused("sweep x.toml --set batch_size=5000").contains("batch_size"));
    assert!(place.refused("sweep x.toml --backend vulkan").contains("vulkan"));
    assert!(place.refused("sweep none.toml").contains("none.toml"));
    place.done("train 4 --dataset digits --num-epochs 1 --backend cpu --log-dir run --quiet");
    assert!(place.refused("sweep x.toml --log-dir run").contains("holds no sweep"));
    place.write(
        "h.toml",
        place.read("x.toml").replace(GRID, "")
            + "[search]\ncells = 3\nthreshold = { from = 1, to = 2 }\nhalving = { min_epochs = 1 }\n",
    );
    let halving = "--set validation_size=100";
    assert!(place.refused(&format!("sweep h.toml {halving} --cell 1")).starts_with("--cell: `halving`"));
    assert!(place.refused(&format!("sweep h.toml {halving} --slurm-dry-run")).starts_with("--slurm: "));
}

#[test]
fn status_shows_what_is_done() {
    let place = place(GRID);
    place.done("sweep x.toml --cell 3 --quiet");
    let status = place.json("sweep x.toml --status --json");
    assert_eq!((&status["done"], &status["pending"]), (&1.into(), &11.into()));
    assert_eq!(status["results"][3]["status"], "done");
    assert!(status["results"][3]["accuracy"].is_number());
    assert!(status["results"][0]["accuracy"].is_null());
    assert!(place.done("sweep x.toml --status").stdout.contains("12 cells: 1 done, 11 pending"));
}

/// The experiment files beside the program, as they are and as their first lines say.
#[test]
fn published_experiments_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let load = |name: &str, sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let experiment = Experiment::load(&folder.join(name), &sets, &[]);
        experiment.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: Vec<String> = files.filter(|name| name.ends_with(".toml")).collect();
    assert!(files.len() > 10, "{files:?}");
    files.iter().for_each(|name| assert!(!load(name, &[]).cells().is_empty(), "{name}"));

    let arena = load("arena.toml", &["num_epochs=2", "seed=[1, 2]"]);
    let named: BTreeSet<&str> = arena.cells().iter().filter_map(|cell| cell.label.as_deref()).collect();
    assert_eq!((arena.cells().len(), named.len()), (2 * named.len(), 9));
    // Every objective is tuned over the same settings; the rates of momentum alone are others.
    let settings = |sets: &[&str], key: &str| -> Vec<String> {
        let search = load("arena_search.toml", sets);
        search.cells().iter().map(|cell| cell.value(key)).collect()
    };
    let momentum = ["recipe=hinton", "learning_rate={from=0.002,to=0.05,scale=\"log\"}"];
    for key in ["dropout", "initial_scale", "training.learning_rate"] {
        assert_eq!(settings(&["recipe=pred"], key), settings(&["recipe=backprop"], key), "{key}");
        assert_eq!(settings(&momentum, key).len(), 9);
    }
    assert_eq!(settings(&momentum, "dropout"), settings(&["recipe=pred"], "dropout"));
    let rates = settings(&momentum, "training.learning_rate");
    assert!(rates.iter().all(|rate| (0.002..=0.05).contains(&rate.parse::<f64>().unwrap())), "{rates:?}");
}
