//! `ff completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use super::{CliError, report};

/// Print a completion script for a shell.
#[derive(Args)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

impl Completions {
    /// Prints the script for a command line.
    pub fn run(self, command: &mut Command) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "ff", &mut script);
        let mut script = String::from_utf8_lossy(&script).into_owned();
        match self.shell {
            // Of two such lines the later one counts.
            Shell::Bash => script += BASH,
            Shell::Fish => script += &of_positions(command),
            Shell::Zsh => script = colons_kept(&script, command),
            _ => {}
        }
        report::print(&script)
    }
}

/// Bash cuts words at `=` and `:`, where `--recipe=hinton` and `--set training.loss=symba` go on, and puts a space behind
/// `--set threshold=` and a folder, where more is still to come.
const BASH: &str = r#"
_ff_whole_words() {
    local line="${COMP_LINE:0:COMP_POINT}" cur prev before
    local -a words
    read -ra words <<<"$line"
    [[ "$line" != *[[:space:]] ]] || words+=("")
    cur="${words[-1]}"
    if [[ "$cur" == --*=* ]]; then
        words[-1]="${cur%%=*}"
        cur="${cur#*=}"
        words+=("$cur")
    fi
    prev="${words[-2]}"
    COMP_WORDS=("${words[@]}")
    COMP_CWORD=$((${#words[@]} - 1))
    _ff "$1" "$cur" "$prev"
    # What stands before the last cut is not bash's to replace.
    before="${cur%"${cur##*[=:]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && -d "${COMPREPLY[0]}" ]]; then
        COMPREPLY=("${COMPREPLY[0]%/}/")
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[=/] ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _ff_whole_words -o nosort -o bashdefault -o default ff
fi
"#;

/// A script for zsh whose values may hold colons: clap_complete lets zsh take `idx:DIR` for `idx` and its meaning.
fn colons_kept(script: &str, command: &Command) -> String {
    let arguments = command.get_subcommands().flat_map(Command::get_arguments);
    let values = arguments.flat_map(|argument| argument.get_possible_values());
    values.fold(script.to_owned(), |script, value| {
        let name = |colon| format!("{}\\:", value.get_name().replace(':', colon));
        match value.get_name().contains(':') {
            true => script.replace(&name("\\:"), &name("\\\\\\:")),
            false => script,
        }
    })
}

/// Lines for fish with the values of positions, which clap_complete leaves out.
fn of_positions(command: &Command) -> String {
    let mut lines = String::new();
    for inner in command.get_subcommands() {
        for position in inner.get_positionals() {
            for value in position.get_possible_values() {
                let told = value.get_help().map(ToString::to_string).unwrap_or_default();
                let [name, told] = [value.get_name(), &told].map(|text| text.replace('\'', "\\'"));
                let on = format!("__fish_ff_using_subcommand {}", inner.get_name());
                lines += &format!("complete -c ff -n \"{on}\" -f -a '{name}' -d '{told}'\n");
            }
        }
    }
    lines
}
