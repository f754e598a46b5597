//! Names of a run's files, below its directory.

pub const CONFIG: &str = "config.toml";
pub const METRICS: &str = "metrics.jsonl";
pub const SUMMARY: &str = "summary.json";
pub const EVALUATION: &str = "evaluation.json";
pub const CHECKPOINTS: &str = "checkpoints";
pub const LAST: &str = "checkpoints/last.safetensors";
pub const PREVIOUS: &str = "checkpoints/previous.safetensors";
pub const BEST: &str = "checkpoints/best.safetensors";
pub const FIGURES: &str = "figures";
pub const LOCK: &str = ".lock";
/// What event files' names begin with.
pub const EVENTS: &str = "events.out.tfevents.";
