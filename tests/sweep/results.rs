//! results.csv, results.md, JSON and figures.

use crate::experiment::{GRID, column, edit, place, results};

#[test]
fn one_row_per_cell_in_order() {
    let place = place(GRID);
    let report = place.json("sweep x.toml --log-dir s --quiet --json");
    let text = place.read("s/results.csv");
    assert!(
        text.starts_with(
            "cell,status,threshold,depth,seed,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir\n0,done,0.5,2,1,"
        ),
        "{text}"
    );
    assert_eq!(column(&place, "s", "cell"), (0..12).map(|cell| cell.to_string()).collect::<Vec<_>>());
    for (row, cell) in results(&place, "s")[1..].iter().zip(report["results"].as_array().unwrap()) {
        let folder = row.last().unwrap();
        let summary: serde_json::Value =
            serde_json::from_str(&place.read(&format!("s/{folder}/summary.json"))).unwrap();
        for (at, key) in [(5, "accuracy"), (6, "best_accuracy"), (7, "train_loss"), (8, "val_loss")] {
            assert_eq!(row[at].parse::<f64>().unwrap(), summary[key].as_f64().unwrap());
            assert_eq!(cell[key], summary[key]);
        }
        assert_eq!(cell["run_dir"], **folder);
    }
    assert_eq!((&report["cells"], &report["done"]), (&12.into(), &12.into()));
}

#[test]
fn seeds_are_repeats_of_a_setting() {
    let place = place(GRID);
    place.done("sweep x.toml --log-dir s --quiet");
    let page = place.read("s/results.md");
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    assert!(
        table[0].starts_with("| rank | threshold | depth | test accuracy % | best test accuracy % |"),
        "{page}"
    );
    assert_eq!(table.len(), 2 + 6, "{page}");
    assert!(table[2..].iter().all(|line| line.contains(" ± ") && line.contains("| 2 of 2 |")), "{page}");
    let means: Vec<f64> = table[2..]
        .iter()
        .map(|line| line.split('|').nth(4).unwrap().split('±').next().unwrap().trim().parse().unwrap())
        .collect();
    assert!(means.is_sorted_by(|a, b| a >= b), "{means:?}");
}

/// The lines of the table in results.md, fields trimmed.
fn table(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn seeds_alone_are_one_setting() {
    for part in [
        "[sweep]\nseed = [1, 2, 3]\n",
        "[[cell]]\nseed = 1\n[[cell]]\ntraining.seed = 2\n[[cell]]\nseed = 3\n",
    ] {
        let place = place(part);
        place.done("sweep x.toml --log-dir s --quiet");
        let page = place.read("s/results.md");
        let table = table(&page);
        assert_eq!(table.len(), 3, "{page}");
        assert_eq!(table[0][..3], ["rank", "test accuracy %", "best test accuracy %"]);
        let accuracies: Vec<f64> =
            column(&place, "s", "accuracy").iter().map(|text| 100.0 * text.parse::<f64>().unwrap()).collect();
        let mean = accuracies.iter().sum::<f64>() / 3.0;
        let sd = (accuracies.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
        assert_eq!(table[2][1], format!("{mean:.2} ± {sd:.2}"));
        assert!(table[2].contains(&"3 of 3"), "{page}");
    }
}

#[test]
fn pruned_cells_do_not_come_into_a_mean() {
    let place = place("[sweep]\nthreshold = [1, 2]\nseed = [1, 2, 3]\n");
    place.done("sweep x.toml --log-dir s --quiet");
    let folders = column(&place, "s", "run_dir");
    let prune = |cell: usize, epochs: usize| {
        let file = format!("s/{}/summary.json", folders[cell]);
        edit(&place, &file, "\"done\"", "\"pruned\"");
        edit(&place, &file, "\"epochs\": 6", &format!("\"epochs\": {epochs}"));
    };
    // One of the first setting; all of the second, one of them later.
    [(0, 2), (3, 2), (4, 4), (5, 4)].into_iter().for_each(|(cell, epochs)| prune(cell, epochs));
    place.done("sweep x.toml --log-dir s --quiet --cell 1");
    let page = place.read("s/results.md");
    let accuracies: Vec<f64> =
        column(&place, "s", "accuracy").iter().map(|text| 100.0 * text.parse::<f64>().unwrap()).collect();
    let mean = |cells: [usize; 2]| format!("{:.2} ±", (accuracies[cells[0]] + accuracies[cells[1]]) / 2.0);
    let table = table(&page);
    assert_eq!((table[2][0], table[2][1]), ("1", "1"));
    assert!(table[2][2].starts_with(&mean([1, 2])) && table[2].contains(&"2 of 3"), "{page}");
    assert!(table[3][2].starts_with(&mean([4, 5])) && table[3].contains(&"2 of 3"), "{page}");
}

#[test]
fn one_kind_of_accuracy_ranks() {
    let place = place("[sweep]\nvalidation_size = [0, 300]\n");
    place.done("sweep x.toml --log-dir s --quiet");
    let page = place.read("s/results.md");
    let table = table(&page);
    assert_eq!(table[0][..4], ["rank", "validation_size", "test accuracy %", "train loss"]);
    let csv = place.read("s/results.csv");
    assert!(csv.starts_with("cell,status,validation_size,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir,split,test_accuracy\n"), "{csv}");
    assert_eq!(column(&place, "s", "split"), ["test", "validation"]);
    let mut test: Vec<f64> = column(&place, "s", "test_accuracy")
        .iter()
        .map(|text| 100.0 * text.parse::<f64>().unwrap())
        .collect();
    test.sort_by(|a, b| b.total_cmp(a));
    assert_eq!([table[2][2], table[3][2]], [format!("{:.2}", test[0]), format!("{:.2}", test[1])]);
    // Everywhere on held-out rows: that is what ranks, and the test set is beside it.
    place.write("y.toml", place.read("x.toml").replace("[0, 300]", "[200, 300]"));
    place.done("sweep y.toml --log-dir t --quiet");
    let page = place.read("t/results.md");
    assert!(
        page.contains("| validation accuracy % | best validation accuracy % | test accuracy % |"),
        "{page}"
    );
}

#[test]
fn cells_that_leave_a_knob_out_show_what_it_came_to() {
    let place = place("[[cell]]\nthreshold = 1\n[[cell]]\nwidth = 8\n");
    let plan = place.json("sweep x.toml --log-dir s --dry-run --json");
    assert_eq!(plan["cells"][0]["values"], serde_json::json!({"threshold": 1, "width": 24}));
    assert_eq!(plan["cells"][1]["values"], serde_json::json!({"threshold": 2.0, "width": 8}));
    place.done("sweep x.toml --log-dir s --quiet --set num_epochs=1");
    assert_eq!(column(&place, "s", "threshold"), ["1", "2"]);
    assert_eq!(column(&place, "s", "width"), ["24", "8"]);
}

#[test]
fn one_cell_is_one_cell() {
    let place = place("[sweep]\nseed = [1]\n");
    assert!(place.done("sweep x.toml --dry-run").stdout.contains("\n1 cell; about "));
    assert!(place.done("sweep x.toml --quiet").stdout.is_empty());
    assert!(place.read("runs/x/results.md").contains("\n1 cell: 1 done\n"));
}

#[test]
fn figures_come_with_the_last_cell() {
    let place = place("[sweep]\nthreshold = [1, 2]\n");
    let line = "sweep x.toml --log-dir s --quiet --set figures=true --set num_epochs=1";
    place.done(&format!("{line} --cell 0"));
    assert!(!place.at("s/figures").exists());
    place.done(&format!("{line} --cell 1"));
    assert!(place.at("s/figures/accuracy_by_threshold.png").exists());
}

#[test]
fn what_is_not_there_is_not_pointed_at() {
    let place = place("[sweep]\nthreshold = [1, 2]\n");
    assert!(!place.done("sweep x.toml --log-dir s --status").stdout.contains("results.csv"));
    place.done("sweep x.toml --log-dir s --quiet --cell 0");
    let status = place.done("sweep x.toml --log-dir s --status").stdout;
    assert!(status.contains("s/results.csv, results.md\n"), "{status}");
}
