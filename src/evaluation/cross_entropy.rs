//! The cross-entropy of classifiers on held-out images, without learning.

use ff_backend::{Backend, IndexSlice, LabelCode, Result};

use crate::data::Split;
use crate::network::{Activities, ImageRows, Network, download, forward, upload};
use crate::spec::Spec;

/// Held-out images and their labels on the device.
pub struct CrossEntropy<B: Backend> {
    images: B::Images,
    labels: B::Indices,
    order: B::Indices,
    /// Full chunks, then one for the rest; where each begins.
    chunks: Vec<(Chunk<B>, Vec<usize>)>,
    rows: usize,
}

struct Chunk<B: Backend> {
    rows: usize,
    images: ImageRows<B>,
    activities: Activities<B>,
    logits: B::Matrix,
    errors: B::Matrix,
    cost: B::Matrix,
}

impl<B: Backend> Chunk<B> {
    fn new(backend: &B, spec: &Spec, rows: usize) -> Result<Self> {
        Ok(Chunk {
            rows,
            images: ImageRows::new(backend, spec, rows)?,
            activities: Activities::new(backend, spec, rows)?,
            logits: backend.zeros(rows, spec.classes)?,
            errors: backend.zeros(rows, spec.classes)?,
            cost: backend.zeros(1, 1)?,
        })
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
        let chunk = chunk.clamp(1, rows.max(1));
        let full = rows / chunk;
        let mut chunks = Vec::new();
        if full > 0 {
            chunks.push((Chunk::new(backend, spec, chunk)?, (0..full).map(|i| i * chunk).collect()));
        }
        if rows > full * chunk {
            chunks.push((Chunk::new(backend, spec, rows - full * chunk)?, vec![full * chunk]));
        }
        Ok(CrossEntropy {
            images: backend.images(&held_out.pixels, spec.image.height, spec.image.width)?,
            labels: on_device(&held_out.labels)?,
            order: on_device(&(0..rows as u32).collect::<Vec<_>>())?,
            chunks,
            rows,
        })
    }

    /// Mean cross-entropy of each classifier, in nats.
    pub fn measure(&mut self, backend: &B, network: &Network<B>) -> Result<Vec<f64>> {
        let parts = || network.head.iter().flatten();
        let mut losses = vec![0.0; parts().count()];
        for (chunk, starts) in &mut self.chunks {
            for &at in starts.iter() {
                let slice = |indices| IndexSlice { indices, offset: at };
                chunk.images.gather(backend, &self.images, slice(&self.order), None)?;
                chunk.images.multiply(backend, network)?;
                for l in 0..network.layers.len() {
                    // No label enters: the code is not read.
                    forward(backend, network, &chunk.images, l, LabelCode::Neutral, &mut chunk.activities)?;
                }
                for (part, loss) in parts().zip(&mut losses) {
                    part.read_out(backend, &chunk.activities, &mut chunk.logits, false)?;
                    backend.softmax(
                        &chunk.logits,
                        slice(&self.labels),
                        &mut chunk.errors,
                        &mut chunk.cost,
                    )?;
                    let mean = download(backend, &chunk.cost)?.first().copied().map_or(0.0, f64::from);
                    upload(backend, &mut chunk.cost, &[0.0])?;
                    *loss += mean * chunk.rows as f64 / self.rows as f64;
                }
            }
        }
        Ok(losses)
    }
}
