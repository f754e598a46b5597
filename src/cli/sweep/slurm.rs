//! `ff sweep --slurm`: a job array with one cell a task.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{CliError, report};
use super::arguments::Sweep;
use super::queue::{Queued, queued, remember};
use crate::config::{Cell, Experiment};
use crate::files::write_atomically;
use crate::sweep::{
    ArrayJob, CellStatus, Submission, SweepDirectory, array, cells as counted, is_time, read_rows, shell_word,
};

/// Refuses options of a job array where none is asked for, and options that a job array cannot heed.
pub fn check(sweep: &Sweep) -> Result<(), CliError> {
    let slurm = &sweep.slurm;
    if !slurm.is_wanted() {
        return match slurm.first_given() {
            Some(flag) => Err(CliError::request(format!("{flag}: is for job arrays; use it with --slurm"))),
            None => Ok(()),
        };
    }
    let without_effect = [
        ("--jobs", sweep.jobs.is_some(), "each task trains one cell; --array-parallelism P runs P at once"),
        ("--fail-fast", sweep.fail_fast, "tasks do not know of each other; leave it out"),
        ("--json", sweep.json, "results come later; --status --json prints them"),
        (
            "--dry-run",
            sweep.dry_run,
            "it submits nothing; use one of them, or --slurm-dry-run for the script",
        ),
        ("--status", sweep.status, "it submits nothing; use one of them"),
    ];
    if let Some((flag, _, why)) = without_effect.iter().find(|(_, given, _)| *given) {
        return Err(CliError::request(format!("{flag}: is not for --slurm: {why}")));
    }
    if let Some(time) = slurm.time.as_ref().filter(|time| !is_time(time)) {
        return Err(CliError::request(format!(
            "--time {}: must be a time as sbatch takes it: minutes, hours:minutes:seconds or \
             days-hours:minutes:seconds",
            time.replace(char::is_control, " ")
        )));
    }
    if let Some(line) =
        slurm.setup.iter().find(|line| line.trim().is_empty() || line.contains(char::is_control))
    {
        return Err(CliError::request(format!(
            "--setup {}: must be one line of shell; repeat --setup for more",
            line.replace(char::is_control, " ")
        )));
    }
    let is_option = |text: &str| {
        let name = text.split('=').next().unwrap_or_default();
        name.starts_with('-') && !name.contains(char::is_whitespace) && !text.contains(char::is_control)
    };
    match slurm.sbatch.iter().find(|text| !is_option(text)) {
        Some(text) => Err(CliError::request(format!(
            "--sbatch {}: must be one option of sbatch, such as --account=NAME; repeat --sbatch for more",
            text.replace(char::is_control, " ")
        ))),
        None => Ok(()),
    }
}

/// Refuses a sweep directory that Slurm cannot write output to.
pub fn check_paths(directory: &SweepDirectory) -> Result<(), CliError> {
    let logs = text(&absolute(directory.path())?)?;
    match logs.chars().find(|&c| c == '\\' || c.is_control()) {
        Some(c) => Err(CliError::request(format!(
            "--log-dir: its whole path has the character {c:?}, which Slurm does not take in the name of an output \
             file; choose another directory"
        ))),
        None => Ok(()),
    }
}

/// Writes the script of a job array for those of the cells that wait, and submits it.
pub fn submit(
    sweep: &Sweep,
    experiment: &Experiment,
    directory: &SweepDirectory,
    cells: &[&Cell],
) -> Result<(), CliError> {
    let slurm = &sweep.slurm;
    let waits = |status| match status {
        CellStatus::Pending | CellStatus::Interrupted => true,
        CellStatus::Failed => sweep.retry_failed,
        CellStatus::Running | CellStatus::Done | CellStatus::Pruned => false,
    };
    let rows = read_rows(experiment, directory);
    let asked = |cell: usize| cells.iter().any(|other| other.index == cell);
    let open = rows.iter().filter(|row| waits(row.status) && asked(row.cell)).map(|row| row.cell);
    let logs = absolute(&directory.path().join("slurm"))?;
    // An array that was submitted before comes to its cells yet.
    let Queued { cells: before, jobs } = queued(&logs);
    let (left_out, cells): (Vec<usize>, Vec<usize>) = open.partition(|cell| before.contains(cell));
    if !left_out.is_empty() {
        let jobs = jobs.join(", ");
        report::say(&format!(
            "cells {} wait in the queue already (job {jobs}) and are not submitted again; `scancel {}` takes \
             them out",
            array(&left_out),
            jobs.replace(',', "")
        ));
    }
    if cells.is_empty() {
        return report::print(
            "nothing to submit: no other cell waits; `ff sweep FILE --status` shows them\n",
        );
    }
    let count = counted(cells.len());
    let job = ArrayJob {
        name: experiment.name.clone(),
        folder: text(&absolute(Path::new(""))?)?,
        logs: text(&logs)?,
        command: command(sweep)?,
        cells,
        parallelism: slurm.array_parallelism,
        grace: slurm.grace.unwrap_or(120),
        cells_per_task: slurm.cells_per_task.map_or(1, usize::from),
        setup: slurm.setup.clone(),
        options: slurm.options(),
    };
    // Slurm does not create the folder of a task's output.
    std::fs::create_dir_all(&logs)
        .map_err(|error| CliError::failed(format!("{}: {error}", logs.display())))?;
    let script = directory.path().join("slurm.sh");
    write_atomically(&script, job.script().as_bytes()).map_err(CliError::failed)?;
    let script = text(&script)?;
    let submissions = job.submissions();
    let calls: Vec<Vec<String>> =
        submissions.iter().enumerate().map(|(at, submission)| call(&script, submission, at == 0)).collect();
    if slurm.slurm_dry_run {
        return report::print(&format!("{count}; submit them with: {}\n", shown(&calls)));
    }
    let mut ids = Vec::new();
    for (at, (words, submission)) in calls.iter().zip(&submissions).enumerate() {
        let id = sbatch(words, calls.get(at..).unwrap_or_default())?;
        remember(&logs, &id, submission.offset, job.groups().as_deref())?;
        ids.push(id);
    }
    report::print(&format!(
        "submitted job {}: {count}\nlook with --status instead of --slurm; without either, this command \
         trains what is left here and gathers results and figures\n",
        ids.join(", ")
    ))
}

/// The words after `sbatch` of a submission. The script itself says what the first one is.
fn call(script: &str, submission: &Submission, is_first: bool) -> Vec<String> {
    // A name that starts with a dash is no option.
    let script = if script.starts_with('-') { format!("./{script}") } else { script.to_owned() };
    match is_first {
        true => vec![script],
        false => vec![format!("--array={}", submission.tasks), script, submission.offset.to_string()],
    }
}

/// Calls of sbatch as one types them.
fn shown(calls: &[Vec<String>]) -> String {
    let shown = |words: &Vec<String>| {
        let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        format!("sbatch {}", words.join(" "))
    };
    calls.iter().map(shown).collect::<Vec<_>>().join(" && ")
}

/// Submits, and tells the job's number. If that fails, this and the other calls are left to people.
fn sbatch(words: &[String], left: &[Vec<String>]) -> Result<String, CliError> {
    let output = Command::new("sbatch").arg("--parsable").args(words).output().map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no sbatch here".to_owned(),
            _ => error.to_string(),
        };
        let left = shown(left);
        CliError::failed(format!("--slurm: {reason}; the script is written, submit it with: {left}"))
    })?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(CliError::failed(format!("--slurm: {}: {reason}", shown(left))));
    }
    // Followed by the cluster's name where there are several.
    let answer = String::from_utf8_lossy(&output.stdout);
    Ok(answer.trim().split(';').next().unwrap_or_default().to_owned())
}

/// `ff sweep` as it was called, but for the options of the job array.
fn command(sweep: &Sweep) -> Result<Vec<String>, CliError> {
    let program = std::env::current_exe().map_err(|error| CliError::failed(format!("ff: {error}")))?;
    let mut words = vec![text(&program)?, "sweep".into(), text(&sweep.file)?];
    for set in &sweep.set {
        words.extend(["--set".into(), set.clone()]);
    }
    let flags =
        [("--log-dir", &sweep.log_dir), ("--backend", &sweep.backend), ("--data-dir", &sweep.data_dir)];
    for (flag, value) in flags {
        words.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    words.extend(sweep.force_spec.then(|| "--force-spec".into()));
    words.extend(sweep.retry_failed.then(|| "--retry-failed".into()));
    words.push("--quiet".into());
    Ok(words)
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    let here =
        std::env::current_dir().map_err(|error| CliError::failed(format!("current folder: {error}")))?;
    Ok(here.join(path).components().collect())
}

fn text(path: &Path) -> Result<String, CliError> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| CliError::request(format!("{}: is not UTF-8, which a script must be", path.display())))
}
