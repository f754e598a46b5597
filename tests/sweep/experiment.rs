//! A small experiment, and what is compared of its results.

use std::process::{Child, Stdio};

use crate::place::Place;

/// What every experiment here has: a data set that needs no download, a backend that is everywhere.
pub const BASE: &str = "
[data]
dataset = 'digits'
[network]
layer_sizes = [24, 24]
[training]
num_epochs = 6
learning_rate = 0.01
[backend]
name = 'cpu'
threads = 1
[logging]
tensorboard = false
figures = false
";

/// Twelve cells.
pub const GRID: &str = "[sweep]\nthreshold = [0.5, 1, 2]\ndepth = [2, 3]\nseed = [1, 2]\n";

/// A folder with `x.toml`: the base and a part of its own.
pub fn place(part: &str) -> Place {
    let place = Place::new();
    place.write("x.toml", format!("{BASE}{part}"));
    place
}

/// Starts `ff` and leaves it running.
pub fn started(place: &Place, line: &str) -> Child {
    let mut program = place.program();
    program.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The fields of results.csv, row by row, the header first; seconds left out.
pub fn results(place: &Place, folder: &str) -> Vec<Vec<String>> {
    let text = place.read(&format!("{folder}/results.csv"));
    let mut rows: Vec<Vec<String>> =
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let seconds = rows[0].iter().position(|name| name == "seconds").unwrap();
    rows.iter_mut().for_each(|row| drop(row.remove(seconds)));
    rows
}

/// A column of results.csv.
pub fn column(place: &Place, folder: &str, name: &str) -> Vec<String> {
    let rows = results(place, folder);
    let at = rows[0].iter().position(|column| column == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

/// Puts one text in the place of another in a file.
pub fn edit(place: &Place, file: &str, from: &str, to: &str) {
    let text = place.read(file);
    assert!(text.contains(from), "{file} has no {from}: {text}");
    place.write(file, text.replacen(from, to, 1));
}
