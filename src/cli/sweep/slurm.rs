//! `ff sweep --slurm`: a job array with one cell a task.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::super::{CliError, report};
use super::{Sweep, waiting};
use crate::config::Experiment;
use crate::run::write_atomically;
use crate::sweep::{ArrayJob, SweepDirectory, read_rows};

/// Options of a job array.
#[derive(Args, Clone, Debug, Default)]
pub struct Slurm {
    /// Submit the cells that are not done as a Slurm job array, one cell a task
    #[arg(long)]
    slurm: bool,
    /// Write the script of the job array, but do not submit it
    #[arg(long)]
    slurm_dry_run: bool,
    /// Tasks that may run at once
    #[arg(long, value_name = "P")]
    array_parallelism: Option<usize>,
    /// Time limit of a task, as sbatch takes it; a task that needs longer is requeued and goes on
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Slurm partition
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Generic resources of a task, such as gpu:1
    #[arg(long, value_name = "LIST")]
    gres: Option<String>,
    /// Cores of a task, and threads of its backend [default: 1]
    #[arg(long, value_name = "N")]
    cpus_per_task: Option<u16>,
    /// Memory of a task, as sbatch takes it
    #[arg(long, value_name = "SIZE")]
    mem: Option<String>,
    /// Seconds before its limit at which a task ends its epoch; longer than an epoch takes [default: 120]
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u32>,
    /// Any other option of sbatch, such as --account=NAME; repeatable
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

impl Slurm {
    /// Refuses options of a job array where none is asked for.
    pub fn check(&self) -> Result<(), CliError> {
        let given = [
            ("--array-parallelism", self.array_parallelism.is_some()),
            ("--time", self.time.is_some()),
            ("--partition", self.partition.is_some()),
            ("--gres", self.gres.is_some()),
            ("--cpus-per-task", self.cpus_per_task.is_some()),
            ("--mem", self.mem.is_some()),
            ("--grace", self.grace.is_some()),
            ("--sbatch", !self.sbatch.is_empty()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) if !self.is_wanted() => {
                Err(CliError::request(format!("{flag}: is for job arrays; use it with --slurm")))
            }
            _ => Ok(()),
        }
    }

    /// Whether a job array is asked for.
    pub fn is_wanted(&self) -> bool {
        self.slurm || self.slurm_dry_run
    }

    /// Cores of a task.
    pub fn cpus(&self) -> usize {
        self.cpus_per_task.map_or(1, usize::from).max(1)
    }

    fn options(&self) -> Vec<String> {
        let cpus = self.cpus().to_string();
        let named = [
            ("cpus-per-task", Some(&cpus)),
            ("time", self.time.as_ref()),
            ("partition", self.partition.as_ref()),
            ("gres", self.gres.as_ref()),
            ("mem", self.mem.as_ref()),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        named.chain(self.sbatch.iter().cloned()).collect()
    }
}

/// Writes the script of a job array for the cells that wait, and submits it.
pub fn submit(sweep: &Sweep, experiment: &Experiment, directory: &SweepDirectory) -> Result<(), CliError> {
    let slurm = &sweep.slurm;
    let cells = waiting(&read_rows(experiment, directory)?);
    if cells.is_empty() {
        return report::print("nothing to submit: no cell waits; `ff sweep FILE --status` shows them\n");
    }
    let count = cells.len();
    let logs = absolute(&directory.path().join("slurm"))?;
    let job = ArrayJob {
        name: experiment.name.clone(),
        folder: text(&absolute(Path::new(""))?)?,
        logs: text(&logs)?,
        command: command(sweep)?,
        cells,
        parallelism: slurm.array_parallelism,
        grace: slurm.grace.unwrap_or(120),
        options: slurm.options(),
    };
    // Slurm does not create the folder of a task's output.
    std::fs::create_dir_all(&logs)
        .map_err(|error| CliError::failed(format!("{}: {error}", logs.display())))?;
    let script = directory.path().join("slurm.sh");
    write_atomically(&script, job.script().as_bytes())
        .map_err(|error| CliError::failed(format!("{}: {error}", script.display())))?;
    let shown = script.display();
    if slurm.slurm_dry_run {
        return report::print(&format!("{count} cells; submit them with: sbatch {shown}\n"));
    }
    let output = Command::new("sbatch").arg("--parsable").arg(&script).output().map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no sbatch here".to_owned(),
            _ => error.to_string(),
        };
        CliError::failed(format!("--slurm: {reason}; the script is written, submit it with: sbatch {shown}"))
    })?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(CliError::failed(format!("--slurm: sbatch {shown}: {reason}")));
    }
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    report::print(&format!(
        "submitted job {id}: {count} cells\nlook with --status instead of --slurm; without either, this command \
         trains what is left here and gathers results and figures\n"
    ))
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
