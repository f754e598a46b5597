//! A sweep as a Slurm job array: one cell a task.

/// A job array to submit.
#[derive(Clone, Debug)]
pub struct ArrayJob {
    /// The sweep's name.
    pub name: String,
    /// Where tasks run, as an absolute path.
    pub folder: String,
    /// Where their output goes, as an absolute path.
    pub logs: String,
    /// The command of a task, but for the number of its cell.
    pub command: Vec<String>,
    /// The cells to train.
    pub cells: Vec<usize>,
    /// Tasks that may run at once.
    pub parallelism: Option<usize>,
    /// Seconds before its limit at which a task is told to end its epoch.
    pub grace: u32,
    /// Further options of sbatch, such as `--time=60`.
    pub options: Vec<String>,
}

impl ArrayJob {
    /// The script for sbatch.
    ///
    /// The shell, not the training, gets the signal: it passes it on, waits for the epoch to be written,
    /// and only then puts the task back into the queue. Slurm itself requeues what a dead node ran.
    pub fn script(&self) -> String {
        let parallelism = self.parallelism.map_or(String::new(), |most| format!("%{most}"));
        let options: String =
            self.options.iter().map(|option| format!("#SBATCH {}\n", one_line(option))).collect();
        let command: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        format!(
            "#!/bin/bash\n\
             #SBATCH --job-name={name}\n\
             #SBATCH --array={array}{parallelism}\n\
             #SBATCH --signal=B:USR1@{grace}\n\
             #SBATCH --requeue\n\
             #SBATCH --open-mode=append\n\
             #SBATCH --output={logs}/%A_%a.log\n\
             {options}\n\
             # One cell a task. {grace} seconds before its limit a task ends its epoch, writes it down, and goes\n\
             # back into the queue; its next turn goes on from there.\n\
             cd {folder} || exit 1\n\
             echo \"cell $SLURM_ARRAY_TASK_ID, restart ${{SLURM_RESTART_COUNT:-0}}\"\n\
             {command} --cell \"$SLURM_ARRAY_TASK_ID\" &\n\
             training=$!\n\
             cut_short=\n\
             trap 'cut_short=yes; kill -USR1 \"$training\"' USR1\n\
             wait \"$training\"\n\
             status=$?\n\
             # A signal ends `wait` before the training ends.\n\
             while kill -0 \"$training\" 2>/dev/null; do\n\
             \x20   wait \"$training\"\n\
             \x20   status=$?\n\
             done\n\
             if [ -n \"$cut_short\" ] && [ \"$status\" -ne 0 ]; then\n\
             \x20   scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}\"\n\
             fi\n\
             exit \"$status\"\n",
            name = quoted(&format!("ff-{}", self.name)),
            array = array(&self.cells),
            grace = self.grace,
            logs = quoted(&self.logs),
            folder = quoted(&self.folder),
            command = command.join(" "),
        )
    }
}

/// Numbers as Slurm writes them: `0-3,7`.
pub fn array(cells: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &cell in cells {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cell => *last = cell,
            _ => ranges.push((cell, cell)),
        }
    }
    let written = |&(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(written).collect::<Vec<_>>().join(",")
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=:,@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// An option must not start a line of its own.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
