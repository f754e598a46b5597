//! Which cells of a sweep are in Slurm's queue already.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::super::CliError;

/// Job arrays that were submitted: a line for each, its number, what its tasks' numbers lack to be cells, and, where
/// a task has several cells, those of every task: `42 0 0,1,2;3,4`.
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
pub fn remember(logs: &Path, job: &str, offset: usize, groups: Option<&[&[usize]]>) -> Result<(), CliError> {
    let path = logs.join(JOBS);
    let listed = |cells: &&[usize]| cells.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let groups = groups.map(|groups| groups.iter().map(listed).collect::<Vec<_>>().join(";"));
    let groups = groups.map_or(String::new(), |groups| format!(" {groups}"));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{job} {offset}{groups}"))
        .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))
}

/// A line of [`JOBS`].
struct Submitted<'a> {
    job: &'a str,
    offset: usize,
    groups: Option<Vec<Vec<usize>>>,
}

impl<'a> Submitted<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split(' ');
        let (job, offset) = (words.next()?, words.next()?.parse().ok()?);
        let cells = |group: &str| group.split(',').filter_map(|cell| cell.parse().ok()).collect();
        let groups = words.next().map(|groups| groups.split(';').map(cells).collect());
        Some(Submitted { job, offset, groups })
    }

    /// The cells of a task.
    fn cells(&self, task: usize) -> Vec<usize> {
        match &self.groups {
            None => vec![self.offset + task],
            Some(groups) => groups.get(self.offset + task).cloned().unwrap_or_default(),
        }
    }
}

/// What is left of the submitted jobs. Where Slurm does not answer, nothing is known to be.
pub fn queued(logs: &Path) -> Queued {
    let Ok(text) = std::fs::read_to_string(logs.join(JOBS)) else { return Queued::default() };
    let submitted: Vec<Submitted> = text.lines().filter_map(Submitted::read).collect();
    let ids: Vec<&str> = submitted.iter().map(|submitted| submitted.job).collect();
    let ids = format!("--jobs={}", ids.join(","));
    // One line a task: the array's number, the task's.
    let listed = Command::new("squeue").args(["--noheader", "--array", &ids, "--format=%F %K"]).output();
    let mut queued = Queued::default();
    for line in String::from_utf8_lossy(&listed.map(|output| output.stdout).unwrap_or_default()).lines() {
        let Some((job, task)) = line.trim().split_once(' ') else { continue };
        let of_job = submitted.iter().find(|submitted| submitted.job == job);
        if let (Some(submitted), Ok(task)) = (of_job, task.trim().parse::<usize>()) {
            queued.cells.extend(submitted.cells(task));
            if !queued.jobs.iter().any(|other| other == job) {
                queued.jobs.push(job.to_owned());
            }
        }
    }
    queued
}
