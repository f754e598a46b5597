//! Objectives beside one another, from the experiment to the numbers of its figures.

use crate::experiment::{column, place};

const CELLS: &str = "[[cell]]\nname = 'end-to-end'\nrecipe = 'backprop'\n\
                     [[cell]]\nname = 'local'\nrecipe = 'pred'\nlearning_rate = 0.005\n\
                     [sweep]\nseed = [1, 2, 3]\n";
/// Student's t for 95 %, two-sided, two degrees of freedom.
const T: f64 = 4.302_653;

/// (mean, half of the 95 % interval) of three values.
fn interval(values: [f64; 3]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / 3.0;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2.0;
    (mean, T * (variance / 3.0).sqrt())
}

/// x, y and the ends of the error bar along y, of each line of a figure's numbers.
fn numbers(text: &str) -> Vec<(String, f64, f64, f64)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    let number = |row: &csv::StringRecord, at: usize| row[at].parse::<f64>().unwrap();
    rows.map(|row| (row[3].to_owned(), number(&row, 5), number(&row, 8), number(&row, 9))).collect()
}

#[test]
fn named_cells_are_compared_seed_by_seed() {
    let place = place(CELLS);
    place.done("sweep x.toml --log-dir s --quiet --set figures=true --set num_epochs=2 --jobs 2");
    for figure in ["accuracy_by_name", "accuracy_by_time", "learning_curves_by_name"] {
        assert!(place.at(&format!("s/figures/{figure}.png")).exists(), "{figure}");
    }
    let page = place.read("s/results.md");
    assert!(
        page.contains("| rank | name | recipe | learning_rate |") && page.contains("| 3 of 3 |"),
        "{page}"
    );
    let stdout = place.done("plot s --against local --against end-to-end --data csv").stdout;
    assert!(stdout.contains("difference_to_local.csv"), "{stdout}");
    let accuracies: Vec<f64> =
        column(&place, "s", "accuracy").iter().map(|text| 100.0 * text.parse::<f64>().unwrap()).collect();
    assert_eq!(column(&place, "s", "name")[..4], ["end-to-end", "end-to-end", "end-to-end", "local"]);
    let (first, second) = ([0, 1, 2].map(|cell| accuracies[cell]), [3, 4, 5].map(|cell| accuracies[cell]));
    let by_name = numbers(&place.read("s/figures/accuracy_by_name.csv"));
    let differences = numbers(&place.read("s/figures/difference_to_local.csv"));
    let expected = [
        (&by_name[0], "end-to-end", interval(first)),
        (&by_name[1], "local", interval(second)),
        (&differences[0], "end-to-end", interval([0, 1, 2].map(|seed| first[seed] - second[seed]))),
    ];
    for ((x, mean, low, high), name, (expected, half)) in expected {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
        assert!(x == name && near(*mean, expected), "{x}: {mean}, expected {expected}");
        assert!(
            near(*low, expected - half) && near(*high, expected + half),
            "{x}: {low} to {high}, half {half}"
        );
    }
}

#[test]
fn what_is_no_setting_is_refused_before_anything_is_drawn() {
    let place = place("[sweep]\nrecipe = ['backprop', 'pred']\n");
    place.done("sweep x.toml --log-dir s --quiet --set num_epochs=1");
    let message = place.refused("plot s --against bakprop");
    assert!(
        message.starts_with("--against: `bakprop`") && message.contains("did you mean `backprop`?"),
        "{message}"
    );
    assert!(!place.at("s/figures").exists());
    place.done("plot s --against backprop");
    assert!(place.at("s/figures/difference_to_backprop.png").exists());
}
