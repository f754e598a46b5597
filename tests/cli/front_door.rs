//! What a newcomer asks first: which program is this, what does its manual say, what does the shell complete.

use std::process::Command;

use crate::place::Place;

#[test]
fn the_version_tells_what_the_program_is_made_of() {
    let place = Place::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(place.done("-V").stdout, format!("ff {version}\n"));
    let told = place.done("--version").stdout;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], format!("ff {version}"));
    let names: Vec<&str> = lines[1..].iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["commit", "features", "target"], "{told}");
    assert_eq!(lines[2].contains("opencl"), cfg!(feature = "opencl"), "{told}");
    assert!(lines[3].contains(std::env::consts::ARCH), "{told}");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let place = Place::new();
    place.done("man pages/man1");
    let page = place.read("pages/man1/ff.1");
    assert!(page.contains(".TH ff 1"), "{page}");
    let help = place.done("--help").stdout;
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands: Vec<&str> = commands.map_while(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"train"), "{help}");
    for command in commands.into_iter().filter(|&command| command != "help") {
        assert!(place.at(&format!("pages/man1/ff-{command}.1")).exists(), "no page for {command}");
    }
    assert!(place.read("pages/man1/ff-train.1").contains("recipe"));
    assert!(place.at("pages/man1/ff-data-info.1").exists());

    place.write("file", "");
    let failed = place.ff("man file/man1");
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("file/man1"), "{}", failed.stderr);
}

/// What a real bash makes of a line that ends where the tab is pressed: bash's own words of it, cut at `=` and `:`.
fn completed(place: &Place, line: &str) -> Vec<String> {
    place.write("completions.bash", place.done("completions bash").stdout);
    let script = "source completions.bash; COMP_LINE=$1; COMP_POINT=${#1}; \
                  compopt() { :; }; $(complete -p ff | sed 's/.*-F \\([a-z_]*\\).*/\\1/') ff; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    let output = bash.args(["-c", script, "bash", line]).current_dir(place.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What a real fish offers for a line; none where there is no fish.
fn offered_by_fish(place: &Place, line: &str) -> Option<Vec<String>> {
    place.write("ff.fish", place.done("completions fish").stdout);
    let script = "source ff.fish; complete -C $argv[1]";
    let mut fish = Command::new("fish");
    let output = fish.args(["--no-config", "-c", script, line]).current_dir(place.path()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect())
}

#[test]
fn a_shell_completes_commands_options_and_values() {
    let place = Place::new();
    std::fs::create_dir(place.at("runs")).unwrap();
    for (line, word) in [
        ("ff ver", "verify"),
        ("ff train --recip", "--recipe"),
        ("ff train --recipe hin", "hinton"),
        ("ff train --recipe=hin", "hinton"),
        ("ff train --dataset fash", "fashion-mnist"),
        ("ff sweep --backend openb", "openblas"),
        ("ff knobs goodness.thr", "goodness.threshold"),
        ("ff train --set data.jit", "data.jitter="),
        // Of this bash replaces what stands behind the `=`.
        ("ff train --set training.loss=sy", "symba"),
        ("ff train --log-dir ru", "runs/"),
    ] {
        assert_eq!(completed(&place, line), [word], "{line}");
        let Some(offered) = offered_by_fish(&place, line) else { continue };
        let whole = if line.contains("loss=") { "training.loss=symba" } else { word };
        let whole = if line.contains("recipe=") { "--recipe=hinton" } else { whole };
        assert!(offered.iter().any(|word| word == whole), "fish, {line}: {offered:?}");
    }
}
