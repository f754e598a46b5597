//! Every message that a user can see, whole: a changed word is a changed line of tests/snapshots.
//!
//! A message that is meant to change: `INSTA_UPDATE=always cargo test --test messages`, then read the diff. Under
//! `CI=true` nothing is written. Builds without a backend have other messages about it: they are not compared.
#![cfg(all(feature = "openblas", feature = "opencl"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "cli/idx.rs"]
mod idx;
#[allow(dead_code)]
#[path = "cli/place.rs"]
mod place;

use std::fs;

use forward_forward::config::{ConfigBuilder, KNOBS, Takes};

use place::{Outcome, Place};

/// Compares a text with the snapshot of this name.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What the processor is called.
fn processor() -> String {
    let devices = Place::new().json("devices --json");
    devices["devices"][0]["device"].as_str().unwrap().to_owned()
}

/// What a line prints, and how it ends; the folder it runs in is called HERE.
fn told(place: &Place, line: &str) -> String {
    let Outcome { code, stdout, stderr } = place.ff(line);
    let here = fs::canonicalize(place.path()).unwrap().display().to_string();
    let told = format!("$ ff {line}\n{stdout}{stderr}[exit {}]\n", code.unwrap());
    told.replace(&here, "HERE").replace(&place.path().display().to_string(), "HERE")
}

fn all_told(place: &Place, lines: &[&str]) -> String {
    lines.iter().map(|line| told(place, line)).collect::<Vec<_>>().join("\n")
}

/// The same with `#` for every number and one space for several: figures are not words.
fn without_figures(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if plain.ends_with('#') => {}
            '0'..='9' if plain.ends_with("#.") => drop(plain.pop()),
            '0'..='9' => plain.push('#'),
            ' ' if plain.ends_with(' ') => {}
            c => plain.push(c),
        }
    }
    plain
}

/// What is said of each of these texts as a file.
fn of_files(command: &str, texts: &[&str]) -> String {
    let place = Place::new();
    let told = texts.iter().map(|text| {
        place.write("x.toml", text);
        format!("{}\n{}", text.trim(), told(&place, command))
    });
    told.collect::<Vec<_>>().join("\n")
}

/// A run on the digits, with `--quiet`.
const RUN: &str = "train 12 10 --dataset digits --num-epochs 1 --backend cpu --set figures=false --quiet";

#[test]
fn help() {
    let place = Place::new();
    snapshot("help", &told(&place, "--help"));
    for command in [
        "train",
        "sweep",
        "eval",
        "predict",
        "plot",
        "runs",
        "compare",
        "bench",
        "devices",
        "verify",
        "data",
        "data fetch",
        "data import",
        "data info",
        "knobs",
        "recipes",
        "completions",
        "man",
    ] {
        let name = format!("help_{}", command.replace(' ', "_"));
        snapshot(&name, &told(&place, &format!("{command} --help")));
    }
}

#[test]
fn listings() {
    let place = Place::new();
    snapshot("knobs", &told(&place, "knobs"));
    let each = KNOBS.iter().map(|knob| told(&place, &format!("knobs {}", knob.name)));
    snapshot("knobs_each", &each.collect::<Vec<_>>().join("\n"));
    snapshot("recipes", &told(&place, "recipes"));
}

#[test]
fn command_lines() {
    snapshot(
        "command_lines",
        &all_told(
            &Place::new(),
            &[
                "",
                "trian",
                "train --learning-rat 0.1",
                "train --num_epoch 3",
                "train --bogus",
                "train --seed",
                "train --force --resume",
                "train --set nothing",
                "train --set treshold=3",
                "train --set training.batchsize=3",
                "train --set lr=3",
                "train --set momentun=3",
                "train --set enabled",
                "train 0",
                "train 8 -3",
                "train 8 2.5",
                "train 8 many",
                "train 99999999999999999999",
                "train --recipe orignal",
                "train --recipe magic",
                "train --recipe gone.toml",
                "train --config gone.toml",
                "train --set depth=2 --set layer_sizes=[3]",
                "train --dataset mnits",
                "train --dataset cifar",
                "train --dataset ./folder",
                "train --backend gpu",
                "train --backend opencl:1",
                "eval",
                "eval gone",
                "predict gone image.png",
                "predict",
                "plot",
                "plot gone",
                "runs gone",
                "runs --json --csv",
                "compare gone",
                "compare gone lost",
                "bench 0",
                "bench 8 --steps 0",
                "bench 8 --batch-size 0",
                "devices --josn",
                "verify --backend gpu",
                "data",
                "data info mnits",
                "data info idx:gone",
                "knobs negativs",
                "knobs batch",
                "completions fihs",
                "sweep",
                "sweep gone.toml",
            ],
        ),
    );
}

/// Every knob with values of other types and beyond its range; what is taken is not told. By the library: two hundred
/// programs would take their time, and `command_lines` shows what the program makes of such a message.
#[test]
fn values_of_knobs() {
    let mut messages = String::new();
    for knob in KNOBS {
        let values: &[&str] = match knob.takes {
            Takes::Bool => &["maybe", "1"],
            Takes::Folder { .. } => &["", "[1]"],
            Takes::Word(_) | Takes::Pattern { .. } => &["magic", "7", "[]"],
            Takes::Sizes => &["many", "[]", "[5,-1]", "[0]", "[9999999]"],
            Takes::Layers(_) => {
                &["many", "[5]", "[{}]", "[{kind='dense',units=-1}]", "[{kind='dense',units=9999999}]"]
            }
            _ => &["many", "-1", "0", "1e40", "nan", "5000000000"],
        };
        for value in values {
            if let Err(error) = ConfigBuilder::new().set(format!("{}={value}", knob.name)).build() {
                messages += &format!("ff: {error}\n");
            }
        }
    }
    snapshot("values_of_knobs", &messages);
}

#[test]
fn knobs_that_need_others() {
    snapshot(
        "knobs_that_need_others",
        &all_told(
            &Place::new(),
            &[
                "train --set negatives=hard",
                "train --set negatives=hybrid",
                "train --set negatives=hybrid --set enabled=true",
                "train --recipe unsupervised --set label=overlay",
                "train --set predict=head",
                "train --set function=topk --set width=9",
                "train --recipe original --set optimizer=momentum",
                "train --backend cpu --precision tf32",
                "train --recipe hinton --set head.enabled=false",
                "train --set alpha=2",
                "train --set top_k=2",
                "train --set training.momentum=0.5",
                "train --set training.weight_decay=0.5",
                "train --set head.momentum=0.5",
                "train --set loss=symba --threshold 3",
                "train --set loss=symba --set temperature=3",
                "train --recipe unsupervised --set label_strength=3",
                "train 9 --set top_down=true",
                "train --set top_down=true --set steps=0",
                "train --set top_down=true --set steps=4",
                "train --set top_down=true --set first_step=6",
                "train --set top_down=true --set label=every-layer",
                "train --set top_down=true --set dropout=0.1",
                "train --set top_down=true --set function=topk",
                "train --set top_down=true --set layer_schedule=greedy",
                "train --recipe unsupervised --set top_down=true",
                "train --recipe pred --set top_down=true",
                "train --set steps=4",
            ],
        ),
    );
}

#[test]
fn configuration_files() {
    snapshot(
        "configuration_files",
        &of_files(
            "train --config x.toml",
            &[
                "[training]\nnum_epoch = 3",
                "[trainning]\nnum_epochs = 3",
                "seed = 1",
                "sede = 1",
                "[data]\nseed = 1",
                "training = 3",
                "[training]\nnum_epochs = 0",
                "[training]\nlearning_rate = \"fast\"",
                "[training]\nseed = = 1",
                "[training\nnum_epochs = 3",
                "[training]\nbatch-size = 1\nbatch_size = 2",
                "recipe = 'x.toml'",
                "recipe = 'magic'",
                "name = 3",
                "name = 'x'\n[sweep]\nseed = [1]",
                "[[cell]]\nseed = 1",
                "[goodness]\nthreshold = 3\n[training]\nloss = 'symba'",
            ],
        ),
    );
}

/// Layers that do not fit each other, or the digits of 8 × 8 pixels.
#[test]
fn layers_of_several_kinds() {
    const ON_DIGITS: &str = "grid = [3, 3], stride = 2, field = 4, channels = 2 }";
    let dense = "{ kind = 'dense', units = 9 }";
    let network = |layers: &str| format!("[network]\nlayers = [{layers}]");
    let local = |shape: &str| network(&format!("{{ kind = 'local', {shape}"));
    let texts = [
        "[network]\nlayers = 5".to_owned(),
        network("5"),
        network("{ units = 5 }"),
        network("{ kind = 'conv', units = 5 }"),
        network("{ kind = 'locl', units = 5 }"),
        network("{ kind = 'dense' }"),
        network("{ kind = 'dense', units = 0 }"),
        network("{ kind = 'dense', unit = 3 }"),
        local("grid = [3, 3], stride = 2, field = 4 }"),
        local("grid = [3, 3], stride = 2, field = 4, channels = 0 }"),
        local("grid = 3, stride = 2, field = 4, channels = 2 }"),
        local("grid = [3], stride = 2, field = 4, channels = 2 }"),
        local("grid = [3, 0], stride = 2, field = 4, channels = 2 }"),
        local("grid = [1000, 1000], stride = 2, field = 4, channels = 2 }"),
        local("grid = [3, 3], stride = 2, field = 5, channels = 2 }"),
        local("grid = [3, 3], stride = 2, field = 3, channels = 2 }"),
        local("grid = [9, 9], stride = 1, field = 1, channels = 2 }"),
        local("grid = [2, 2], stride = 5, field = 3, channels = 2 }"),
        network(&format!("{dense}, {{ kind = 'local', {ON_DIGITS}")),
        network(&format!("{{ kind = 'local', {ON_DIGITS}, {{ kind = 'local', {ON_DIGITS}")),
        network(&format!(
            "{{ kind = 'local', {ON_DIGITS}, {{ kind = 'local', grid = [4, 4], stride = 1, field = 1, channels = 1 }}"
        )),
        format!("{}\nlayer_sizes = [5]", network(dense)),
        format!("{}\ndepth = 2", network(dense)),
        format!("{}\n[goodness]\nfunction = 'topk'\ntop_k = 19", local(ON_DIGITS)),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    snapshot("layers_of_several_kinds", &of_files("train --config x.toml --dataset digits", &texts));
}

#[test]
fn experiment_files() {
    snapshot(
        "experiment_files",
        &of_files(
            "sweep x.toml --dry-run",
            &[
                "[sweep]\ntreshold = [1]",
                "[sweep]\nseed = []",
                "[sweep]\nlog_dir = ['a']",
                "[sweep]\nseed = [1]\ntraining.seed = [2]",
                "[sweep]\ndepth = [1]\nlayer_sizes = [[2]]",
                "[sweep]\nlayer_sizes = [500, 500]",
                "[sweep]\nlayers = [{ kind = 'dense', units = 5 }]",
                "[sweep]\nlayers = [[{ kind = 'dense', units = 5 }]]\nlayer_sizes = [[5]]",
                "[sweep]\nseed = [4, 4]",
                "[sweep]\nseed = [1, 'a']",
                "[sweep]\ndropout = [0.5, 1.5]",
                "[[cell]]\ndepth = 2\nwidth = 5\n[[cell]]\nlayer_sizes = [5, 5]",
                "sweep = 3",
                "[cell]\nseed = 3",
                "cell = [1]",
                "[[cell]]\nseed = 3\n[sweep]\nseed = [1]",
                "[sweep]\nseed = { from = 1, to = 2 }",
                "[sweep]\nseed = { from = 1, to = 2, step = 2 }",
                "[sweep]\nseed = { from = 1.5, to = 2, steps = 2 }",
                "[sweep]\nseed = { from = 1, to = 2, steps = 0 }",
                "[sweep]\nseed = { from = 0, to = 9007199254740993, steps = 2 }",
                "[sweep]\nthreshold = { from = inf, to = 2, steps = 2 }",
                "[sweep]\nthreshold = { from = 'a', to = 2, steps = 2 }",
                "[sweep]\nthreshold = { from = 0, to = 2, steps = 2, scale = 'log' }",
                "[sweep]\nthreshold = { from = 1, to = 2, steps = 2, scale = 'lin' }",
                "[sweep]\nloss = { from = 1, to = 2, steps = 2 }",
                "[sweep]\nseed = { from = 0, to = 9999, steps = 10000 }\nwidth = [1, 2]",
                "[search]\nseed = 1",
                "[search]\ncells = 0\ndepth = [1]",
                "[search]\ncells = 1",
                "[search]\ncells = 5\ndepth = [1, 2]",
                "[search]\ncells = 1\ndepth = { from = 3, to = 2 }",
                "[search]\ncells = 1\ndepth = [1]\nhalving = 1",
                "[search]\ncells = 1\ndepth = [1]\nhalving = { factor = 1 }",
                "[search]\ncells = 1\ndepth = [1]\nhalving = { min = 1 }",
                "[search]\ncells = 1\ndepth = [1]\nhalving = {}",
                "[data]\nvalidation_size = 10\n[search]\ncells = 1\ndepth = [1]\nhalving = { min_epochs = 99 }",
                "[training]\nseed = 1\n[sweep]\nrecipe = ['baseline', 'magic']",
            ],
        ),
    );
}

#[test]
fn runs() {
    let place = Place::new();
    place.done(&format!("{RUN} --log-dir run"));
    fs::create_dir(place.at("other")).unwrap();
    place.write("other/thesis.tex", "years of work");
    place.write("file", "");
    place.write("run.png", "no picture");
    place.write("no.safetensors", "no tensors");
    fs::create_dir(place.at("cells")).unwrap();
    place.write(
        "cells/results.csv",
        "recipe,depth,width,accuracy,run_dir\npred,1,2,0.9,none\nbackprop,2,2,0.8,none\npred,2,4,0.7,none\n",
    );
    snapshot(
        "runs",
        &all_told(
            &place,
            &[
                &format!("{RUN} --log-dir run"),
                &format!("{RUN} --log-dir run --resume --seed 7"),
                &format!("{RUN} --log-dir other"),
                &format!("{RUN} --log-dir file"),
                &format!("{RUN} --log-dir /dev/null/run"),
                "train --resume --log-dir gone",
                "train --resume --log-dir other",
                &format!("{RUN} --log-dir new --batch-size 1443"),
                &format!("{RUN} --log-dir new --validation-size 1442"),
                &format!("{RUN} --log-dir new --validation-size 1400"),
                &format!("{RUN} --log-dir new --set learning_rate=1e30"),
                "eval other",
                "eval file",
                "eval no.safetensors",
                "eval run --checkpoint worst",
                "eval run/checkpoints/last.safetensors --checkpoint best",
                "eval run --predict head",
                "eval run --set layer_sizes=[3]",
                "eval run --set label=every-layer",
                "eval run --dataset idx:gone",
                "predict run gone.png",
                "predict run run.png",
                "plot other",
                "plot run --against pred",
                "plot cells --against prd",
                "plot cells --against 2",
                "compare run other",
                "runs . --filter accuracy",
                "runs . --sort speed",
                "compare run run --figure figure.gif",
            ],
        ),
    );
}

#[test]
fn what_went_well() {
    let place = Place::new();
    let line = "train 12 10 --recipe hinton --dataset digits --num-epochs 2 --backend cpu --log-dir run";
    let mut told =
        all_told(&place, &[line, "eval run --backend cpu", "data info digits", "runs .", "plot run"]);
    told += &told_of_a_sweep(&place);
    snapshot("what_went_well", &without_figures(&told.replace(&processor(), "PROCESSOR")));
}

fn told_of_a_sweep(place: &Place) -> String {
    place.write(
        "x.toml",
        "[data]\ndataset = 'digits'\n[network]\nlayer_sizes = [8, 8]\n[training]\nnum_epochs = 1\n[backend]\n\
         name = 'cpu'\n[logging]\nfigures = false\n[sweep]\nseed = [1, 2]\n",
    );
    let place_of = "--log-dir sweep --quiet";
    told(place, &format!("sweep x.toml {place_of}")) + &told(place, "sweep x.toml --log-dir sweep --dry-run")
}

/// Files of a set that are wrong in one way each.
#[test]
fn data_sets() {
    let images = |count: u32| idx::file(&[count, 4, 4], &vec![9; 16 * count as usize]);
    let labels = |labels: &[u8]| idx::file(&[labels.len() as u32], labels);
    let spoilt: [(&str, usize, Vec<u8>); 12] = [
        ("an empty file", 0, Vec::new()),
        ("text", 0, b"images, said the file".to_vec()),
        ("labels for images", 0, labels(&[1; 40])),
        ("images for labels", 1, images(40)),
        ("no images", 0, idx::file(&[0, 4, 4], &[])),
        ("too short", 0, idx::file(&[40, 4, 4], &[9; 100])),
        ("too long", 0, idx::file(&[40, 4, 4], &[9; 1000])),
        ("huge", 0, idx::file(&[u32::MAX, u32::MAX, u32::MAX], &[])),
        ("fewer labels", 1, labels(&[1; 39])),
        ("another shape", 2, idx::file(&[10, 2, 8], &[9; 160])),
        ("one class", 1, labels(&[0; 40])),
        ("a class that is not taught", 3, labels(&[0, 1, 2, 3, 4, 0, 1, 2, 3, 9])),
    ];
    let mut messages = String::new();
    for (what, file, bytes) in spoilt {
        let place = Place::new();
        idx::write_set(&place.at("set"), 4, 5, 40, 10);
        place.write(&format!("set/{}", idx::FILES[file]), bytes);
        messages += &format!("{what}\n{}\n", told(&place, "data info idx:set"));
    }
    let place = Place::new();
    idx::write_set(&place.at("set"), 4, 5, 40, 10);
    fs::remove_file(place.at("set").join(idx::FILES[2])).unwrap();
    messages += &format!("a missing file\n{}\n", told(&place, "data info idx:set"));
    snapshot("data_sets", &messages);
}
