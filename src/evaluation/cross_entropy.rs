//! The losses of layers that classifiers teach, on held-out images, without learning.

use ff_backend::{Along, Backend, IndexSlice, LabelCode, Result};

use super::chunks::chunks;
use crate::data::Split;
use crate::network::{Activities, ImageRows, Network, download, forward, upload};
use crate::spec::Spec;

/// Held-out images and their labels on the device.
pub struct CrossEntropy<B: Backend> {
    images: B::Images,
    labels: B::Indices,
    order: B::Indices,
    /// Rows of a full chunk.
    chunk: usize,
    rows: usize,
}

struct Chunk<B: Backend> {
    images: ImageRows<B>,
    activities: Activities<B>,
    logits: B::Matrix,
    errors: B::Matrix,
    cost: B::Matrix,
    /// What similarity matching writes beside its loss; empty where it is no part of it.
    slopes: Vec<B::Matrix>,
    /// Activities through their map; empty where they are matched as they are.
    mapped: Vec<B::Matrix>,
}

impl<B: Backend> Chunk<B> {
    fn new(backend: &B, spec: &Spec, rows: usize) -> Result<Self> {
        let of_layers = |wanted: bool| {
            let layers = if wanted { &spec.layers[..] } else { &[] };
            layers.iter().map(|layer| backend.zeros(rows, layer.units)).collect::<Result<_>>()
        };
        Ok(Chunk {
            images: ImageRows::new(backend, spec, rows)?,
            activities: Activities::new(backend, spec, rows)?,
            logits: backend.zeros(rows, spec.classes)?,
            errors: backend.zeros(rows, spec.classes)?,
            cost: backend.zeros(1, 1)?,
            slopes: of_layers(spec.learning.similarity() > 0.0)?,
            mapped: of_layers(spec.learning.is_mapped())?,
        })
    }

    /// The activities of these images. No label enters: the code is not read.
    fn forward(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &B::Images,
        rows: IndexSlice<B>,
    ) -> Result<()> {
        self.images.gather(backend, images, rows, None)?;
        self.images.multiply(backend, network)?;
        for l in 0..network.layers.len() {
            forward(backend, network, &self.images, l, LabelCode::Neutral, &mut self.activities)?;
        }
        Ok(())
    }
}

impl<B: Backend> CrossEntropy<B> {
    /// Puts images and labels on the device. `chunk` is the number of rows of a product.
    pub fn new(backend: &B, spec: &Spec, held_out: &Split, chunk: usize) -> Result<Self> {
        let rows = held_out.labels.len();
        let on_device = |values: &[u32]| {
            let mut indices = backend.indices(values.len())?;
            backend.upload_indices(&mut indices, values)?;
            Ok(indices)
        };
        Ok(CrossEntropy {
            images: backend.images(&held_out.pixels, spec.image.height, spec.image.columns())?,
            labels: on_device(&held_out.labels)?,
            order: on_device(&(0..rows as u32).collect::<Vec<_>>())?,
            chunk,
            rows,
        })
    }

    /// Mean loss of each layer that has a classifier: its cross-entropy in nats, with the targets of training, and its share
    /// of similarity matching, each over a chunk.
    pub fn measure(&self, backend: &B, network: &Network<B>) -> Result<Vec<f64>> {
        let parts = || network.head.iter().flatten();
        let beta = network.spec.learning.similarity();
        let mut losses = vec![0.0; parts().count()];
        for (rows, starts) in chunks(self.rows, self.chunk) {
            let mut chunk = Chunk::new(backend, &network.spec, rows)?;
            let share = rows as f64 / self.rows as f64;
            for at in starts {
                let slice = |indices| IndexSlice { indices, offset: at };
                let labels = slice(&self.labels);
                chunk.forward(backend, network, &self.images, slice(&self.order))?;
                let Chunk { activities, logits, errors, cost, slopes, mapped, .. } = &mut chunk;
                for (part, loss) in parts().zip(&mut losses) {
                    part.read_out(backend, activities, logits, false)?;
                    backend.softmax(logits, labels, network.spec.label_smoothing, errors, cost)?;
                    *loss += share * (1.0 - beta) * take(backend, cost)?;
                    if let Some(slopes) = slopes.get_mut(part.layer) {
                        let hidden = &activities.hidden[part.layer];
                        let map = network.layers[part.layer].tensors().similarity_map.as_ref();
                        let matched = match map.zip(mapped.get_mut(part.layer)) {
                            Some((map, mapped)) => {
                                backend.product(hidden, &map.weight.value, 0, mapped)?;
                                &*mapped
                            }
                            None => hidden,
                        };
                        let classes = network.spec.classes;
                        backend.match_similarities(matched, labels, classes, Along::Rows, slopes, cost)?;
                        *loss += share * beta * take(backend, cost)?;
                    }
                }
            }
        }
        Ok(losses)
    }
}

/// Downloads a sum and sets it to 0.
fn take<B: Backend>(backend: &B, sum: &mut B::Matrix) -> Result<f64> {
    let value = download(backend, sum)?.first().copied().map_or(0.0, f64::from);
    upload(backend, sum, &[0.0])?;
    Ok(value)
}
