//! A sweep as a Slurm job array: one cell a task.

/// Task numbers of an array end below this: Slurm's MaxArraySize is 1001 unless a cluster says otherwise.
const LONGEST_ARRAY: usize = 1000;

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
    /// The cells to train, in order.
    pub cells: Vec<usize>,
    /// Tasks that may run at once.
    pub parallelism: Option<u32>,
    /// Seconds before its limit at which a task is told to end its epoch.
    pub grace: u16,
    /// Further options of sbatch, such as `--time=60`.
    pub options: Vec<String>,
}

/// One call of sbatch: cells whose numbers fit into one array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// What a task's number lacks to be its cell's.
    pub offset: usize,
    /// The tasks, as `--array` takes them.
    pub tasks: String,
}

impl ArrayJob {
    /// The calls of sbatch that submit all cells with the one script.
    pub fn submissions(&self) -> Vec<Submission> {
        let chunks = self.cells.chunk_by(|a, b| a / LONGEST_ARRAY == b / LONGEST_ARRAY);
        let submission = |cells: &[usize]| {
            let offset = cells.first().map_or(0, |cell| cell / LONGEST_ARRAY * LONGEST_ARRAY);
            let tasks: Vec<usize> = cells.iter().map(|cell| cell - offset).collect();
            let parallelism = self.parallelism.map_or(String::new(), |most| format!("%{most}"));
            Submission { offset, tasks: array(&tasks) + &parallelism }
        };
        chunks.map(submission).collect()
    }

    /// The script for sbatch; as it stands it is for the first submission.
    ///
    /// The shell, not the training, gets the signal: it passes it on, waits for the epoch to be written,
    /// and only then puts the task back into the queue. Slurm itself requeues what a dead node ran.
    pub fn script(&self) -> String {
        let first = self.submissions().into_iter().next();
        let Submission { offset, tasks } = first.unwrap_or(Submission { offset: 0, tasks: String::new() });
        let options: String =
            self.options.iter().map(|option| format!("#SBATCH {}\n", sbatch_word(option))).collect();
        let command: Vec<String> = self.command.iter().map(|word| shell_word(word)).collect();
        format!(
            "#!/bin/bash\n\
             #SBATCH --job-name={name}\n\
             #SBATCH --array={tasks}\n\
             #SBATCH --signal=B:USR1@{grace}\n\
             #SBATCH --requeue\n\
             #SBATCH --open-mode=append\n\
             #SBATCH --output={output}\n\
             {options}\n\
             # One cell a task. {grace} seconds before its limit a task ends its epoch, writes it down, and goes\n\
             # back into the queue; its next turn goes on from there.\n\
             cell=$((SLURM_ARRAY_TASK_ID + ${{1:-{offset}}}))\n\
             cd {folder} || exit 1\n\
             echo \"cell $cell, restart ${{SLURM_RESTART_COUNT:-0}}\"\n\
             {command} --cell \"$cell\" &\n\
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
            name = sbatch_word(&format!("ff-{}", self.name)),
            grace = self.grace,
            // In a name of a file, `%` stands for something else.
            output = sbatch_word(&format!("{}/%A_%a.log", self.logs.replace('%', "%%"))),
            folder = shell_word(&self.folder),
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

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/=:,@%+".contains(c)
}

/// A word that a shell takes as it is.
pub fn shell_word(word: &str) -> String {
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A word of a line that starts with `#SBATCH`. To sbatch, `#` begins a comment and a backslash an escape even
/// between quotes, and only quotes keep spaces.
fn sbatch_word(word: &str) -> String {
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    let escaped = |c: char| match c {
        // An option must not start a line of its own.
        c if c.is_control() => " ".into(),
        '"' | '\\' | '#' => format!("\\{c}"),
        c => c.to_string(),
    };
    format!("\"{}\"", word.chars().map(escaped).collect::<String>())
}
