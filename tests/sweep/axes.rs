//! Axes as people write them on the command line, axes that move together, sweeps that go on without their file.

use crate::experiment::{BASE, GRID, column, place};
use crate::place::Place;

/// The values of every planned cell.
fn cells(place: &Place, line: &str) -> Vec<serde_json::Value> {
    let plan = place.json(&format!("sweep {line} --dry-run --json"));
    plan["cells"].as_array().unwrap().iter().map(|cell| cell["values"].clone()).collect()
}

#[test]
fn a_list_that_is_set_is_an_axis() {
    let place = place("[sweep]\nthreshold = [0.5, 1, 2]\nseed = [1, 2]\n");
    let values = cells(&place, "x.toml --set threshold=[3,4]");
    assert_eq!(values.len(), 4);
    assert_eq!(values[0], serde_json::json!({"threshold": 3, "seed": 1}));
    let values = cells(&place, "x.toml --set depth=[2,3] --set width=8");
    assert_eq!(values.len(), 12);
    assert_eq!(values[1], serde_json::json!({"threshold": 0.5, "seed": 1, "network.depth": 3}));
    // Words need no quotes, ranges are axes too, and of two the later counts.
    let values = cells(&place, "x.toml --set initialization=[lecun-normal,scaled-normal] --set seed=1");
    assert_eq!(values.len(), 6);
    let values = cells(&place, "x.toml --set threshold={from=1,to=4,steps=4} --set threshold=2");
    assert_eq!(values, cells(&place, "x.toml --set threshold=[2]"));
}

#[test]
fn a_value_that_is_set_narrows_an_axis() {
    let place = place(GRID);
    let all = place.json("sweep x.toml --dry-run --json");
    let narrow = place.json("sweep x.toml --set seed=2 --set depth=3 --dry-run --json");
    let folders = |plan: &serde_json::Value| -> Vec<String> {
        plan["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| cell["run_dir"].as_str().unwrap().to_owned())
            .collect()
    };
    let (all, narrow) = (folders(&all), folders(&narrow));
    assert_eq!(narrow.len(), 3);
    assert!(narrow.iter().all(|folder| all.contains(folder)), "{narrow:?}");
    assert!(place.refused("sweep x.toml --set seed=one").contains("--set seed=one"));
    assert!(place.refused("sweep x.toml --set seed=[one]").contains("--set seed=[one]"));
    assert!(place.refused("sweep x.toml --set layer_sizes=[[8],[9]]").contains("depth"));
}

#[test]
fn a_file_without_axes_takes_them_from_the_command_line_or_says_that_it_has_none() {
    let place = place("");
    let message = place.refused("sweep x.toml");
    assert!(message.starts_with("x.toml: names neither axes"), "{message}");
    assert!(message.contains("--set key='[a, b]'") && message.contains("ff train --config"), "{message}");
    assert_eq!(cells(&place, "x.toml --set layer_sizes=[[8],[9,9]]").len(), 2);
    place.write("y.toml", format!("{BASE}[sweep]\n"));
    assert!(place.refused("sweep y.toml").starts_with("y.toml: names neither axes"));
}

#[test]
fn a_search_is_narrowed_too() {
    let place = place(
        "[search]\ncells = 3\nthreshold = { from = 1, to = 2 }\nlabel_strength = { from = 1, to = 2 }\n",
    );
    let values = cells(&place, "x.toml --set label_strength=1.5");
    assert_eq!(values.len(), 3);
    assert!(values.iter().all(|cell| cell["label_strength"] == 1.5), "{values:?}");
    // The seed of the search is no knob.
    assert_eq!(cells(&place, "x.toml --set seed=[1,2]").len(), 6);
}

#[test]
fn zipped_axes_move_together() {
    let place = place(
        "[sweep]\nthreshold = [1, 2]\ndepth = [1, 2, 3]\nwidth = [30, 20, 10]\nzip = ['depth', 'width']\n",
    );
    let values = cells(&place, "x.toml");
    assert_eq!(values.len(), 6);
    let pairs: Vec<_> = values.iter().map(|cell| (cell["depth"].as_u64(), cell["width"].as_u64())).collect();
    assert_eq!(pairs[..3], [(Some(1), Some(30)), (Some(2), Some(20)), (Some(3), Some(10))]);
    let wrong = |from: &str, to: &str| {
        place.write("y.toml", place.read("x.toml").replace(from, to));
        place.refused("sweep y.toml")
    };
    let message = wrong("[30, 20, 10]", "[30, 20]");
    assert!(message.contains("`width` has 2 values and `depth` has 3"), "{message}");
    assert!(wrong("['depth', 'width']", "['depth', 'seed']").contains("`seed` is no axis of this [sweep]"));
    assert!(wrong("['depth', 'width']", "['depth']").contains("two axes or more"));
    assert!(wrong("['depth', 'width']", "['depth', 'depth']").contains("zipped twice"));
    assert!(wrong("['depth', 'width']", "7").contains("`zip` must be a list of axes"));
}

#[test]
fn a_directory_goes_on_without_its_file() {
    let place = place(GRID);
    std::fs::create_dir(place.at("recipes")).unwrap();
    place.write("recipes/own.toml", "[training]\nlearning_rate = 0.02\n");
    place.write("x.toml", format!("recipe = 'recipes/own.toml'\n{}", place.read("x.toml")));
    place.done("sweep x.toml --set num_epochs=1 --set threshold=[1,2] --cell 3 --quiet --log-dir s");
    std::fs::remove_file(place.at("x.toml")).unwrap();
    let outcome = place.done("sweep s");
    assert!(outcome.stderr.contains("1 of 8 cells were done before"), "{}", outcome.stderr);
    assert_eq!(column(&place, "s", "status"), vec!["done"; 8]);
    assert_eq!(place.json("sweep s --status --json")["done"], 8);
    std::fs::create_dir(place.at("empty")).unwrap();
    assert!(place.refused("sweep empty").starts_with("empty: no sweep lies there"));
}

#[test]
fn cells_have_names() {
    let place = place("[[cell]]\nname = 'small'\nwidth = 8\n[[cell]]\nname = 'wide | open'\nwidth = 32\n");
    let outcome = place.done("sweep x.toml --log-dir s --set num_epochs=1");
    assert!(outcome.stderr.contains("cell 0 (small) of 2: "), "{}", outcome.stderr);
    assert_eq!(column(&place, "s", "name"), ["small", "wide | open"]);
    assert!(outcome.stdout.lines().any(|line| line.contains("small")), "{}", outcome.stdout);
    let folder = &column(&place, "s", "run_dir")[0];
    assert_eq!(place.config(&format!("s/{folder}"))["run"]["name"].as_str(), Some("small"));
    let rows = place.json("runs s --json --filter name=small");
    assert_eq!(rows.as_array().unwrap().len(), 1);
    place.write("y.toml", place.read("x.toml").replace("'small'", "7"));
    assert!(place.refused("sweep y.toml").contains("`name` of a cell must be text"));
}
