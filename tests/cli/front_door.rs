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

/// What a real bash makes of the last word of a line.
fn completed(place: &Place, words: &[&str]) -> Vec<String> {
    place.write("completions.bash", place.done("completions bash").stdout);
    let script = "source completions.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                  _ff ff \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .args(words)
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_commands_options_and_values() {
    let place = Place::new();
    assert_eq!(completed(&place, &["ff", "ver"]), ["verify"]);
    assert_eq!(completed(&place, &["ff", "train", "--recip"]), ["--recipe"]);
    assert_eq!(completed(&place, &["ff", "train", "--recipe", "hin"]), ["hinton"]);
    assert_eq!(completed(&place, &["ff", "train", "--dataset", "fash"]), ["fashion-mnist"]);
    assert_eq!(completed(&place, &["ff", "sweep", "--backend", "openb"]), ["openblas"]);
    assert_eq!(completed(&place, &["ff", "knobs", "goodness.thr"]), ["goodness.threshold"]);
    assert_eq!(completed(&place, &["ff", "train", "--set", "data.jit"]), ["data.jitter="]);
}
