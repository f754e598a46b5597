//! The way of a batch: gather, layer 0 from a product that rows may share, then layer after layer.

use ff_backend::{Backend, Goodness, IndexSlice, LabelCode, Normalization, Result};

use super::Network;
use crate::spec::Spec;

/// The images of a batch, without the pixels under the label, and their product with layer 0.
pub struct ImageRows<B: Backend> {
    /// `[n, features]`.
    pub features: B::Matrix,
    /// Σ features² `[1, n]`.
    pub squares: B::Matrix,
    /// features · W₀, which all label codes share `[n, units]`.
    pub product: B::Matrix,
    covered_pixels: usize,
    center: bool,
}

impl<B: Backend> ImageRows<B> {
    /// Room for `rows` images.
    pub fn new(backend: &B, spec: &Spec, rows: usize) -> Result<Self> {
        let first = &spec.layers[0];
        Ok(ImageRows {
            features: backend.zeros(rows, first.features)?,
            squares: backend.zeros(1, rows)?,
            product: backend.zeros(rows, first.units)?,
            covered_pixels: spec.covered_pixels,
            center: spec.center_images,
        })
    }

    /// Gathers images by their numbers; where the network asks for it, each image's mean is subtracted from it.
    pub fn gather(
        &mut self,
        backend: &B,
        images: &B::Images,
        rows: IndexSlice<B>,
        shifts: Option<IndexSlice<B>>,
    ) -> Result<()> {
        self.gather_and(backend, images, rows, shifts, |_, _| Ok(()))
    }

    /// The same of what `change` makes of the images as they are and of their sums of squares.
    pub fn gather_and(
        &mut self,
        backend: &B,
        images: &B::Images,
        rows: IndexSlice<B>,
        shifts: Option<IndexSlice<B>>,
        change: impl FnOnce(&mut B::Matrix, &mut B::Matrix) -> Result<()>,
    ) -> Result<()> {
        let (features, squares) = (&mut self.features, &mut self.squares);
        backend.gather(images, rows, shifts, self.covered_pixels, features, squares)?;
        change(features, squares)?;
        if self.center { backend.center(features, squares) } else { Ok(()) }
    }

    /// Silences each pixel with probability `rate` and divides the others by 1 − rate, as dropout does to activities
    /// (arXiv 1207.0580).
    pub fn silence(&mut self, backend: &B, rate: f64, seed: u32) -> Result<()> {
        if rate > 0.0 { backend.dropout(&mut self.features, rate, seed, &mut self.squares) } else { Ok(()) }
    }

    /// Multiplies them with the first layer's weights.
    pub fn multiply(&mut self, backend: &B, network: &Network<B>) -> Result<()> {
        network.layers[0].product(backend, &self.features, &mut self.product)
    }
}

/// The activities of every layer for one batch of rows.
pub struct Activities<B: Backend> {
    /// h of each layer `[rows, units]`, not normalized.
    pub hidden: Vec<B::Matrix>,
    /// Σ h² of each row of each layer `[1, rows]`.
    pub squares: Vec<B::Matrix>,
    /// Where goodness is not measured by Σ h².
    measured: Vec<Option<Measured<B>>>,
    /// What the head normalizes activities by.
    pub normalization: Normalization,
}

/// What the goodness of a layer is measured by, and its slopes.
struct Measured<B: Backend> {
    goodness: Goodness,
    slopes: B::Matrix,
    sums: B::Matrix,
}

impl<B: Backend> Activities<B> {
    /// Room for `rows` rows.
    pub fn new(backend: &B, spec: &Spec, rows: usize) -> Result<Self> {
        let layers = &spec.layers;
        let measured = |goodness: Goodness, units: usize| {
            Ok(Measured { goodness, slopes: backend.zeros(rows, units)?, sums: backend.zeros(1, rows)? })
        };
        Ok(Activities {
            hidden: layers.iter().map(|layer| backend.zeros(rows, layer.units)).collect::<Result<_>>()?,
            squares: layers.iter().map(|_| backend.zeros(1, rows)).collect::<Result<_>>()?,
            measured: layers
                .iter()
                .map(|layer| layer.goodness.map(|goodness| measured(goodness, layer.units)).transpose())
                .collect::<Result<_>>()?,
            normalization: spec.hidden_normalization,
        })
    }

    /// What layer `l` reads: the activities below it, or the images `[n, F]`, and their sums of squares `[1, n]`.
    pub fn below<'a>(&'a self, l: usize, images: &'a ImageRows<B>) -> (&'a B::Matrix, &'a B::Matrix) {
        match l.checked_sub(1) {
            None => (&images.features, &images.squares),
            Some(below) => (&self.hidden[below], &self.squares[below]),
        }
    }

    /// Silences activities of layer `l` with probability `rate` and divides the others by 1 − rate.
    pub fn silence(&mut self, backend: &B, l: usize, rate: f64, seed: u32) -> Result<()> {
        if rate > 0.0 {
            let seed = seed.wrapping_add(l as u32);
            backend.dropout(&mut self.hidden[l], rate, seed, &mut self.squares[l])?;
        }
        Ok(())
    }

    /// Σ h², or what else goodness is measured by, before the goodness factor `[1, rows]`.
    pub fn goodness(&self, l: usize) -> &B::Matrix {
        self.measured[l].as_ref().map_or(&self.squares[l], |measured| &measured.sums)
    }

    /// Half the slope of that along each activity: h itself, or what takes its place `[rows, units]`.
    pub fn slopes(&self, l: usize) -> &B::Matrix {
        self.measured[l].as_ref().map_or(&self.hidden[l], |measured| &measured.slopes)
    }

    /// Measures layer `l`, where Σ h² is not what goodness is measured by.
    pub fn measure(&mut self, backend: &B, l: usize) -> Result<()> {
        match &mut self.measured[l] {
            Some(Measured { goodness, slopes, sums }) => {
                backend.measure(&self.hidden[l], *goodness, slopes, sums)
            }
            None => Ok(()),
        }
    }
}

/// Layer `l` of a pass: layer 0 from the images' product, as many rows of each image as there are rows of activities;
/// the others from the activities below them.
pub fn forward<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    l: usize,
    code: LabelCode<B>,
    activities: &mut Activities<B>,
) -> Result<()> {
    let (layer, spec) = (&network.layers[l], &network.spec.layers[l]);
    let (below, above) = activities.hidden.split_at_mut(l);
    let (squares_below, squares_above) = activities.squares.split_at_mut(l);
    match (below.last(), squares_below.last()) {
        (Some(features), Some(squares)) => {
            let input = spec.input(features, squares, code);
            layer.forward(backend, &input, &mut above[0], &mut squares_above[0])
        }
        _ => {
            let input = spec.input(&images.features, &images.squares, code);
            layer.activate(backend, &images.product, &input, &mut above[0], &mut squares_above[0])
        }
    }
}

/// A neutral pass over gathered and multiplied images, and what the head makes of it.
pub fn neutral_logits<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    activities: &mut Activities<B>,
    logits: &mut B::Matrix,
) -> Result<()> {
    neutral_pass(backend, network, images, activities)?;
    head_logits(backend, network, activities, logits)
}

/// A neutral pass over gathered and multiplied images.
pub fn neutral_pass<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    activities: &mut Activities<B>,
) -> Result<()> {
    (0..network.layers.len())
        .try_for_each(|l| forward(backend, network, images, l, LabelCode::Neutral, activities))
}

/// What the head makes of activities `[rows, C]`.
pub fn head_logits<B: Backend>(
    backend: &B,
    network: &Network<B>,
    activities: &Activities<B>,
    logits: &mut B::Matrix,
) -> Result<()> {
    for (index, part) in network.head.iter().flatten().enumerate() {
        part.read_out(backend, activities, logits, index > 0)?;
    }
    Ok(())
}
