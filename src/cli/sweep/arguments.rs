//! The arguments of `ff sweep`.

use std::path::PathBuf;

use clap::Args;

use crate::observers::ProgressStyle;

/// Train every cell of an experiment. The same command again skips what is done and goes on with what is
/// not; several processes may work on one sweep directory.
#[derive(Args)]
pub struct Sweep {
    /// The experiment: a TOML file with [sweep], [[cell]] or [search]; or the directory of a sweep, which goes on
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Any knob by its dotted name or unique last part; repeatable. A list '[a, b]' is an axis, a value narrows one
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// The sweep directory [default: runs/NAME]
    #[arg(long, value_name = "DIR")]
    pub(super) log_dir: Option<String>,
    /// auto, cpu, opencl or opencl:P.D [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(super) backend: Option<String>,
    /// Folder of IDX files [default: FF_DATA_DIR, else the platform's cache]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<String>,
    /// Cells trained side by side; they share the cores [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Train this cell only, counted from 0
    #[arg(long, value_name = "K")]
    pub(super) cell: Option<usize>,
    /// Print the cells and what they will take, and write nothing
    #[arg(long, conflicts_with = "status")]
    pub(super) dry_run: bool,
    /// Print how far each cell is, and write nothing
    #[arg(long)]
    pub(super) status: bool,
    /// Go on with cells that failed earlier
    #[arg(long)]
    pub(super) retry_failed: bool,
    /// End at the first failure
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Use the sweep directory even if the experiment or its backend has changed; cells that are the same are kept
    #[arg(long)]
    pub(super) force_spec: bool,
    #[command(flatten)]
    pub(super) slurm: Slurm,
    /// Progress as a bar, as plain lines, or none; auto: what suits the terminal, the notebook or the log
    #[arg(long, value_enum, value_name = "STYLE", default_value = "auto")]
    pub(super) progress: ProgressStyle,
    /// No progress
    #[arg(long)]
    pub(super) quiet: bool,
    /// One JSON object on stdout at the end: how far each cell is, and its results
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of a job array.
#[derive(Args, Clone, Debug, Default)]
pub struct Slurm {
    /// Submit the cells that are not done as a Slurm job array, one cell a task
    #[arg(long)]
    pub slurm: bool,
    /// Write the script of the job array, but do not submit it
    #[arg(long)]
    pub slurm_dry_run: bool,
    /// Tasks that may run at once
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32).range(1..))]
    pub array_parallelism: Option<u32>,
    /// Time limit of a task, as sbatch takes it; a task that needs longer is requeued and goes on
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Slurm partition
    #[arg(long, value_name = "NAME")]
    pub partition: Option<String>,
    /// Generic resources of a task, such as gpu:1
    #[arg(long, value_name = "LIST")]
    pub gres: Option<String>,
    /// Cores of a task, and threads of its backend [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub cpus_per_task: Option<u16>,
    /// Memory of a task, as sbatch takes it
    #[arg(long, value_name = "SIZE")]
    pub mem: Option<String>,
    /// Seconds before its limit at which a task ends its epoch; longer than an epoch takes [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    pub grace: Option<u16>,
    /// Cells that a task trains one after another, where they are short [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub cells_per_task: Option<u16>,
    /// A line of shell that a task runs first, such as 'module load cuda'; repeatable
    #[arg(long, value_name = "LINE")]
    pub setup: Vec<String>,
    /// Any other option of sbatch in one word, such as --account=NAME; repeatable
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,
}

impl Slurm {
    /// Whether a job array is asked for.
    pub fn is_wanted(&self) -> bool {
        self.slurm || self.slurm_dry_run
    }

    /// Cores of a task.
    pub fn cpus(&self) -> usize {
        self.cpus_per_task.map_or(1, usize::from)
    }

    /// The first option that is given and means nothing without a job array.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--array-parallelism", self.array_parallelism.is_some()),
            ("--time", self.time.is_some()),
            ("--partition", self.partition.is_some()),
            ("--gres", self.gres.is_some()),
            ("--cpus-per-task", self.cpus_per_task.is_some()),
            ("--mem", self.mem.is_some()),
            ("--grace", self.grace.is_some()),
            ("--cells-per-task", self.cells_per_task.is_some()),
            ("--setup", !self.setup.is_empty()),
            ("--sbatch", !self.sbatch.is_empty()),
        ];
        given.iter().find(|(_, given)| *given).map(|(flag, _)| *flag)
    }

    pub fn options(&self) -> Vec<String> {
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
