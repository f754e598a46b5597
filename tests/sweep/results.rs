//! results.csv, results.md, JSON and figures.

use crate::experiment::{GRID, column, edit, place, results};

#[test]
fn one_row_per_cell_in_order() {
    let place = place(GRID);
    let report = place.json("sweep x.toml --log-dir s --quiet --json");
    let text = place.read("s/results.csv");
    assert!(
        text.starts_with(
            "cell,status,threshold,depth,seed,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir,split,\
             test_accuracy,head_accuracy,test_head_accuracy,epochs,parameters,recipe,name\n0,done,0.5,2,1,"
        ),
        "{text}"
    );
    assert_eq!(column(&place, "s", "cell"), (0..12).map(|cell| cell.to_string()).collect::<Vec<_>>());
    assert_eq!(report["ranked_by"], "test_accuracy");
    let header = &results(&place, "s")[0];
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    for (row, cell) in results(&place, "s")[1..].iter().zip(report["results"].as_array().unwrap()) {
        let folder = &row[at("run_dir")];
        let summary: serde_json::Value =
            serde_json::from_str(&place.read(&format!("s/{folder}/summary.json"))).unwrap();
        for key in
            ["accuracy", "best_accuracy", "train_loss", "val_loss", "test_accuracy", "epochs", "parameters"]
        {
            assert_eq!(row[at(key)].parse::<f64>().unwrap(), summary[key].as_f64().unwrap(), "{key}");
            assert_eq!(cell[key], summary[key], "{key}");
        }
        assert_eq!((&row[at("recipe")], &cell["recipe"]), (&"baseline".to_owned(), &"baseline".into()));
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
        table[0].starts_with("| rank | threshold | depth | best validation accuracy % | test accuracy % |"),
        "{page}"
    );
    assert!(page.contains("Ranked by test accuracy after the last epoch"), "{page}");
    assert_eq!(table.len(), 2 + 6, "{page}");
    assert!(table[2..].iter().all(|line| line.contains(" ± ") && line.contains("| 2 of 2 |")), "{page}");
    let means: Vec<f64> = table[2..]
        .iter()
        .map(|line| line.split('|').nth(5).unwrap().split('±').next().unwrap().trim().parse().unwrap())
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
        assert_eq!(table[0][..3], ["rank", "best validation accuracy %", "test accuracy %"]);
        let accuracies: Vec<f64> =
            column(&place, "s", "accuracy").iter().map(|text| 100.0 * text.parse::<f64>().unwrap()).collect();
        let mean = accuracies.iter().sum::<f64>() / 3.0;
        let sd = (accuracies.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
        assert_eq!((table[2][1], table[2][2]), ("–", format!("{mean:.2} ± {sd:.2}").as_str()));
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
    assert!(table[2][3].starts_with(&mean([1, 2])) && table[2].contains(&"2 of 3"), "{page}");
    assert!(table[3][3].starts_with(&mean([4, 5])) && table[3].contains(&"2 of 3"), "{page}");
}

#[test]
fn one_kind_of_accuracy_ranks() {
    let place = place("[sweep]\nvalidation_size = [0, 300]\n");
    place.done("sweep x.toml --log-dir s --quiet");
    let page = place.read("s/results.md");
    let table = table(&page);
    assert_eq!(table[0][..4], ["rank", "validation_size", "best validation accuracy %", "test accuracy %"]);
    assert!(page.contains("only some cells hold rows out"), "{page}");
    assert_eq!(column(&place, "s", "split"), ["test", "validation"]);
    let mut test: Vec<f64> = column(&place, "s", "test_accuracy")
        .iter()
        .map(|text| 100.0 * text.parse::<f64>().unwrap())
        .collect();
    test.sort_by(|a, b| b.total_cmp(a));
    assert_eq!([table[2][3], table[3][3]], [format!("{:.2}", test[0]), format!("{:.2}", test[1])]);
    // Everywhere on held-out rows: that is what ranks, and the test set is beside it.
    place.write("y.toml", place.read("x.toml").replace("[0, 300]", "[200, 300]"));
    place.done("sweep y.toml --log-dir t --quiet");
    let page = place.read("t/results.md");
    assert!(page.contains("Ranked by best validation accuracy"), "{page}");
    let best: Vec<f64> = column(&place, "t", "best_accuracy")
        .iter()
        .map(|text| 100.0 * text.parse::<f64>().unwrap())
        .collect();
    let table = self::table(&page);
    assert_eq!(table[2][2], format!("{:.2}", best[0].max(best[1])));
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

/// Drawing takes longer than a small training: a cell's figures are drawn when somebody wants them.
#[test]
fn cells_are_drawn_on_demand() {
    let place = place("[sweep]\nthreshold = [1, 2]\n");
    place.done("sweep x.toml --log-dir s --quiet --set figures=true --set num_epochs=1");
    let results = place.read("s/results.csv");
    let mut rows = results.lines();
    let column = rows.next().unwrap().split(',').position(|title| title == "run_dir").unwrap();
    let cell = rows.next().unwrap().split(',').nth(column).unwrap();
    let figures = place.at(&format!("s/{cell}/figures"));
    assert!(place.at("s/figures").exists() && !figures.exists());
    place.done(&format!("plot s/{cell}"));
    assert!(figures.join("confusion_matrix.png").exists());
}

#[test]
fn what_is_not_there_is_not_pointed_at() {
    let place = place("[sweep]\nthreshold = [1, 2]\n");
    assert!(!place.done("sweep x.toml --log-dir s --status").stdout.contains("results.csv"));
    place.done("sweep x.toml --log-dir s --quiet --cell 0");
    let status = place.done("sweep x.toml --log-dir s --status").stdout;
    assert!(status.contains("s/results.csv, results.md\n"), "{status}");
}

#[test]
fn the_columns_are_those_of_every_sweep() {
    let header = |part: &str| {
        let place = place(part);
        place.done("sweep x.toml --log-dir s --quiet --set num_epochs=1");
        let text = place.read("s/results.csv");
        let header = text.lines().next().unwrap().to_owned();
        (
            header,
            table(&place.read("s/results.md"))[0].iter().map(|title| (*title).to_owned()).collect::<Vec<_>>(),
        )
    };
    let plain = header("[sweep]\nlabel_strength = [1, 2]\n");
    let searched = header("[search]\ncells = 2\nlabel_strength = [1, 2, 3]\n");
    assert_eq!(plain, searched);
    let listed = header("[[cell]]\nlabel_strength = 1\n[[cell]]\nlabel_strength = 2\n");
    assert_eq!(plain, listed);
    // A recipe that varies is a key already.
    let (csv, page) = header("[sweep]\nrecipe = ['baseline', 'original']\n");
    assert_eq!(csv.matches("recipe").count(), 1, "{csv}");
    assert_eq!(page.iter().filter(|title| *title == "recipe").count(), 1, "{page:?}");
}

#[test]
fn the_accuracy_of_a_head_is_among_the_results() {
    let place = place("[sweep]\nrecipe = ['hinton', 'contrast']\n");
    let text = place.read("x.toml").replace("learning_rate = 0.01\n", "");
    place.write("x.toml", text);
    let report = place.json("sweep x.toml --log-dir s --quiet --json --set num_epochs=1");
    for (cell, head) in column(&place, "s", "test_head_accuracy").iter().enumerate() {
        assert_eq!(report["results"][cell]["test_head_accuracy"].as_f64(), head.parse().ok(), "{head}");
    }
    assert!(report["results"][0]["head_accuracy"].is_number(), "{report}");
    let page = place.read("s/results.md");
    assert!(page.contains("| test head accuracy % |"), "{page}");
}
