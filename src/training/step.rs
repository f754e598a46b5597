//! What a way to learn from a batch is, and what it tells.

use ff_backend::{Backend, Result, Rule, TALLY_ROWS};

use crate::batching::negatives::Random;
use crate::batching::{Batch, PlannedEpoch};
use crate::network::{Network, download, upload};
use crate::spec::Spec;

/// A way to learn from a batch.
pub(super) trait Step<B: Backend> {
    /// The draws of epoch `epoch` (from 1) over images with these labels. By default no negatives are shown: of the
    /// plan, images and their labels count.
    fn plan(&self, spec: &Spec, labels: &[u32], epoch: usize) -> PlannedEpoch {
        PlannedEpoch::draw::<B>(spec, &Random, labels, epoch)
    }

    /// One batch. `layers` and `head` are its update rules.
    fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()>;

    /// The figures of the last `batches` batches, as means, and sets the sums to 0. Waits for the device.
    fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally>;

    /// h of each layer in the last batch `[rows, units]`.
    fn hidden(&self) -> &[B::Matrix];
}

/// Figures of the batches since the last reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainTally {
    /// Mean loss of each layer; empty where the head's is the only one.
    pub losses: Vec<f64>,
    /// Mean goodness of positives in each layer; this and what follows is empty where layers do not learn by goodness.
    pub positive: Vec<f64>,
    /// Mean goodness of negatives in each layer.
    pub negative: Vec<f64>,
    /// Fraction of pairs in each layer whose negative has more goodness.
    pub pairwise_errors: Vec<f64>,
    /// Mean cross-entropy of the head, where it has one of its own.
    pub head_cost: Option<f64>,
}

impl TrainTally {
    /// What layers have learned by, of sums `[TALLY_ROWS, layers]` over so many batches or steps, and sets them to 0.
    pub(super) fn of_goodness<B: Backend>(backend: &B, sums: &mut B::Matrix, count: usize) -> Result<Self> {
        let share = 1.0 / count.max(1) as f64;
        let sums = take(backend, sums)?;
        let layers = sums.len() / TALLY_ROWS;
        let row = |r: usize| sums[r * layers..(r + 1) * layers].iter().map(|sum| sum * share).collect();
        let (losses, positive, negative, pairwise_errors) = (row(0), row(1), row(2), row(3));
        Ok(TrainTally { losses, positive, negative, pairwise_errors, head_cost: None })
    }
}

/// Downloads sums and sets them to 0.
pub(super) fn take<B: Backend>(backend: &B, sums: &mut B::Matrix) -> Result<Vec<f64>> {
    let values: Vec<f64> = download(backend, sums)?.into_iter().map(f64::from).collect();
    upload(backend, sums, &vec![0.0; values.len()])?;
    Ok(values)
}
