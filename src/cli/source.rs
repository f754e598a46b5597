//! What every command that trains or measures is given: knobs, data, backend.

use clap::Args;
use toml::Value;

use super::CliError;
use crate::config::{Config, ConfigBuilder, Origin, Resolved, number};
use crate::data::{DataShape, Dataset, Source};
use crate::spec;
use crate::sweep::shell_word;

/// Options for choosing knobs, data and backend.
#[derive(Args, Clone, Debug, Default)]
pub struct Knobs {
    /// Preset: original, baseline, hinton, contrast, best, best-fashion, unsupervised, backprop, pred, sim, predsim, or
    /// a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<String>,
    /// An experiment file, or the config.toml of an earlier run
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// Any knob by its dotted name or unique last part; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// auto, cpu, opencl or opencl:P.D [default: auto]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Arithmetic of products on a GPU: fp32 or tf32 [default: fp32]
    #[arg(long, value_name = "fp32|tf32")]
    pub precision: Option<String>,
    /// Threads of the CPU backend; 0: one per core
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<String>,
}

impl Knobs {
    /// The values of these options over a builder.
    pub fn apply(&self, mut builder: ConfigBuilder) -> ConfigBuilder {
        if let Some(recipe) = &self.recipe {
            builder = builder.recipe(recipe, Origin::Flag("--recipe".into()));
        }
        if let Some(file) = &self.config {
            builder = builder.file(file);
        }
        for set in &self.set {
            builder = builder.set(set);
        }
        builder = flag(builder, "--backend", "backend.name", &self.backend);
        builder = flag(builder, "--precision", "backend.precision", &self.precision);
        flag(builder, "--threads", "backend.threads", &self.threads)
    }
}

/// Gives a knob the value of a flag, if the flag was given.
pub fn flag(builder: ConfigBuilder, name: &str, knob: &str, text: &Option<String>) -> ConfigBuilder {
    match text {
        Some(text) => builder.flag(name, knob, value(text)),
        None => builder,
    }
}

/// A flag's text as a TOML value; what is none is a string.
pub fn value(text: &str) -> Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    // `1\nx = 2` is no single value.
    let single = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    match single {
        Some(value @ (Value::Integer(_) | Value::Float(_))) => value,
        _ => number(text).unwrap_or_else(|| Value::String(text.into())),
    }
}

/// Resolves what only the data decide and checks the config against them; an error names who set the knob.
pub fn resolve_on(resolved: &mut Resolved, dataset: &Dataset) -> Result<(), CliError> {
    spec::resolve(&mut resolved.config, &DataShape::of(dataset))
        .and_then(|()| spec::check_held_out(&resolved.config, &dataset.train))
        .map_err(|invalid| resolved.origins.blame(&invalid).into())
}

/// Loads the data set a config names.
pub fn load(config: &Config, progress: bool) -> Result<Dataset, CliError> {
    let source: Source = config.data.dataset.parse()?;
    Ok(Dataset::load(&source, &config.data.data_dir, progress)?)
}

/// The command line of this process, as one types it.
pub fn command_line() -> String {
    let words = std::env::args_os().map(|word| shell_word(&word.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}
