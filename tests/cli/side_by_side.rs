//! Runs beside one another: `ff runs`, `ff compare`, `ff plot` of several.

use crate::place::Place;

/// Three runs below `runs`, two of them of a sweep.
fn place() -> Place {
    let place = Place::new();
    place.done(
        "train 24 24 --dataset digits --num-epochs 2 --backend cpu --set figures=false --quiet --log-dir runs/wide \
         --validation-size 200",
    );
    place.write(
        "x.toml",
        "[data]\ndataset = 'digits'\n[network]\nlayer_sizes = [12]\n[training]\nnum_epochs = 1\n[backend]\nname = 'cpu'\n\
         [logging]\nfigures = false\n[sweep]\nthreshold = [1, 2]\n",
    );
    place.done("sweep x.toml --quiet");
    place
}

#[test]
fn a_row_for_every_run_below_a_folder() {
    let place = place();
    let rows = place.json("runs --json");
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let names: Vec<&str> = rows.iter().map(|row| row["run"].as_str().unwrap()).collect();
    assert!(names[0] == "runs/wide" && names[1].starts_with("runs/x/threshold=1-"), "{names:?}");
    for row in rows {
        let path = row["run"].as_str().unwrap();
        let summary: serde_json::Value =
            serde_json::from_str(&place.read(&format!("{path}/summary.json"))).unwrap();
        for column in ["accuracy", "test_accuracy", "train_loss", "parameters", "status", "epochs"] {
            assert_eq!(row[column], summary[column], "{column}");
        }
        let config = place.config(path);
        assert_eq!(row["goodness.threshold"].as_f64(), config["goodness"]["threshold"].as_float());
    }
    assert_eq!(rows[0]["validation_accuracy"], rows[0]["best_accuracy"]);
    assert!(rows[1].get("validation_accuracy").is_none());

    let table = place.done("runs").stdout;
    let header = table.lines().next().unwrap();
    for word in ["run", "status", "threshold", "validation_accuracy", "test_accuracy", "seconds"] {
        assert!(header.split_whitespace().any(|title| title == word), "{word}: {table}");
    }
    assert!(table.ends_with("\n3 runs\n"), "{table}");
    let few = place.done("runs runs/x --only-changed").stdout;
    let header: Vec<&str> = few.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header[..2], ["run", "threshold"], "{few}");
    assert!(!header.contains(&"status") && !header.contains(&"epochs"), "{few}");
}

#[test]
fn filtered_and_sorted() {
    let place = place();
    let runs = |line: &str| -> Vec<String> {
        let rows = place.json(&format!("runs --json {line}"));
        rows.as_array().unwrap().iter().map(|row| row["run"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(runs("--filter depth=2"), ["runs/wide"]);
    assert_eq!(runs("--filter width<20,threshold>=2").len(), 1);
    assert_eq!(runs("--filter threshold>0.5 --filter status=done").len(), 3);
    assert_eq!(runs("--filter run~threshold=").len(), 2);
    for joint in [",", " and ", " && "] {
        let name = format!("salt{joint}pepper's");
        let told = place.words(&["runs", "--json", "--filter", &format!("run!=\"{name}\"{joint}depth=2")]);
        let rows: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 1, "{joint}: {}", told.stderr);
    }
    assert_eq!(runs("--filter accuracy>1"), Vec::<String>::new());
    assert_eq!(runs("--filter split!=test"), ["runs/wide"]);
    let mut ascending = runs("--sort train_loss");
    let descending = runs("--sort -train_loss");
    ascending.reverse();
    assert_eq!(ascending, descending);
    // Runs that do not know the value are last either way.
    assert_eq!(runs("--sort validation_accuracy")[0], "runs/wide");
    assert_eq!(runs("--sort -validation_accuracy")[0], "runs/wide");
}

#[test]
fn csv_holds_every_column() {
    let place = place();
    let text = place.done("runs --csv --sort run").stdout;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(&rows[0][at("network.layer_sizes")], "24x24");
    assert_eq!(&rows[1][at("training.num_epochs")], "1");
    let config = place.config(&rows[1][at("run")]);
    assert_eq!(
        rows[1][at("training.learning_rate")].parse().ok(),
        config["training"]["learning_rate"].as_float()
    );
}

#[test]
fn what_runs_refuses() {
    let place = place();
    assert_eq!(
        place.refused("runs --filter acuracy>0.9"),
        "--filter: no run has a `acuracy`; did you mean `accuracy`?"
    );
    assert!(place.refused("runs --filter accuracy").contains("`accuracy` is no condition"));
    assert!(place.refused("runs --sort treshold").contains("did you mean `threshold`?"));
    assert_eq!(place.refused("runs nowhere"), "nowhere: no such folder");
    assert!(Place::new().refused("runs").contains("runs: no such folder"));
    assert_eq!(place.done("runs --filter epochs>5").stderr, "none of 3 runs does that\n");
}

#[test]
fn damage_is_told_and_the_others_are_shown() {
    let place = place();
    place.write("runs/wide/summary.json", "{");
    let outcome = place.done("runs --json");
    assert!(outcome.stderr.contains("warning: runs/wide/summary.json: "), "{}", outcome.stderr);
    let rows: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(rows[0]["status"], "damaged");
    assert_eq!(rows[1]["status"], "done");
}

#[test]
fn compare_tells_what_differs() {
    let place = place();
    let rows = place.json("runs --json");
    let paths: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["run"].as_str().unwrap()).collect();
    let text = place.done(&format!("compare {} {}", paths[1], paths[2])).stdout;
    let knobs: Vec<&str> = text.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    assert_eq!(knobs.len(), 1, "{text}");
    assert_eq!(knobs[0].split_whitespace().collect::<Vec<_>>(), ["goodness.threshold", "1", "2"], "{text}");
    assert!(text.lines().any(|line| line.starts_with("test_accuracy")), "{text}");
    assert!(text.ends_with("curves  runs/x/figures/compared_curves.png\n"), "{text}");
    assert!(place.bytes("runs/x/figures/compared_curves.png").starts_with(b"\x89PNG"));

    let report = place.json(&format!("compare {} --json", paths.join(" ")));
    assert_eq!(report["knobs"]["data.validation_size"], serde_json::json!([200, 0, 0]));
    assert_eq!(report["results"]["train_loss"][1], rows[1]["train_loss"]);
    assert!(report["knobs"].get("training.learning_rate").is_none());
    place.done(&format!("compare {} --figure c.svg", paths.join(" ")));
    assert!(place.read("c.svg").contains("3 runs"));
    assert!(place.refused(&format!("compare {} runs/x", paths[0])).contains("runs/x: not a run directory"));
    assert!(place.refused(&format!("compare {} {} --figure c.gif", paths[1], paths[2])).contains("c.gif"));
}

#[test]
fn several_runs_in_one_figure() {
    let place = place();
    place.done(
        "train 10 --dataset digits --num-epochs 1 --backend cpu --set figures=false --quiet --log-dir runs/b",
    );
    let drawn = place.done("plot runs/wide runs/b").stdout;
    assert_eq!(drawn.lines().last(), Some("runs/figures/compared_curves.png"));
    assert!(drawn.contains("runs/wide/figures/curves.png") && drawn.contains("runs/b/figures/curves.png"));
    for path in drawn.lines() {
        assert!(place.bytes(path).starts_with(b"\x89PNG"), "{path}");
    }
}

#[test]
fn runs_have_names_notes_tags_and_free_directories() {
    let place = Place::new();
    let line = "train 8 --dataset digits --num-epochs 1 --backend cpu --set figures=false";
    let first = place.words(
        &[
            &line.split(' ').collect::<Vec<_>>()[..],
            &["--name", "wide net", "--note", "is it \"wide\"?", "--tag", "thesis", "--tag", "fast"],
        ]
        .concat(),
    );
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let facts = place.config("runs/wide-net")["run"].clone();
    assert_eq!(facts["name"].as_str(), Some("wide net"));
    assert_eq!(facts["note"].as_str(), Some("is it \"wide\"?"));
    assert_eq!(facts["tags"].as_array().unwrap().len(), 2);
    assert!(facts["command"].as_str().unwrap().contains("--name 'wide net'"), "{facts}");

    for folder in ["runs/forward_forward", "runs/forward_forward-2", "runs/forward_forward-3"] {
        let outcome = place.done(line);
        assert!(outcome.stdout.contains(&format!("run directory  {folder}\n")), "{}", outcome.stdout);
        let told = format!("runs/forward_forward holds another run; this one goes to {folder}\n");
        assert_eq!(outcome.stderr.contains(&told), folder != "runs/forward_forward", "{}", outcome.stderr);
    }
    assert!(place.refused(&format!("{line} --log-dir runs/forward_forward")).contains("another run"));
    // A run that goes on keeps what was said of it.
    place.done("train --resume --log-dir runs/wide-net --num-epochs 2 --quiet");
    assert_eq!(place.config("runs/wide-net")["run"]["name"].as_str(), Some("wide net"));

    let rows = place.json("runs --json --filter tags~thesis");
    assert_eq!(rows[0]["name"], "wide net");
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let text = place.done("compare runs/wide-net runs/forward_forward --no-figure").stdout;
    assert!(text.contains("thesis,fast") && text.contains("wide net"), "{text}");
    assert!(place.refused(&format!("{line} --tag=")).starts_with("--tag: must be text"));
}
