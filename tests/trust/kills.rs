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

#[test]
fn a_run_that_is_killed_again_and_again() {
    let place = Place::new();
    place.done(&format!("{TRAIN} --log-dir whole"));
    let (mut finished, mut ended) = (0, false);
    for kill in 0..kills(12) {
        if ended {
            std::fs::remove_dir_all(place.at("run")).unwrap();
            finished = 0;
        }
        let mut child = started(&place, &format!("{TRAIN} --resume --log-dir run"));
        std::thread::sleep(moment(kill));
        let _ = child.kill();
        ended = child.wait().unwrap().success();
        // Lines of metrics are those of finished epochs, and perhaps of one more.
        let lines = std::fs::read_to_string(place.at("run/metrics.jsonl")).unwrap_or_default();
        let now = lines.matches('\n').count();
        assert!(now + 1 >= finished, "kill {kill}: {now} epochs after {finished}");
        finished = now;
    }
    place.done(&format!("{TRAIN} --resume --log-dir run"));
    assert_eq!(place.timeless_metrics("whole"), place.timeless_metrics("run"));
    for name in ["last", "best"] {
        let bytes = |run: &str| place.bytes(&format!("{run}/checkpoints/{name}.safetensors"));
        assert!(bytes("whole") == bytes("run"), "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(place.at("run/checkpoints")).unwrap().collect();
    assert_eq!(left.len(), 3, "last, previous and best alone: {left:?}");
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
