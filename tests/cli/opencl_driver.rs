//! OpenCL drivers that are missing or fail: the program starts, `cpu` works, and the message says what to do.
#![cfg(feature = "opencl")]

use std::process::Command;

use crate::place::Place;

const TRAIN: &str = "train 8 --dataset digits --num-epochs 1 --quiet --log-dir run --backend";

/// Exit code, and all that is said, of a line with one more variable in its environment.
fn with(place: &Place, (name, value): (&str, &str), line: &str) -> (Option<i32>, String) {
    let mut program: Command = place.program();
    let output = program.env(name, value).args(line.split(' ')).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn without_the_library_the_program_starts_and_trains_on_the_cpu() {
    let place = Place::new();
    // It is found before the system's, and cannot be loaded.
    place.write("libOpenCL.so.1", "");
    let hidden = ("LD_LIBRARY_PATH", place.path().to_str().unwrap());
    assert_eq!(with(&place, hidden, "--version").0, Some(0));
    let (code, listed) = with(&place, hidden, "devices");
    assert_eq!(code, Some(0), "{listed}");
    assert!(listed.contains("libOpenCL.so.1") && listed.contains("auto takes cpu"), "{listed}");
    let (code, message) = with(&place, hidden, &format!("{TRAIN} opencl"));
    assert_eq!(code, Some(2), "{message}");
    for part in ["libOpenCL.so.1 cannot be loaded", "ocl-icd-libopencl1", "pocl-opencl-icd"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!place.at("run").exists());
    let (code, message) = with(&place, hidden, &format!("{TRAIN} auto"));
    assert_eq!(code, Some(0), "{message}");
    assert!(place.at("run/summary.json").exists());
}

/// PoCL answers both with "device not found" and says no more.
#[test]
fn a_driver_without_a_device_is_named_with_what_may_be_wrong() {
    let place = Place::new();
    if !place.done("devices").stdout.contains("Portable Computing Language") {
        return println!("skipped: no PoCL");
    }
    for (name, value, advice) in [
        ("POCL_CACHE_DIR", "/proc/nowhere", "its cache /proc/nowhere cannot be written"),
        ("POCL_DEVICES", "nonsense", "POCL_DEVICES is nonsense"),
    ] {
        for (line, expected) in [("devices", Some(0)), (&*format!("{TRAIN} opencl"), Some(2))] {
            let (code, text) = with(&place, (name, value), line);
            assert_eq!(code, expected, "{text}");
            for part in ["Portable Computing Language", "CL_DEVICE_NOT_FOUND (-1)", advice] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}
