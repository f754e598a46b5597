//! results.csv, results.md, JSON and figures.

use crate::experiment::{GRID, column, place, results};

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
    assert!(table[0].starts_with("| rank | threshold | depth | test accuracy % | best test accuracy % |"), "{page}");
    assert_eq!(table.len(), 2 + 6, "{page}");
    assert!(table[2..].iter().all(|line| line.contains(" ± ") && line.contains("| 2 of 2 |")), "{page}");
    let means: Vec<f64> = table[2..]
        .iter()
        .map(|line| line.split('|').nth(4).unwrap().split('±').next().unwrap().trim().parse().unwrap())
        .collect();
    assert!(means.is_sorted_by(|a, b| a >= b), "{means:?}");
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
