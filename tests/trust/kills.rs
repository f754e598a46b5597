//! Runs and sweeps that are killed again and again, at any moment, end with the bits of one that was not.
//!
//! FF_KILLS says how many times; by default a few.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::place::Place;

const TRAIN: &str = "train 60 60 --dataset digits --backend cpu --threads 1 --quiet --recipe contrast \
                     --set figures=false --num-epochs 40 --validation-size 142";

fn kills(default: u64) -> u64 {
    std::env::var("FF_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(default)
}

fn started(place: &Place, line: &str) -> Child {
    let mut program = place.program();
    program.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A time before the kill that differs from one to the next.
fn moment(kill: u64) -> Duration {
    Duration::from_millis(15 + kill.wrapping_mul(2_654_435_761) % 230)
}

/// Kills a run again and again while it goes on, and lets it end; `after` looks at it after each kill.
fn killed_again_and_again(place: &Place, train: &str, default: u64, mut after: impl FnMut(u64, bool)) {
    place.done(&format!("{train} --log-dir whole"));
    let mut ended = false;
    for kill in 0..kills(default) {
        if ended {
            std::fs::remove_dir_all(place.at("run")).unwrap();
        }
        let mut child = started(place, &format!("{train} --resume --log-dir run"));
        std::thread::sleep(moment(kill));
        let _ = child.kill();
        let began_anew = ended;
        ended = child.wait().unwrap().success();
        after(kill, began_anew);
    }
    place.done(&format!("{train} --resume --log-dir run"));
    assert_eq!(place.timeless_metrics("whole"), place.timeless_metrics("run"));
    for name in ["last", "best"] {
        let bytes = |run: &str| place.bytes(&format!("{run}/checkpoints/{name}.safetensors"));
        assert!(bytes("whole") == bytes("run"), "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(place.at("run/checkpoints")).unwrap().collect();
    assert_eq!(left.len(), 3, "last, previous and best alone: {left:?}");
}

/// Epochs of a run that are in metrics.jsonl, whole.
fn lines(place: &Place) -> usize {
    std::fs::read_to_string(place.at("run/metrics.jsonl")).unwrap_or_default().matches('\n').count()
}

#[test]
fn a_run_that_is_killed_again_and_again() {
    let place = Place::new();
    let train = format!("{TRAIN} --set checkpoint_seconds=0");
    let mut finished = 0;
    killed_again_and_again(&place, &train, 12, |kill, began_anew| {
        // Lines of metrics are those of finished epochs, and perhaps of one more.
        let now = lines(&place);
        assert!(began_anew || now + 1 >= finished, "kill {kill}: {now} epochs after {finished}");
        finished = now;
    });
}

/// Checkpoints that several epochs share, written beside the training: some kills come while one is written.
#[test]
fn a_run_of_short_epochs_that_is_killed_again_and_again() {
    let place = Place::new();
    killed_again_and_again(&place, &format!("{TRAIN} --set checkpoint_seconds=0.05"), 12, |_, _| {});
}

#[test]
fn two_sweeps_on_one_directory_that_are_killed() {
    let place = Place::new();
    place.write(
        "x.toml",
        "[data]\ndataset = 'digits'\n[network]\nlayer_sizes = [24, 24]\n[training]\nnum_epochs = 8\n[backend]\n\
         name = 'cpu'\nthreads = 1\n[logging]\ntensorboard = false\nfigures = false\n[sweep]\nthreshold = [1, 2]\n\
         seed = [1, 2, 3]\n",
    );
    place.done("sweep x.toml --log-dir whole --quiet");
    for kill in 0..kills(4) / 2 {
        if kill % 8 == 7 {
            let _ = std::fs::remove_dir_all(place.at("s"));
        }
        let mut two = [0; 2].map(|_| started(&place, "sweep x.toml --log-dir s --quiet"));
        std::thread::sleep(moment(kill));
        for child in &mut two {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }
    place.done("sweep x.toml --log-dir s --quiet");
    let timeless = |folder: &str| {
        let text = place.read(&format!("{folder}/results.csv"));
        let rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let seconds = rows[0].iter().position(|name| name == "seconds").unwrap();
        let rest = |mut row: Vec<String>| {
            row.remove(seconds);
            row
        };
        rows.into_iter().map(rest).collect::<Vec<_>>()
    };
    assert_eq!(timeless("whole"), timeless("s"));
}
