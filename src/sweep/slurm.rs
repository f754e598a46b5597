//! A sweep as a Slurm job array: one cell a task, or a few.

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
    /// Cells that a task trains one after another.
    pub cells_per_task: usize,
    /// Lines of shell before the command, such as `module load cuda`.
    pub setup: Vec<String>,
    /// Seconds before its limit at which a task is told to end its epoch.
    pub grace: u16,
    /// Further options of sbatch, such as `--time=60`.
    pub options: Vec<String>,
}

/// One call of sbatch: cells whose numbers fit into one array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// What a task's number lacks to be its cell's, or its group's.
    pub offset: usize,
    /// The tasks, as `--array` takes them.
    pub tasks: String,
}

impl ArrayJob {
    /// The cells of each task, where a task has several; else a task's number is its cell's.
    pub fn groups(&self) -> Option<Vec<&[usize]>> {
        (self.cells_per_task > 1).then(|| self.cells.chunks(self.cells_per_task).collect())
    }

    /// The calls of sbatch that submit all cells with the one script.
    pub fn submissions(&self) -> Vec<Submission> {
        let numbers: Vec<usize> = match self.groups() {
            Some(groups) => (0..groups.len()).collect(),
            None => self.cells.clone(),
        };
        let chunks = numbers.chunk_by(|a, b| a / LONGEST_ARRAY == b / LONGEST_ARRAY);
        let submission = |numbers: &[usize]| {
            let offset = numbers.first().map_or(0, |number| number / LONGEST_ARRAY * LONGEST_ARRAY);
            let tasks: Vec<usize> = numbers.iter().map(|number| number - offset).collect();
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
        let groups = self.groups();
        let number = format!("$((SLURM_ARRAY_TASK_ID + ${{1:-{offset}}}))");
        let cells = match &groups {
            None => format!("cells={number}"),
            Some(groups) => {
                let words =
                    |cells: &&[usize]| cells.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
                let groups: Vec<String> =
                    groups.iter().map(|cells| format!("\"{}\"", words(cells))).collect();
                format!("tasks=({})\ncells=${{tasks[{number}]}}", groups.join(" "))
            }
        };
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
             # {what} {grace} seconds before its limit a task ends its epoch, writes it down, and goes\n\
             # back into the queue; its next turn goes on from there.\n\
             {cells}\n\
             cd {folder} || exit 1\n\
             {setup}\
             ended=0\n\
             cut_short=\n\
             trap 'cut_short=yes; kill -USR1 \"$training\"' USR1\n\
             for cell in $cells; do\n\
             \x20   echo \"cell $cell, restart ${{SLURM_RESTART_COUNT:-0}}\"\n\
             \x20   {command} --cell \"$cell\" &\n\
             \x20   training=$!\n\
             \x20   wait \"$training\"\n\
             \x20   status=$?\n\
             \x20   # A signal ends `wait` before the training ends.\n\
             \x20   while kill -0 \"$training\" 2>/dev/null; do\n\
             \x20       wait \"$training\"\n\
             \x20       status=$?\n\
             \x20   done\n\
             \x20   [ \"$status\" -eq 0 ] || ended=$status\n\
             \x20   [ -z \"$cut_short\" ] || break\n\
             done\n\
             if [ -n \"$cut_short\" ] && [ {unfinished} ]; then\n\
             \x20   scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}\"\n\
             fi\n\
             exit \"$ended\"\n",
            name = sbatch_word(&format!("ff-{}", self.name)),
            grace = self.grace,
            // In a name of a file, `%` stands for something else.
            output = sbatch_word(&format!("{}/%A_%a.log", self.logs.replace('%', "%%"))),
            // A task of several cells may be cut short between two of them.
            unfinished = match &groups {
                Some(_) => "\"$status\" -ne 0 -o \"$cell\" != \"${cells##* }\"",
                None => "\"$status\" -ne 0",
            },
            what = match self.cells_per_task {
                1 => "One cell a task.".to_owned(),
                most => format!("Up to {most} cells a task, one after another."),
            },
            setup = self.setup.iter().map(|line| format!("{line}\n")).collect::<String>(),
            folder = shell_word(&self.folder),
            command = command.join(" "),
        )
    }
}

/// Whether sbatch takes the text as a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours,
/// days-hours:minutes or days-hours:minutes:seconds.
pub fn is_time(text: &str) -> bool {
    let is_number =
        |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days), rest),
        None => (None, text),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let is_sixtieth = |part: &&str| part.parse::<u32>().is_ok_and(|number| number < 60);
    // Hours, or minutes, come first and may be as many as one likes.
    let rest_fits = parts.iter().skip(1).all(is_sixtieth);
    let is_positive = text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    days.is_none_or(is_number)
        && parts.len() <= 3
        && parts.iter().all(|part| is_number(part))
        && rest_fits
        && is_positive
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
