//! What no run can have: one table of limits and contradictions, one of knobs that would do nothing.

use super::error::Invalid;
use super::nearest::did_you_mean;
use super::schema::*;

/// More units than any layer has memory for.
const MOST_UNITS: usize = 1_000_000;
/// More of anything else that is counted than any run has time for.
const MOST: usize = 1_000_000_000;

impl Config {
    /// Whether a run can have these values. What depends on the data is left to
    /// [`Config::check_against`].
    pub fn validate(&self) -> Result<(), Invalid> {
        check(self, |_| false)
    }
}

/// As [`Config::validate`]; moreover, no knob that `is_wished` may be without effect.
pub(crate) fn check(config: &Config, is_wished: impl Fn(&str) -> bool) -> Result<(), Invalid> {
    for rule in RULES {
        if let Some(reason) = (rule.broken)(config) {
            return Err(rule.invalid(reason));
        }
    }
    for rule in IDLE {
        if let (true, Some(reason)) = (is_wished(rule.knob), (rule.broken)(config)) {
            return Err(rule.invalid(reason));
        }
    }
    Ok(())
}

/// One thing that may be wrong with a knob, alone or together with another.
pub(super) struct Rule {
    pub(super) knob: &'static str,
    pub(super) with: Option<&'static str>,
    /// The reason, if the rule is broken: the end of a sentence that starts with the knob.
    broken: fn(&Config) -> Option<String>,
}

impl Rule {
    fn invalid(&self, reason: String) -> Invalid {
        Invalid { knob: self.knob, with: self.with, reason }
    }
}

const fn alone(knob: &'static str, broken: fn(&Config) -> Option<String>) -> Rule {
    let with = None;
    Rule { knob, with, broken }
}

const fn pair(knob: &'static str, with: &'static str, broken: fn(&Config) -> Option<String>) -> Rule {
    let with = Some(with);
    Rule { knob, with, broken }
}

/// What is wrong whoever set it.
pub(super) const RULES: &[Rule] = &[
    alone("data.dataset", |c| unknown_dataset(&c.data.dataset)),
    alone("data.validation_size", |c| at_most(c.data.validation_size, MOST)),
    alone("data.jitter", |c| at_most(c.data.jitter, 16)),
    alone("network.layer_sizes", |c| unusable_sizes(&c.network.layer_sizes)),
    alone("network.initial_scale", |c| positive(c.network.initial_scale)),
    alone("network.label_strength", |c| positive(c.network.label_strength)),
    alone("goodness.threshold", |c| match c.goodness.threshold {
        Threshold::Value(value) => finite(value),
        Threshold::Width => None,
    }),
    alone("goodness.temperature", |c| positive(c.goodness.temperature)),
    alone("goodness.top_k", |c| count(c.goodness.top_k)),
    pair("goodness.top_k", "network.layer_sizes", |c| {
        let narrowest = c.network.layer_sizes.iter().copied().min().unwrap_or(0);
        let k = c.goodness.top_k;
        let too_many = c.goodness.function == GoodnessFunction::TopK && k > narrowest;
        too_many.then(|| format!("is {k}, but `network.layer_sizes` has a layer of only {narrowest} units"))
    }),
    alone("training.num_epochs", |c| count(c.training.num_epochs)),
    alone("training.batch_size", |c| count(c.training.batch_size)),
    alone("training.learning_rate", |c| positive(c.training.learning_rate)),
    alone("training.momentum", |c| fraction(c.training.momentum)),
    alone("training.weight_decay", |c| not_negative(c.training.weight_decay)),
    alone("training.idle_steps", |c| at_most(c.training.idle_steps, 1000)),
    pair("training.idle_steps", "training.optimizer", |c| {
        let repeats = c.training.idle_steps > 0 && !is_adam(c);
        repeats.then(|| "repeats Adam's step; it needs `training.optimizer = \"adam\"`".into())
    }),
    alone("training.gradient_scale", |c| positive(c.training.gradient_scale)),
    alone("training.alpha", |c| positive(c.training.alpha)),
    pair("training.negatives", "head.enabled", |c| {
        let missing = c.training.negatives == NegativeKind::Hard && !c.head.enabled;
        missing.then(|| {
            "is \"hard\", which needs `head.enabled = true`: \
             wrong labels are drawn from the head's softmax"
                .into()
        })
    }),
    pair("training.negatives", "head.enabled", |c| {
        let missing = is_unsupervised(c) && !c.head.enabled;
        missing.then(|| {
            "is \"hybrid\", which needs `head.enabled = true` and `evaluation.predict = \"head\"`: \
             without labels in the network, the head is the linear probe that reads it"
                .into()
        })
    }),
    pair("training.negatives", "evaluation.predict", |c| {
        let blind = is_unsupervised(c) && c.evaluation.predict == PredictKind::Energy;
        blind.then(|| {
            "is \"hybrid\", which needs `evaluation.predict = \"head\"`: \
             no label enters the network, so its energy cannot tell labels apart"
                .into()
        })
    }),
    pair("training.negatives", "network.label", |c| {
        let placed = is_unsupervised(c) && c.network.label != LabelPlacement::Auto;
        placed.then(|| {
            "is \"hybrid\", which needs `network.label = \"auto\"`: \
             no label enters the network"
                .into()
        })
    }),
    alone("training.peer_normalization", |c| not_negative(c.training.peer_normalization)),
    alone("training.dropout", |c| fraction(c.training.dropout)),
    alone("training.seed", |c| {
        let too_large = i64::try_from(c.training.seed).is_err();
        too_large.then(|| format!("must be at most {}, found {}", i64::MAX, c.training.seed))
    }),
    alone("head.learning_rate", |c| positive(c.head.learning_rate)),
    alone("head.momentum", |c| fraction(c.head.momentum)),
    alone("head.weight_decay", |c| not_negative(c.head.weight_decay)),
    alone("evaluation.batch_size", |c| count(c.evaluation.batch_size)),
    pair("evaluation.predict", "head.enabled", |c| {
        let missing = c.evaluation.predict == PredictKind::Head && !c.head.enabled;
        missing.then(|| "is \"head\", which needs `head.enabled = true`".into())
    }),
    alone("backend.name", |c| unknown_backend(&c.backend.name)),
    pair("backend.precision", "backend.name", |c| {
        let missing = c.backend.precision == Precision::Tf32 && c.backend.name == "cpu";
        missing.then(|| "is \"tf32\", which `backend.name = \"cpu\"` does not have".into())
    }),
    alone("backend.threads", |c| at_most(c.backend.threads, 4096)),
    alone("logging.log_dir", |c| {
        let missing = c.logging.log_dir.is_empty();
        missing.then(|| "must name a folder, found nothing".into())
    }),
    alone("logging.scalars_every", |c| at_most(c.logging.scalars_every, MOST)),
    alone("logging.histograms_every", |c| at_most(c.logging.histograms_every, MOST)),
    alone("logging.images_every", |c| at_most(c.logging.images_every, MOST)),
    alone("logging.figures_every", |c| at_most(c.logging.figures_every, MOST)),
];

/// What is wrong only if someone wished for it: the run would not heed the wish.
pub(super) const IDLE: &[Rule] = &[
    pair("network.label_strength", "training.negatives", |c| {
        idle(is_unsupervised(c), "`training.negatives = \"hybrid\"`: no label enters the network")
    }),
    pair("goodness.threshold", "training.loss", |c| idle(is_symba(c), SYMBA)),
    pair("goodness.temperature", "training.loss", |c| idle(is_symba(c), SYMBA)),
    pair("training.alpha", "training.loss", |c| idle(!is_symba(c), "`training.loss = \"bce\"`")),
    pair("goodness.top_k", "goodness.function", |c| {
        idle(c.goodness.function != GoodnessFunction::TopK, "a `goodness.function` other than \"topk\"")
    }),
    pair("training.momentum", "training.optimizer", |c| idle(is_adam(c), ADAM)),
    pair("training.weight_decay", "training.optimizer", |c| idle(is_adam(c), ADAM)),
    pair("head.learning_rate", "head.enabled", |c| idle(!c.head.enabled, NO_HEAD)),
    pair("head.momentum", "head.enabled", |c| idle(!c.head.enabled, NO_HEAD)),
    pair("head.weight_decay", "head.enabled", |c| idle(!c.head.enabled, NO_HEAD)),
];

const SYMBA: &str = "`training.loss = \"symba\"`, which compares the two rows of a pair";
const ADAM: &str = "`training.optimizer = \"adam\"`";
const NO_HEAD: &str = "`head.enabled = false`";

fn idle(is_idle: bool, under: &str) -> Option<String> {
    is_idle.then(|| format!("has no effect under {under}"))
}

fn is_adam(config: &Config) -> bool {
    config.training.optimizer == OptimizerKind::Adam
}

fn is_symba(config: &Config) -> bool {
    config.training.loss == LossKind::Symba
}

fn is_unsupervised(config: &Config) -> bool {
    config.training.negatives == NegativeKind::Hybrid
}

fn count(n: usize) -> Option<String> {
    let none = n == 0;
    none.then(|| "must be at least 1, found 0".into()).or(at_most(n, MOST))
}

fn at_most(n: usize, most: usize) -> Option<String> {
    (n > most).then(|| format!("must be at most {most}, found {n}"))
}

fn finite(x: f64) -> Option<String> {
    (!x.is_finite()).then(|| format!("must be a finite number, found {x}")).or_else(|| unlike_single(x))
}

fn positive(x: f64) -> Option<String> {
    let fits = x.is_finite() && x > 0.0;
    (!fits).then(|| format!("must be a finite number above 0, found {x}")).or_else(|| unlike_single(x))
}

fn not_negative(x: f64) -> Option<String> {
    let fits = x.is_finite() && x >= 0.0;
    (!fits).then(|| format!("must be a finite number of at least 0, found {x}")).or_else(|| unlike_single(x))
}

fn fraction(x: f64) -> Option<String> {
    if !(0.0..1.0).contains(&x) {
        return Some(format!("must be at least 0 and below 1, found {x}"));
    }
    let rounds_up = x as f32 >= 1.0;
    rounds_up.then(|| format!("must be below 1 as a 32-bit float, found {x}")).or_else(|| unlike_single(x))
}

/// All arithmetic is in single precision: there, a number beyond its range would be infinite or 0.
fn unlike_single(x: f64) -> Option<String> {
    let single = x as f32;
    let lost = single.is_infinite() || (single == 0.0 && x != 0.0);
    lost.then(|| {
        format!("must be a number that 32-bit floats can hold, of size 1e-45 to 3.4e38, found {x:e}")
    })
}

fn unusable_sizes(sizes: &[usize]) -> Option<String> {
    if sizes.is_empty() {
        return Some("must name at least one layer".into());
    }
    if sizes.len() > 1000 {
        return Some(format!("must name at most 1000 layers, found {}", sizes.len()));
    }
    sizes
        .iter()
        .find(|&&units| units == 0 || units > MOST_UNITS)
        .map(|units| format!("must have 1 to {MOST_UNITS} units in each layer, found {units}"))
}

fn unknown_dataset(name: &str) -> Option<String> {
    const KNOWN: [&str; 3] = ["mnist", "fashion-mnist", "digits"];
    let in_folder = name.strip_prefix("idx:").is_some_and(|folder| !folder.is_empty());
    let known = in_folder || KNOWN.contains(&name);
    (!known).then(|| {
        let hint = did_you_mean(name, KNOWN);
        format!("must be \"mnist\", \"fashion-mnist\", \"digits\" or \"idx:DIR\", found {name:?}{hint}")
    })
}

fn unknown_backend(name: &str) -> Option<String> {
    const KNOWN: [&str; 3] = ["auto", "cpu", "opencl"];
    let device = name.strip_prefix("opencl:").and_then(|device| device.split_once('.'));
    let is_number = |part: &str| part.parse::<usize>().is_ok();
    let is_device = device.is_some_and(|(p, d)| is_number(p) && is_number(d));
    let known = is_device || KNOWN.contains(&name);
    (!known).then(|| {
        let hint = did_you_mean(name, KNOWN);
        format!("must be \"auto\", \"cpu\", \"opencl\" or \"opencl:P.D\", found {name:?}{hint}")
    })
}
