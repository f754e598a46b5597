//! A device that claims to be NVIDIA's: a shim over another driver. It walks `auto`, tf32's self-check and its fallback.
#![cfg(all(feature = "opencl", target_os = "linux", target_arch = "x86_64"))]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Outcome, Place};

const TRAIN: &str =
    "train 8 --dataset digits --num-epochs 1 --batch-size 500 --quiet --json --force --log-dir run";

/// Where the real library is, or why there is none to stand before.
fn real() -> Result<PathBuf, String> {
    let found = Command::new("/sbin/ldconfig").arg("-p").output().map_err(|error| error.to_string())?;
    let listed = String::from_utf8_lossy(&found.stdout).into_owned();
    let line = listed.lines().find(|line| line.contains("libOpenCL.so.1")).ok_or("no libOpenCL.so.1")?;
    line.split("=> ").nth(1).map(PathBuf::from).ok_or_else(|| line.to_owned())
}

/// Builds the shim as a library of the real one's name.
fn build(folder: &Path) -> Result<(), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/nvidia_shim.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.join("libOpenCL.so.1")).arg(source);
    match compiler.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => Err(format!("cc: {error}")),
    }
}

struct Shim {
    place: Place,
    real: PathBuf,
}

impl Shim {
    fn new() -> Result<Self, String> {
        let place = Place::new();
        if !place.done("devices").stdout.contains("opencl:0.0") {
            return Err("no OpenCL device".into());
        }
        build(place.path())?;
        Ok(Shim { place, real: real()? })
    }

    fn ff(&self, variables: &[(&str, &Path)], line: &str) -> Outcome {
        let mut program = self.place.program();
        program.env("LD_LIBRARY_PATH", self.place.path()).env("SHIM_REAL", &self.real);
        // Kernels are compiled once, not once a home.
        program.env("POCL_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("pocl"));
        program.envs(variables.iter().copied()).args(line.split(' '));
        let output = program.output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Backend and precision of a run with `auto`, and what it said.
    fn trained(&self, variables: &[(&str, &Path)], precision: &str) -> (String, String, String) {
        let outcome = self.ff(variables, &format!("{TRAIN} --backend auto --precision {precision}"));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        let word = |key: &str| summary[key].as_str().unwrap().to_owned();
        (word("backend"), word("precision"), outcome.stderr)
    }
}

#[test]
fn a_device_that_claims_to_be_nvidia_is_taken_checked_and_left() {
    let shim = match Shim::new() {
        Ok(shim) => shim,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let listed = shim.ff(&[], "devices").stdout;
    assert!(listed.contains("auto takes opencl:0.0"), "{listed}");

    // Tensor cores: PTX that this compiler does not know, sums that are right, sums that are wrong.
    let (backend, precision, said) = shim.trained(&[], "tf32");
    assert_eq!((&*backend, &*precision), ("opencl:0.0", "fp32"), "{said}");
    assert!(said.contains("tf32 cannot be had"), "{said}");

    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("backends/opencl/kernels");
    let emulated = kernels.join("mma_emulated.cl");
    let (backend, precision, said) = shim.trained(&[("SHIM_MMA", &emulated)], "tf32");
    assert_eq!((&*backend, &*precision), ("opencl:0.0", "tf32"), "{said}");

    let text = std::fs::read_to_string(&emulated).unwrap();
    let wrong = text.replace("(c)[1] += upper_ * odd_", "(c)[1] += upper_ * even_");
    assert_ne!(wrong, text);
    shim.place.write("wrong.cl", wrong);
    let (_, precision, said) = shim.trained(&[("SHIM_MMA", &shim.place.at("wrong.cl"))], "tf32");
    assert_eq!(precision, "fp32", "{said}");
    assert!(said.contains("disagree with single precision"), "{said}");

    // A GPU that no kernels fit: `auto` says so and trains on the CPU.
    let (backend, _, said) = shim.trained(&[("SHIM_LOCAL", Path::new("8192"))], "fp32");
    assert_eq!(backend, "cpu", "{said}");
    assert!(said.contains("backend auto: cpu, since opencl:0.0") && said.contains("8192"), "{said}");
}
