//! Similarity matching (`sim` of arXiv 1901.06656): how alike rows of one label are, in a layer's activities or in a
//! learned linear map of them.

use ff_backend::{Along, Backend, Delta, Input, Normalization, Result, Rule, Weights};

use super::classified::Classified;
use super::step::take;
use crate::batching::Batch;
use crate::spec::Spec;

/// What similarities teach one layer.
pub(super) struct Similarities<B: Backend> {
    layer: usize,
    /// β, their share of the loss.
    share: f64,
    /// Sum of their loss since the last reading.
    loss: B::Matrix,
    mapped: Option<Mapped<B>>,
}

/// Buffers of activities that are matched through a map.
struct Mapped<B: Backend> {
    /// s = h M; then what s sends back along the sums of h `[B, units]`.
    rows: B::Matrix,
    /// Slopes along s `[B, units]`.
    slopes: B::Matrix,
    /// Not read `[1, B]`.
    squares: B::Matrix,
}

impl<B: Backend> Similarities<B> {
    /// Buffers of layer `layer` for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec, layer: usize) -> Result<Self> {
        let (batch, units) = (spec.batch_size, spec.layers[layer].units);
        let mapped = || {
            Ok(Mapped {
                rows: backend.zeros(batch, units)?,
                slopes: backend.zeros(batch, units)?,
                squares: backend.zeros(1, batch)?,
            })
        };
        Ok(Similarities {
            layer,
            share: spec.learning.similarity(),
            loss: backend.zeros(1, 1)?,
            mapped: spec.learning.is_mapped().then(mapped).transpose()?,
        })
    }

    /// Mixes into what the layer learns from how alike rows of one label are, by their share of the whole; adds their
    /// loss. The map, if there is one, learns from the loss itself, whatever its share, as a classifier does from its own.
    pub fn teach(
        &mut self,
        backend: &B,
        rows: &mut Classified<B>,
        batch: &Batch<B>,
        map: Option<&mut Weights<B>>,
        rule: Rule,
    ) -> Result<()> {
        let Similarities { layer, share, loss, mapped } = self;
        if *share <= 0.0 {
            return Ok(());
        }
        let Classified { spec, activities, slopes, shares, .. } = rows;
        let (hidden, squares) = (&activities.hidden[*layer], &activities.squares[*layer]);
        let (slopes, classes) = (&mut slopes[*layer], spec.classes);
        let Some((map, mapped)) = map.zip(mapped.as_mut()) else {
            let along = Along::Sums { share: *share };
            return backend.match_similarities(hidden, batch.truth, classes, along, slopes, loss);
        };
        let weight = &map.weight.value;
        backend.product(hidden, weight, 0, &mut mapped.rows)?;
        let (along, normalization) = (Along::Rows, Normalization::None);
        backend.match_similarities(&mapped.rows, batch.truth, classes, along, &mut mapped.slopes, loss)?;
        backend.back_project(&mapped.slopes, weight, hidden, squares, normalization, &mut mapped.rows)?;
        let input = Input { features: hidden, squares, normalization, label: None };
        let delta = Delta { coefficients: shares, outputs: &mapped.slopes, peer: None };
        backend.learn(&input, &delta, map, rule)?;
        // A damped step is a mixture: (1 − β) of what there was, β of what has come back.
        let Mapped { rows: back, slopes: mixed, squares } = mapped;
        backend.damp(slopes, 1.0 - *share, back, mixed, squares)?;
        std::mem::swap(slopes, mixed);
        Ok(())
    }

    /// Mean loss over the last `batches` batches, and sets the sum to 0.
    pub fn take_loss(&mut self, backend: &B, batches: usize) -> Result<f64> {
        let share = 1.0 / batches.max(1) as f64;
        Ok(take(backend, &mut self.loss)?.first().map_or(0.0, |sum| sum * share))
    }
}
