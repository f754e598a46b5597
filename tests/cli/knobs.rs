//! What the program tells of its knobs and recipes, and that every knob does something.

use forward_forward::config::{KNOBS, RECIPES};

use crate::place::Place;

#[test]
fn one_line_for_every_knob() {
    let place = Place::new();
    let listing = place.done("knobs").stdout;
    assert_eq!(listing.lines().count(), KNOBS.len());
    for (line, knob) in listing.lines().zip(KNOBS) {
        assert!(line.starts_with(knob.name) && line.contains(knob.meaning), "{line}");
    }
    let rows = place.json("knobs --json");
    assert_eq!(rows.as_array().unwrap().len(), KNOBS.len());
    let row = place.json("knobs negatives --json");
    assert_eq!((&row["name"], &row["default"]), (&"training.negatives".into(), &"random".into()));
    assert_eq!(row["choices"][1]["name"], "hard");
    let told = place.done("knobs training.negatives").stdout;
    assert!(told.contains("hard needs `head.enabled = true`"), "{told}");
    assert!(place.refused("knobs negativs").contains("did you mean `negatives`?"));
}

#[test]
fn the_page_of_knobs_is_the_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/knobs.md")).unwrap();
    let table = Place::new().done("knobs --markdown").stdout;
    assert!(page == table, "docs/knobs.md is behind the table: ff knobs --markdown > docs/knobs.md");
}

#[test]
fn recipes_tell_what_they_set() {
    let place = Place::new();
    let recipes = place.json("recipes --json");
    let names: Vec<_> = recipes.as_array().unwrap().iter().map(|recipe| recipe["name"].clone()).collect();
    assert_eq!(names, RECIPES.map(|(name, _)| name));
    assert_eq!(recipes[1]["sets"], serde_json::json!({}), "baseline is the default");
    assert_eq!(recipes[2]["sets"]["goodness.threshold"], "width");
    let told = place.done("recipes").stdout;
    assert!(told.contains("\nhinton\n") && told.contains("    goodness.threshold = \"width\"\n"), "{told}");
}

#[test]
fn completions_offer_the_values_of_knobs() {
    let place = Place::new();
    for (shell, offered) in [
        ("bash", ["training.loss=symba", "backend.name=cpu", "training.seed=", "tf32"]),
        ("zsh", ["training.loss=symba", "recipe=hinton", "training.seed=", "fashion-mnist"]),
        ("fish", ["training.loss=symba", "goodness.function=topk", "logging.log_dir=", "unsupervised"]),
    ] {
        let script = place.done(&format!("completions {shell}")).stdout;
        offered.iter().for_each(|value| assert!(script.contains(value), "{shell} lacks {value}"));
    }
    // A colon within a value, of which zsh reads one backslash as the list's and one as the value's own.
    let zsh = place.done("completions zsh").stdout;
    for line in
        ["\nidx\\\\\\:DIR\\:", "\nopencl\\\\\\:P.D\\:", "\ndata.dataset=idx\\\\\\:DIR\\:", "\nopencl\\:"]
    {
        assert!(zsh.contains(line), "{line}");
    }
    // What is offered is not all that is taken, and what is wrong is said by the knob.
    assert!(
        place.refused("train 8 --dataset digits --precision fp64").contains("must be \"fp32\" or \"tf32\"")
    );
}
