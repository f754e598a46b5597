//! What is fuzzed: everything that reads bytes that somebody else may have made. Whatever the bytes are, a reader
//! answers with a value or an error; a panic, an abort or a wait is a finding.
//!
//! libFuzzer drives these functions in `fuzz_targets/`; the test suite runs them over the committed corpus and
//! mutations of it.

use std::fs;
use std::path::Path;

use forward_forward::checkpoint::Checkpoint;
use forward_forward::cli;
use forward_forward::config::{ConfigBuilder, Experiment};
use forward_forward::data::pictures::Encoded;
use forward_forward::data::{Dataset, ImageShape, Source, import};
use forward_forward::run::{Ownership, RunDirectory};

/// Reads an input; the path is a folder that it may write to.
pub type Target = fn(&Path, &[u8]);

/// A target's name, as its corpus is called, and what it does with bytes in an empty folder of its own.
pub const TARGETS: [(&str, Target); 8] = [
    ("idx", idx),
    ("safetensors", safetensors),
    ("toml", toml),
    ("run_files", run_files),
    ("settings", settings),
    ("pictures", pictures),
    ("arrays", arrays),
    ("command_line", command_line),
];

/// One of the four files of a data set, chosen by the first byte, beside three that are in order.
pub fn idx(folder: &Path, bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7; 8]].concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
    let names = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];
    for (at, name) in names.iter().enumerate() {
        let contents = match at == usize::from(which % 4) {
            true => bytes,
            false if at % 2 == 0 => &images,
            false => &labels,
        };
        let packed = at == usize::from(which % 4) && which & 4 != 0;
        let _ = fs::remove_file(folder.join(format!("{name}.gz")));
        let _ = fs::remove_file(folder.join(name));
        let _ =
            fs::write(folder.join(if packed { format!("{name}.gz") } else { (*name).to_owned() }), contents);
    }
    if let Ok(dataset) = Dataset::load(&Source::Idx(folder.to_owned()), "", false) {
        dataset.describe();
    }
}

/// A checkpoint.
pub fn safetensors(folder: &Path, bytes: &[u8]) {
    let path = folder.join("checkpoint.safetensors");
    let _ = fs::write(&path, bytes);
    if let Ok(checkpoint) = Checkpoint::read(&path) {
        let _ = checkpoint.layer_shapes();
        let _ = checkpoint.described();
        let _ = checkpoint.with_progress();
    }
}

/// An experiment file, as one run's and as a sweep's.
pub fn toml(folder: &Path, bytes: &[u8]) {
    let path = folder.join("x.toml");
    let _ = fs::write(&path, bytes);
    let _ = ConfigBuilder::new().file(&path).build();
    let _ = Experiment::load(&path, &[], &[]);
}

/// The text files of a run: its config, metrics and summary, chosen by the first byte.
pub fn run_files(folder: &Path, bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let names = ["config.toml", "metrics.jsonl", "summary.json", "evaluation.json"];
    for name in names {
        let _ = fs::remove_file(folder.join(name));
    }
    let _ = fs::write(folder.join(names[usize::from(which % 4)]), bytes);
    let _ = RunDirectory::read_metrics(folder);
    let _ = RunDirectory::read_summary(folder);
    for ownership in [Ownership::New, Ownership::Resume, Ownership::Force] {
        let _ = RunDirectory::check(folder, ownership);
    }
    let _ = ConfigBuilder::new().file(folder.join("config.toml")).build();
}

/// What is set on the command line: a `--set` a line.
pub fn settings(_: &Path, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let builder = text.lines().fold(ConfigBuilder::new(), |builder, line| builder.set(line));
    let _ = builder.build();
}

/// A PNG or JPEG, decoded and brought to a network's size both ways.
pub fn pictures(_: &Path, bytes: &[u8]) {
    let Ok(encoded) = Encoded::new(Path::new("picture"), bytes.to_vec()) else { return };
    // Pixels by the million are decoded as these are, and take their time.
    if encoded.shape.pixels() > 1 << 20 {
        return;
    }
    for channels in ImageShape::CHANNELS {
        let Ok(picture) = encoded.decode(channels) else { return };
        assert_eq!(picture.pixels.len(), picture.shape.values());
        for shape in [ImageShape::gray(28, 28), ImageShape::gray(3, 1)] {
            let shape = ImageShape { channels, ..shape };
            assert_eq!(picture.fitted(shape).pixels.len(), shape.values());
            assert_eq!(picture.resized(shape).pixels.len(), shape.values());
        }
    }
}

/// Arrays of NumPy and tables, as `ff data import` reads them; the first byte says which.
pub fn arrays(folder: &Path, bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let path = folder.join(if which & 1 == 0 { "x.npz" } else { "x.csv" });
    let _ = fs::write(&path, bytes);
    let _ = import::read(&path, &import::Options::default());
}

/// A command line, an argument a line. It is understood or explained; nothing of it is run.
pub fn command_line(_: &Path, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let arguments = ["ff"].into_iter().chain(text.lines()).map(Into::into).collect();
    let _ = cli::refusal(arguments);
}
