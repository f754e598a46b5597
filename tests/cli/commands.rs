//! The small commands.

use crate::place::{Place, SMALL, keys};

#[test]
fn help_and_version() {
    let place = Place::new();
    let help = place.done("--help").stdout;
    for command in [
        "train",
        "eval",
        "predict",
        "plot",
        "runs",
        "compare",
        "bench",
        "devices",
        "verify",
        "data",
        "completions",
    ] {
        assert!(help.contains(&format!("  {command} ")), "{command}");
        let own = place.done(&format!("{command} --help")).stdout;
        assert!(own.contains("Usage: ff "), "{own}");
    }
    assert_eq!(place.ff("").code, Some(2));
}

#[test]
fn bench_beside_its_floor() {
    let place = Place::new();
    let timing = place.json("bench 32 16 --recipe hinton --batch-size 20 --steps 3 --backend cpu --json");
    let found: Vec<_> = keys(&timing).into_iter().filter(|key| *key != "precision").collect();
    assert_eq!(
        found,
        [
            "backend",
            "device",
            "recipe",
            "layer_sizes",
            "batch_size",
            "steps",
            "milliseconds_per_step",
            "floor_milliseconds",
            "density",
            "sparse_floor_milliseconds",
            "gflops",
            "evaluation_images_per_second",
            "memory_bytes"
        ]
    );
    let memory = |key: &str| timing["memory_bytes"][key].as_u64().unwrap();
    assert!(memory("peak") > memory("reckoned") && memory("reckoned") > 784 * 32 * 8, "{timing}");
    assert_eq!(keys(&timing["milliseconds_per_step"]), ["min", "median", "max"]);
    assert_eq!(keys(&timing["floor_milliseconds"]), ["products", "optimizer"]);
    assert_eq!(timing["layer_sizes"], serde_json::json!([32, 16]));
    assert_eq!((&timing["batch_size"], &timing["steps"]), (&20.into(), &3.into()));
    assert!(timing["gflops"].as_f64().unwrap() > 0.0);
    let text = place.done("bench 32 --steps 2 --batch_size 20 --backend cpu").stdout;
    assert!(text.contains("floor") && text.contains("ratio"), "{text}");
}

#[test]
fn devices_name_what_auto_takes() {
    let place = Place::new();
    let listing = place.json("devices --json");
    assert_eq!(keys(&listing), ["devices", "auto", "why", "notes"]);
    let cpu = &listing["devices"][0];
    assert_eq!(keys(cpu), ["backend", "device", "driver", "units", "memory_bytes"]);
    assert_eq!(cpu["backend"], "cpu");
    let auto = listing["auto"].as_str().unwrap();
    assert!(place.done("devices").stdout.contains(&format!("auto takes {auto}")));
}

#[test]
fn data_described() {
    let place = Place::new();
    let info = place.json("data info digits --json");
    assert_eq!(keys(&info), ["name", "height", "width", "classes", "train", "test", "sha256"]);
    assert_eq!((&info["train"]["count"], &info["test"]["count"]), (&1442.into(), &355.into()));
    assert!(place.done("data info digits").stdout.contains("8×8 pixels, 10 classes"));
    place.done("data fetch digits");
    let help = place.done("data info --help").stdout;
    assert!(!help.contains("[default: ]") && !help.contains("[default: \"\"]"), "{help}");
}

#[test]
fn completions_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.done(&format!("completions {shell}")).stdout;
        assert!(script.contains("learning-rate"), "{shell}");
    }
}

#[test]
fn figures_from_what_was_saved() {
    let place = Place::new();
    place.done(&format!("{SMALL} --set figures=false"));
    assert!(!place.at("run/figures").exists());
    let drawn = place.done("plot run").stdout;
    assert!(drawn.lines().count() >= 5, "{drawn}");
    for path in drawn.lines() {
        assert!(place.bytes(path).starts_with(b"\x89PNG"), "{path}");
    }
    let drawn = place.done("plot run --format svg").stdout;
    assert!(place.read(drawn.lines().next().unwrap()).starts_with("<svg"), "{drawn}");
}

#[test]
fn verify_prints_a_table() {
    let place = Place::new();
    let outcome = place.done("verify --backend cpu --quick");
    assert!(outcome.stdout.starts_with("cpu on "), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().count() > 15, "{}", outcome.stdout);
}
