//! Every knob does what its row in the table says: the numbers of a run differ, or its files do.

use std::collections::HashMap;

use forward_forward::config::KNOBS;

use crate::place::{Outcome, Place};

/// What shows that a knob has another value.
enum Shows {
    /// Losses, accuracies or weights.
    Numbers,
    /// What the directory of the run holds, and no number.
    File(fn(&Place, &str) -> Vec<u8>),
    /// The run is refused with a message that holds this.
    Refusal(&'static str),
}

use Shows::{File, Numbers, Refusal};

/// Knob, what both runs have, what only the second has, what shows it.
const CASES: &[(&str, &str, &str, Shows)] = &[
    ("recipe", "", "--recipe original", Numbers),
    ("data.dataset", "", "--dataset idx:set", Numbers),
    ("data.data_dir", "", "--dataset mnist --set data_dir=spoilt", Refusal("spoilt/mnist/")),
    ("data.validation_size", "", "--set validation_size=200", Numbers),
    ("data.jitter", "", "--set jitter=1", Numbers),
    ("data.flips", "", "--set flips=true", Numbers),
    ("network.layer_sizes", "", "--set layer_sizes=[12,9]", Numbers),
    ("network.layers", "", LAYERS, Numbers),
    ("network.center_images", "", "--set center_images=true", Numbers),
    ("network.input_normalization", "", "--set input_normalization=rms", Numbers),
    ("network.normalization", "", "--set network.normalization=rms", Numbers),
    ("network.label", "", "--set label=every-layer", Numbers),
    ("network.label_strength", "", "--set label_strength=2", Numbers),
    ("network.top_down", "", TOP_DOWN, Numbers),
    ("network.steps", TOP_DOWN, "--set steps=6", Numbers),
    ("network.damping", TOP_DOWN, "--set damping=0.6", Numbers),
    ("network.initialization", "", "--set initialization=scaled-normal", Numbers),
    ("network.initial_scale", "", "--set initial_scale=1", Numbers),
    ("network.depth", "", "--set depth=3", Numbers),
    ("network.width", "", "--set width=11", Numbers),
    ("goodness.function", "", "--set function=mean", Numbers),
    ("goodness.sign", "", "--set sign=minimize", Numbers),
    ("goodness.threshold", "", "--set threshold=width", Numbers),
    ("goodness.temperature", "", "--set temperature=3", Numbers),
    ("goodness.top_k", "--set function=topk --set top_k=5", "--set top_k=6", Numbers),
    ("training.num_epochs", "", "--set num_epochs=3", Numbers),
    ("training.batch_size", "", "--set batch_size=64", Numbers),
    ("training.learning_rate", "", "--set learning_rate=0.01", Numbers),
    ("training.optimizer", "", "--set optimizer=momentum", Numbers),
    ("training.momentum", "--set optimizer=momentum", "--set momentum=0.5", Numbers),
    ("training.weight_decay", "--set optimizer=momentum", "--set weight_decay=0.5", Numbers),
    ("training.idle_steps", "", "--set idle_steps=1", Numbers),
    ("training.gradient_scale", "--set optimizer=momentum", "--set gradient_scale=0.5", Numbers),
    ("training.loss", "", "--set loss=symba", Numbers),
    ("training.alpha", "--set loss=symba", "--set alpha=9", Numbers),
    ("training.beta", "--recipe predsim", "--set beta=0.5", Numbers),
    ("training.label_smoothing", "--recipe pred", "--set label_smoothing=0.1", Numbers),
    ("training.similarity_map", "--recipe predsim", "--set similarity_map=true", Numbers),
    ("training.margin", "--set loss=margin", "--set margin=9", Numbers),
    ("training.negatives", "--set enabled=true", "--set negatives=hard", Numbers),
    ("training.sleep_every", "", "--set sleep_every=1", Numbers),
    ("training.peer_normalization", "", "--set peer_normalization=0.5", Numbers),
    ("training.learning_rate_schedule", "", "--set learning_rate_schedule=constant", Numbers),
    ("training.layer_schedule", "", "--set layer_schedule=greedy", Numbers),
    ("training.dropout", "", "--set dropout=0.5", Numbers),
    ("training.input_dropout", "", "--set input_dropout=0.5", Numbers),
    ("training.exact_shortcuts", "", "--set exact_shortcuts=false", File(shortcuts)),
    ("training.average_from", "", "--set average_from=1", Numbers),
    ("training.seed", "", "--set seed=7", Numbers),
    ("head.enabled", "", "--set enabled=true", Numbers),
    ("head.learning_rate", "--set enabled=true", "--set head.learning_rate=0.01", Numbers),
    ("head.momentum", "--set enabled=true", "--set head.momentum=0.1", Numbers),
    ("head.weight_decay", "--set enabled=true", "--set head.weight_decay=0.5", Numbers),
    ("evaluation.batch_size", "", "--set evaluation.batch_size=7", Numbers),
    ("evaluation.predict", "--set enabled=true", "--set predict=head", Numbers),
    ("evaluation.predict", "--recipe pred", "--set predict=ensemble", Numbers),
    ("evaluation.first_layer", "", "--set first_layer=1", Numbers),
    ("evaluation.first_step", TOP_DOWN, "--set first_step=1", Numbers),
    ("evaluation.last_step", TOP_DOWN, "--set last_step=8", Numbers),
    ("backend.name", "", "--set backend.name=opencl:99.99", Refusal("--backend")),
    ("backend.precision", "", "--set precision=tf32", Refusal("tf32")),
    ("backend.threads", "--set threads=1", "--set threads=2", File(units)),
    ("logging.log_dir", "", "--log-dir elsewhere", File(summary)),
    ("logging.checkpoint_seconds", "--num-epochs 3", "--set checkpoint_seconds=1000", File(previous)),
    ("logging.tensorboard", "", "--set tensorboard=false", File(events)),
    ("logging.scalars_every", "", "--set scalars_every=2", File(events)),
    ("logging.histograms_every", "", "--set histograms_every=1", File(events)),
    ("logging.images_every", "", "--set images_every=2", File(events)),
    ("logging.figures_every", DIVERGES, "--set figures=true --set figures_every=1", File(curves)),
    ("logging.figures", "", "--set figures=true", File(curves)),
];

/// As many layers of other kinds.
const LAYERS: &str =
    "--set layers=[{kind='local',grid=[3,3],stride=2,field=4,channels=2},{kind='dense',units=10}]";

const TOP_DOWN: &str = "--set top_down=true";

/// What every run has but for what a case says.
const BASE: &str = "
data.dataset = 'digits'
network.layer_sizes = [12, 10]
training.num_epochs = 2
backend.name = 'cpu'
logging.figures = false
";

const TRAIN: &str = "train --config base.toml --force --quiet";

/// A run that fails after some epochs: figures are drawn at its end only if it has one.
const DIVERGES: &str = "--num-epochs 10 --recipe hinton --set head.learning_rate=1e4";

fn is_there(place: &Place, file: &str) -> Vec<u8> {
    vec![u8::from(place.at(file).exists())]
}

fn summary(place: &Place, run: &str) -> Vec<u8> {
    is_there(place, &format!("{run}/summary.json"))
}

fn curves(place: &Place, run: &str) -> Vec<u8> {
    is_there(place, &format!("{run}/figures/curves.png"))
}

/// The epoch of the checkpoint before the last.
fn previous(place: &Place, run: &str) -> Vec<u8> {
    let checkpoint = place.bytes(&format!("{run}/checkpoints/previous.safetensors"));
    let text = String::from_utf8_lossy(&checkpoint).into_owned();
    let at = text.find(r"[run]\nepoch = ").unwrap();
    text[at..].bytes().take(20).collect()
}

/// Whether work is skipped, as the run's config.toml says; no number depends on it.
fn shortcuts(place: &Place, run: &str) -> Vec<u8> {
    place.config(run)["training"]["exact_shortcuts"].to_string().into_bytes()
}

/// Threads of the run, as its config.toml says.
fn units(place: &Place, run: &str) -> Vec<u8> {
    place.config(run)["run"]["units"].to_string().into_bytes()
}

/// Size of the TensorBoard events, in bytes.
fn events(place: &Place, run: &str) -> Vec<u8> {
    let entries = std::fs::read_dir(place.at(run)).unwrap().map(Result::unwrap);
    let events = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("events."));
    let bytes: u64 = events.map(|entry| entry.metadata().unwrap().len()).sum();
    bytes.to_string().into_bytes()
}

/// Metrics and weights of a run.
fn numbers(place: &Place, run: &str) -> (Vec<String>, Vec<u8>) {
    let checkpoint = place.bytes(&format!("{run}/checkpoints/last.safetensors"));
    // The header holds the config.
    let header = 8 + u64::from_le_bytes(checkpoint[..8].try_into().unwrap()) as usize;
    (place.timeless_metrics(run), checkpoint[header..].to_vec())
}

#[test]
fn every_knob_has_an_effect() {
    for knob in KNOBS {
        assert!(CASES.iter().any(|case| case.0 == knob.name), "{} has no case", knob.name);
    }
    let place = Place::new();
    crate::idx::write_set(&place.at("set"), 8, 10, 400, 100);
    std::fs::create_dir_all(place.at("spoilt/mnist")).unwrap();
    crate::idx::FILES.iter().for_each(|file| place.write(&format!("spoilt/mnist/{file}"), "no IDX"));
    place.write("base.toml", BASE);
    let mut first: HashMap<&str, String> = HashMap::new();
    let mut wrong = Vec::new();
    for (at, (name, both, only, shows)) in CASES.iter().enumerate() {
        let without = first.entry(both).or_insert_with(|| {
            let run = format!("without-{at}");
            place.ff(&format!("{TRAIN} {both} --log-dir {run}"));
            run
        });
        let with = format!("with-{at}");
        let line = format!("{TRAIN} {both} --log-dir {with} {only}");
        let Outcome { code, stderr, .. } = place.ff(&line);
        let knob = KNOBS.iter().find(|knob| knob.name == *name).unwrap();
        let run = if *name == "logging.log_dir" { "elsewhere" } else { &with };
        let (has_effect, changes_numbers) = match shows {
            Refusal(words) => (code == Some(2) && stderr.contains(words), knob.changes_numbers),
            Numbers => (code == Some(0) && numbers(&place, without) != numbers(&place, run), true),
            File(contents) => {
                let differs = contents(&place, without) != contents(&place, &with);
                (differs, numbers(&place, without) != numbers(&place, run))
            }
        };
        if !has_effect {
            wrong.push(format!("{name} has no effect: ff {line}: {stderr}"));
        }
        // The name of a recipe changes nothing; what it sets does.
        if changes_numbers != knob.changes_numbers && *name != "recipe" {
            wrong.push(format!("{name}: numbers depend on it: {changes_numbers}, not as the table says"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
