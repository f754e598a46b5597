//! The suite on every kernel path of every OpenCL device.
#![allow(clippy::panic)]

use ff_backend::conformance::{self, Effort};
use ff_backend::{
    Along, Backend, Delta, Goodness, IndexSlice, Input, Loss, Normalization, Objective, Parameter, Rule,
    TALLY_ROWS, Tally, Weights,
};
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
    conforms_with(Options { exact_shortcuts: false, tuning: Some(tuning), ..Options::default() }, effort);
}

fn conforms_with(options: Options, effort: Effort) {
    for candidate in candidates() {
        let name = format!("{candidate}, {options:?}");
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
    conforms_with(Options { path: Some(KernelPath::Portable), ..Options::default() }, Effort::Quick);
}

#[test]
fn tiled_kernels_conform() {
    conforms(Tuning::of_path(KernelPath::Tiled), Effort::Quick);
}

#[test]
fn kernels_by_lists_conform() {
    conforms_with(Options { path: Some(KernelPath::Tiled), ..Options::default() }, Effort::Quick);
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

/// Training steps and products of more than one tile on every GPU path, small enough for an interpreter of kernels
/// that looks at each access: `scripts/check_kernels.py oclgrind`.
#[test]
#[ignore = "a sample of the suite, for slow devices"]
fn a_sample_conforms() {
    let emulated = Tuning { path: KernelPath::EmulatedTensorCores, ..Tuning::GPU };
    let by_tiles = [Tuning::GPU, Tuning::SMALL_GPU, emulated].map(|tuning| (tuning, false));
    for (tuning, exact_shortcuts) in by_tiles.into_iter().chain([(Tuning::GPU, true)]) {
        for candidate in candidates() {
            let options = Options { exact_shortcuts, tuning: Some(tuning), ..Options::default() };
            let backend = OpenCl::new(candidate, options).unwrap_or_else(|error| panic!("{error}"));
            let report = conformance::trajectory(&backend);
            assert!(report.passed(), "{report}");
            for sample in [several_tiles, other_measures] {
                sample(&backend).unwrap_or_else(|error| panic!("{tuning:?}: {error}"));
            }
        }
    }
}

/// A layer's forward pass and learning step with an edge in every direction.
fn several_tiles(backend: &OpenCl) -> ff_backend::Result<()> {
    let (rows, features, units) = (67, 131, 133);
    let filled = |rows: usize, columns: usize| {
        let mut matrix = backend.zeros(rows, columns)?;
        backend.upload(&mut matrix, &vec![0.01; rows * columns])?;
        Ok(matrix)
    };
    let parameter = |rows, columns| {
        let second = Some(filled(rows, columns)?);
        Ok(Parameter { value: filled(rows, columns)?, first: filled(rows, columns)?, second })
    };
    let (x, squares) = (filled(rows, features)?, filled(1, rows)?);
    let mut layer = Weights { weight: parameter(features, units)?, bias: Some(parameter(1, units)?) };
    let (mut out, mut out_squares) = (filled(rows, units)?, filled(1, rows)?);
    let input = Input { features: &x, squares: &squares, normalization: Normalization::Unit, label: None };
    backend.project(&input, &layer, &mut out, &mut out_squares)?;
    let coefficients = filled(1, rows)?;
    let delta = Delta { coefficients: &coefficients, outputs: &out, peer: None };
    backend.learn(&input, &delta, &mut layer, Rule::Adam { rate: 1e-3, step: 1, idle: 0 })?;
    assert!(backend.download(&layer.weight.value)?.iter().all(|weight| weight.is_finite()));
    assert!(backend.download(&out_squares)?.iter().all(|square| *square > 0.0));
    Ok(())
}

/// Goodness by other measures, pairs with a margin, and what classifiers and similarities teach, on rows that are longer
/// than a work-group.
fn other_measures(backend: &OpenCl) -> ff_backend::Result<()> {
    let (pairs, units, classes) = (3, 300, 10);
    let drawn = |rows: usize, columns: usize| {
        let mut matrix = backend.zeros(rows, columns)?;
        let values: Vec<f32> = (0..rows * columns).map(|at| (at * 7919 % 101) as f32 / 50.0 - 0.5).collect();
        backend.upload(&mut matrix, &values.iter().map(|value| value.max(0.0)).collect::<Vec<_>>())?;
        Ok(matrix)
    };
    let activities = drawn(2 * pairs, units)?;
    let (mut slopes, mut sums) = (drawn(2 * pairs, units)?, drawn(1, 2 * pairs)?);
    for goodness in [Goodness::TopK { k: 30 }, Goodness::L1, Goodness::Entmax] {
        backend.measure(&activities, goodness, &mut slopes, &mut sums)?;
    }
    let objective = Objective { loss: Loss::Margin { margin: 1.0 }, factor: 1.0, gradient_scales: [1.0; 2] };
    let (mut coefficients, mut tally) = (drawn(1, 2 * pairs)?, drawn(TALLY_ROWS, 1)?);
    let column = Tally { sums: &mut tally, layer: 0 };
    backend.coefficients(&sums, &objective, &mut coefficients, column)?;
    let mut labels = backend.indices(2 * pairs)?;
    backend.upload_indices(&mut labels, &[0, 1, 2, 0, 1, 9])?;
    let labels = IndexSlice { indices: &labels, offset: 0 };
    let mut cost = drawn(1, 1)?;
    let along = Along::Sums { share: 0.5 };
    backend.match_similarities(&activities, labels, classes, along, &mut slopes, &mut cost)?;
    let (errors, mut weight) = (drawn(2 * pairs, classes)?, backend.weight(units, classes)?);
    backend.upload(&mut weight, &vec![0.01; units * classes])?;
    let mut out = drawn(2 * pairs, units)?;
    backend.back_project(&errors, &weight, &activities, &sums, Normalization::Unit, &mut out)?;
    for matrix in [&slopes, &coefficients, &tally, &cost, &out] {
        assert!(backend.download(matrix)?.iter().all(|value| value.is_finite()));
    }
    Ok(())
}
