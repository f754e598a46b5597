//! The reference agrees with the oracle in both precisions, and with itself.
#![allow(clippy::panic)]

use ff_backend::conformance::{Effort, run, trajectory};
use ff_backend_openblas::{OpenBlas, Scalar};

fn conforms<T: Scalar>() {
    let backend = OpenBlas::<T>::new();
    for report in [run(&backend, Effort::Full), trajectory(&backend)] {
        println!("{}\n{report}", T::PRECISION);
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn single_precision() {
    conforms::<f32>();
}

#[test]
fn double_precision() {
    conforms::<f64>();
}

/// OpenBLAS starts no thread while it is loaded, and the environment is what it was.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn one_thread() {
    use std::process::Command;

    let threads = "THREADS_AND_ENVIRONMENT";
    if std::env::var_os(threads).is_some() {
        let _ = OpenBlas::<f32>::new();
        let tasks = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
        let last = std::env::var("ZZZ_LAST").unwrap_or_default();
        let asked = std::env::var("OPENBLAS_NUM_THREADS").unwrap_or_default();
        println!("FOUND {tasks} tasks, {last}, {asked}");
        return;
    }
    let Ok(program) = std::env::current_exe() else { panic!("this test has no program") };
    for asked in ["", "7"] {
        let mut command = Command::new(&program);
        command.args(["one_thread", "--exact", "--nocapture", "--test-threads=1"]);
        command.env_clear().env(threads, "1");
        if !asked.is_empty() {
            command.env("OPENBLAS_NUM_THREADS", asked);
        }
        command.env("ZZZ_LAST", "kept");
        let output = command.output().map(|output| output.stdout).unwrap_or_default();
        let output = String::from_utf8_lossy(&output).into_owned();
        // The main thread, and perhaps that of the test.
        let found = [1, 2].map(|tasks| format!("FOUND {tasks} tasks, kept, {asked}\n"));
        assert!(found.iter().any(|found| output.contains(found)), "{output}");
    }
}
