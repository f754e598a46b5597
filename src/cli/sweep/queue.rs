//! Which cells of a sweep are in Slurm's queue already.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::super::CliError;

/// Job arrays that were submitted: a line for each, its number and what its tasks' numbers lack to be cells.
const JOBS: &str = "jobs";

/// What of a sweep is in the queue, as far as Slurm tells.
#[derive(Debug, Default)]
pub struct Queued {
    /// Cells that wait or run.
    pub cells: Vec<usize>,
    /// Their jobs.
    pub jobs: Vec<String>,
}

/// Notes a submitted job in the folder of the tasks' output.
pub fn remember(logs: &Path, job: &str, offset: usize) -> Result<(), CliError> {
    let path = logs.join(JOBS);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{job} {offset}"))
        .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))
}

/// What is left of the submitted jobs. Where Slurm does not answer, nothing is known to be.
pub fn queued(logs: &Path) -> Queued {
    let Ok(text) = std::fs::read_to_string(logs.join(JOBS)) else { return Queued::default() };
    let submitted: Vec<(&str, usize)> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(job, offset)| Some((job, offset.parse().ok()?)))
        .collect();
    let ids: Vec<&str> = submitted.iter().map(|(job, _)| *job).collect();
    let ids = format!("--jobs={}", ids.join(","));
    // One line a task: the array's number, the task's.
    let listed = Command::new("squeue").args(["--noheader", "--array", &ids, "--format=%F %K"]).output();
    let mut queued = Queued::default();
    for line in String::from_utf8_lossy(&listed.map(|output| output.stdout).unwrap_or_default()).lines() {
        let Some((job, task)) = line.trim().split_once(' ') else { continue };
        let offset = submitted.iter().find(|(other, _)| *other == job).map(|(_, offset)| offset);
        if let (Some(offset), Ok(task)) = (offset, task.trim().parse::<usize>()) {
            queued.cells.push(offset + task);
            if !queued.jobs.iter().any(|other| other == job) {
                queued.jobs.push(job.to_owned());
            }
        }
    }
    queued
}
