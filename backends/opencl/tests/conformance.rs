//! The suite on every kernel path of every OpenCL device.
#![allow(clippy::panic)]

use ff_backend::conformance::{self, Effort};
use ff_backend_opencl::{Candidate, KernelPath, OpenCl, Options, Precision, Tile, Tuning, devices};

/// The devices, or none with a visible note; with `FF_REQUIRE_OPENCL=1` there must be one.
fn candidates() -> Vec<Candidate> {
    match devices() {
        Ok(found) if !found.is_empty() => found,
        other => {
            let reason = other.err().map_or_else(|| "no device".to_owned(), |error| error.to_string());
            let required = std::env::var("FF_REQUIRE_OPENCL").is_ok_and(|value| value == "1");
            assert!(!required, "FF_REQUIRE_OPENCL=1, but {reason}");
            println!("skipped: no OpenCL platform ({reason})");
            Vec::new()
        }
    }
}

fn conforms(tuning: Tuning, effort: Effort) {
    for candidate in candidates() {
        let name = format!("{candidate}, {tuning:?}");
        let options = Options { tuning: Some(tuning), ..Options::default() };
        let backend = OpenCl::new(candidate, options).unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = conformance::run(&backend, effort);
        println!("{name}\n{report}");
        assert!(report.passed(), "{name}\n{report}");
        let report = conformance::trajectory(&backend);
        assert!(report.passed(), "{name}\n{report}");
    }
}

#[test]
fn portable_kernels_conform() {
    conforms(Tuning::of_path(KernelPath::Portable), Effort::Quick);
}

#[test]
fn tiled_kernels_conform() {
    conforms(Tuning::of_path(KernelPath::Tiled), Effort::Quick);
}

#[test]
fn kernels_for_small_local_memory_conform() {
    conforms(Tuning::SMALL_GPU, Effort::Quick);
}

#[test]
fn tensor_core_kernels_conform_with_their_instruction_emulated() {
    conforms(Tuning::of_path(KernelPath::EmulatedTensorCores), Effort::Quick);
}

#[test]
fn tf32_that_cannot_be_had_leaves_a_note() {
    for candidate in candidates().into_iter().filter(|candidate| !candidate.is_nvidia()) {
        let options = Options { precision: Precision::Tf32, ..Options::default() };
        let backend = OpenCl::new(candidate, options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(backend.precision(), Precision::Fp32);
        assert!(backend.notes().iter().any(|note| note.contains("tf32")), "{:?}", backend.notes());
    }
}

#[test]
#[ignore = "takes minutes"]
fn every_shape_of_tiles_conforms() {
    let tile = |rows, columns, depth| Tile { rows, columns, depth };
    for path in [KernelPath::Tiled, KernelPath::EmulatedTensorCores] {
        for (project, learn) in [
            (tile(128, 64, 32), tile(64, 128, 32)),
            (tile(64, 128, 16), tile(64, 64, 32)),
            (tile(128, 128, 16), tile(128, 64, 16)),
        ] {
            conforms(Tuning { project, learn, ..Tuning::of_path(path) }, Effort::Quick);
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn large_shapes_conform() {
    for path in [KernelPath::Portable, KernelPath::Tiled] {
        conforms(Tuning::of_path(path), Effort::Full);
    }
}
