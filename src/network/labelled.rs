//! What a network makes of images under labels, and the goodness by which it tells labels apart.

use ff_backend::{Backend, LabelCode, Result};

use super::{Activities, ImageRows, Network, States, forward};
use crate::spec::Spec;

/// Passes of rows that carry labels: one pass through the layers, or steps of layers that are driven from above too.
pub enum Labelled<B: Backend> {
    /// Layer after layer.
    OnePass(Activities<B>),
    /// Step after step.
    Steps(States<B>),
}

impl<B: Backend> Labelled<B> {
    /// Room for `rows` rows.
    pub fn new(backend: &B, spec: &Spec, rows: usize) -> Result<Self> {
        Ok(match spec.top_down {
            None => Labelled::OnePass(Activities::new(backend, spec, rows)?),
            Some(_) => Labelled::Steps(States::new(backend, spec, rows)?),
        })
    }

    /// The activities of the last pass or step.
    pub fn activities(&mut self) -> &mut Activities<B> {
        match self {
            Labelled::OnePass(activities) => activities,
            Labelled::Steps(states) => &mut states.now,
        }
    }

    /// Passes gathered and multiplied images under these labels; `look` is shown the activities, goodness measured: of the
    /// one pass, or of each step up to `last`, with its number, from 1.
    pub fn pass(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &ImageRows<B>,
        code: LabelCode<B>,
        last: usize,
        mut look: impl FnMut(usize, &Activities<B>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Labelled::OnePass(activities) => {
                for l in 0..network.layers.len() {
                    forward(backend, network, images, l, code, activities)?;
                    activities.measure(backend, l)?;
                }
                look(1, activities)
            }
            Labelled::Steps(states) => {
                states.start(backend, network, images)?;
                for step in 1..=last {
                    states.step(backend, network, images, code)?;
                    look(step, &states.now)?;
                }
                Ok(())
            }
        }
    }
}

/// Adds the goodness of gathered and multiplied images under every candidate label to `scores`
/// `[n, classes]`: first the sum over those that decide, then each layer. Of several steps it is the mean of those that
/// count.
pub fn label_energies<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    labelled: &mut Labelled<B>,
    scores: &mut [B::Matrix],
) -> Result<()> {
    let spec = &network.spec;
    let (first, last) = spec.top_down.map_or((1, 1), |top_down| (top_down.first, top_down.last));
    let share = 1.0 / (1 + last - first) as f64;
    for label in 0..spec.classes {
        let code = LabelCode::Same(label as u32);
        labelled.pass(backend, network, images, code, last, |step, activities| {
            if step < first {
                return Ok(());
            }
            for l in 0..spec.depth() {
                let goodness = activities.goodness(l);
                let factor = share * spec.layers[l].objective.factor;
                backend.accumulate(goodness, factor, &mut scores[l + 1], label)?;
                if spec.energy_layers().contains(&l) {
                    backend.accumulate(goodness, factor, &mut scores[0], label)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}
