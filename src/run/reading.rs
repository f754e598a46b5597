//! What a run has told so far, read from its directory whoever writes there.

use std::path::Path;

use super::names::{METRICS, SUMMARY};
use super::{EpochRecord, RunError, Summary};
use crate::files::{read_if_there, read_lines};

/// The epochs in metrics.jsonl; a torn last line is left out.
pub fn read_metrics(run: &Path) -> Result<Vec<EpochRecord>, RunError> {
    let path = run.join(METRICS);
    let lines = read_lines(&path)?;
    match lines.broken.into_iter().next() {
        None => Ok(lines.values),
        Some((line, error)) => Err(RunError::Broken { path, reason: format!("line {line}: {error}") }),
    }
}

/// The summary of the run in a directory, if it has one.
pub fn read_summary(run: &Path) -> Result<Option<Summary>, RunError> {
    let path = run.join(SUMMARY);
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    let summary = serde_json::from_slice(&bytes);
    summary.map(Some).map_err(|error| RunError::Broken { path, reason: error.to_string() })
}
