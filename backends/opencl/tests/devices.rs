//! Choosing devices, their limits, and what is remembered of them.
#![allow(clippy::panic, clippy::unwrap_used)]

use ff_backend::{Backend, BackendError};
use ff_backend_opencl::{
    Candidate, KernelPath, Kind, OpenCl, Options, Precision, Tile, Tuning, choose, devices, recall, remember,
};

fn first() -> Option<Candidate> {
    let found = devices().ok().and_then(|found| found.into_iter().next());
    if found.is_none() {
        println!("skipped: no OpenCL platform");
    }
    found
}

#[test]
fn a_device_is_chosen_by_its_place() {
    let Some(candidate) = first() else { return };
    assert_eq!(choose(&candidate.selector()).unwrap().name, candidate.name);
    choose("opencl").unwrap();
    for wrong in ["opencl:9.9", "opencl:", "opencl:0", "opencl:a.b", "opencl0.0", "cpu"] {
        let Err(BackendError::NoDevice(message)) = choose(wrong) else { panic!("{wrong} was found") };
        assert!(message.contains(&candidate.name), "{message}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let Some(candidate) = first() else { return };
    let memory = candidate.memory_bytes as usize;
    let backend = OpenCl::new(candidate, Options::default()).unwrap();
    let held = backend.zeros(100, 100).unwrap();
    for columns in [memory / 4, usize::MAX] {
        let Err(BackendError::OutOfMemory { what, held_bytes, .. }) = backend.zeros(3, columns) else {
            panic!("3 × {columns} floats fit");
        };
        assert!(what.contains(&columns.to_string()), "{what}");
        assert!(held_bytes >= 40_000);
    }
    assert_eq!(backend.download(&held).unwrap(), vec![0.0; 10_000]);
}

#[test]
fn kernels_that_cannot_be_cut_are_refused() {
    let Some(candidate) = first() else { return };
    let no_rows = Tile { rows: 0, ..Tuning::CPU.learn };
    let too_large = Tile { depth: 1 << 20, ..Tuning::CPU.learn };
    let odd = Tile { rows: 96, ..Tuning::GPU.learn };
    let wrong = [
        Tuning { learn: no_rows, ..Tuning::CPU },
        Tuning { learn: too_large, ..Tuning::CPU },
        Tuning { project: odd, ..Tuning::GPU },
        Tuning { items: 3, ..Tuning::GPU },
        Tuning { path: KernelPath::TensorCores, ..Tuning::CPU },
    ];
    for tuning in wrong {
        let options = Options { tuning: Some(tuning), ..Options::default() };
        let refused = OpenCl::new(candidate.clone(), options).err();
        assert!(matches!(refused, Some(BackendError::Unsupported(_))), "{tuning:?}: {refused:?}");
    }
}

#[test]
fn a_gpu_is_cut_to_by_its_local_memory_and_its_work_groups() {
    let Some(device) = first() else { return };
    let like = |local_bytes, largest_group| {
        let mut candidate = device.clone();
        (candidate.kind, candidate.local_bytes, candidate.largest_group) =
            (Kind::Gpu, local_bytes, largest_group);
        candidate
    };
    let with = |local_bytes, largest_group| Tuning::default_for(&like(local_bytes, largest_group));
    assert_eq!(with(48 << 10, 1024), Tuning::GPU);
    assert_eq!(with(48 << 10, 256), Tuning::GPU);
    assert_eq!(with(32 << 10, 256), Tuning::SMALL_GPU);
    // Nothing fits: the backend says so, and `auto` takes another.
    for (local_bytes, largest_group) in [(16 << 10, 256), (48 << 10, 128)] {
        let refused = OpenCl::new(like(local_bytes, largest_group), Options::default())
            .err()
            .map(|error| error.to_string());
        let refused = refused.unwrap();
        assert!(refused.contains(&local_bytes.to_string()), "{refused}");
    }
}

#[test]
fn a_tuning_is_remembered_for_its_device_and_driver() {
    let Some(mut candidate) = first() else { return };
    let directory = std::env::temp_dir().join(format!("ff-opencl-tuning-{}", std::process::id()));
    let recall = |candidate: &Candidate| recall(&directory, candidate, Precision::Fp32);
    assert_eq!(recall(&candidate), None);
    let project = Tile { rows: 32, columns: 64, depth: 128 };
    let tuning = Tuning { project, registers: 96, ..Tuning::CPU };
    remember(&directory, &candidate, &tuning).unwrap();
    assert_eq!(recall(&candidate), Some(tuning));
    let tensor_cores = ff_backend_opencl::recall(&directory, &candidate, Precision::Tf32);
    assert_eq!(tensor_cores, None, "single precision is not tf32");
    candidate.driver.push_str(", newer");
    assert_eq!(recall(&candidate), None);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
#[ignore = "takes minutes"]
fn tuning_measures_what_passes() {
    let Some(candidate) = first() else { return };
    let results = ff_backend_opencl::tune(&candidate, Precision::Fp32).unwrap();
    results.iter().for_each(|result| println!("{:.2} ms {:?}", result.milliseconds, result.tuning));
    assert!(results.is_sorted_by(|a, b| a.milliseconds <= b.milliseconds) && !results.is_empty());
}
