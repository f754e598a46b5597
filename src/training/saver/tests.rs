#![allow(clippy::unwrap_used)]
use ff_backend_cpu::Cpu;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::config::ConfigBuilder;
use crate::data::ImageShape;
use crate::network::upload;
use crate::run::Ownership;
use crate::spec::Spec;

const UNITS: usize = 30;

fn progress(epoch: usize) -> Progress {
    Progress {
        epoch,
        best_accuracy: 0.5,
        best_epoch: 1,
        image: ImageShape::gray(4, 4),
        classes: 2,
        class_names: Vec::new(),
        brightness: None,
        data_sha256: None,
    }
}

/// An epoch of no time, after which others follow.
fn save(saver: &mut Saver<Cpu>, network: &Network<Cpu>, epoch: usize) -> Result<(), TrainError> {
    let (progress, took) = (progress(epoch), Duration::ZERO);
    saver.epoch(&Ended { network, progress: &progress, improved: false, took, is_last: false })
}

#[test]
fn a_checkpoint_that_failed_beside_the_training_is_not_put_in_its_place() {
    let backend = Cpu::new(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (directory, _) = RunDirectory::open(&folder.path().join("run"), Ownership::New).unwrap();
    std::fs::write(folder.path().join("run/metrics.jsonl"), "").unwrap();
    // Shorter than anything: each epoch is due, and written beside the next one.
    let config = ["layer_sizes=[30, 30]", "checkpoint_seconds=1e-9"];
    let config = config.into_iter().fold(ConfigBuilder::new(), ConfigBuilder::set).build().unwrap();
    let mut network = Network::new(&backend, Spec::new(&config, ImageShape::gray(4, 4), 2)).unwrap();
    let mut saver = Saver::new(&backend, &config, &directory, true);
    save(&mut saver, &network, 1).unwrap();
    save(&mut saver, &network, 2).unwrap();
    while saver.beside.is_some() {
        saver.step().unwrap();
    }
    assert_eq!(saver.saved().unwrap().epoch, 2);

    // The last tensor of the layers is no number any more: pieces before it are written by then.
    let mut values = vec![0.5; UNITS * UNITS];
    values[UNITS] = f32::INFINITY;
    let weight = &mut network.layers[1].tensors_mut().weights.weight.value;
    upload(&backend, weight, &values).unwrap();
    save(&mut saver, &network, 3).unwrap();
    let error = std::iter::repeat_with(|| saver.step()).find_map(Result::err).unwrap();
    assert!(matches!(error, TrainError::Diverged { epoch: 3, .. }), "{error}");
    saver.finish().unwrap();
    assert_eq!(saver.saved().unwrap().epoch, 2);
    let last = Checkpoint::read(&directory.last_checkpoint()).unwrap();
    assert_eq!(last.epoch().unwrap(), Some(2));
}
