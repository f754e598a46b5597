//! The way of a batch: gather, layer 0 from a product that rows may share, then layer after layer.

use ff_backend::{Backend, LabelCode, Plan, Result};

use super::{Architecture, Network};

/// The images of a batch, without the pixels under the label, and their product with layer 0.
pub struct ImageRows<B: Backend> {
    /// `[n, features]`.
    pub features: B::Matrix,
    /// Σ features² `[1, n]`.
    pub squares: B::Matrix,
    /// features · W₀, which all label codes share `[n, width]`.
    pub product: B::Matrix,
}

impl<B: Backend> ImageRows<B> {
    /// Room for `rows` images.
    pub fn new(backend: &B, architecture: &Architecture, rows: usize) -> Result<Self> {
        Ok(ImageRows {
            features: backend.zeros(rows, architecture.features(0))?,
            squares: backend.zeros(1, rows)?,
            product: backend.zeros(rows, architecture.widths[0])?,
        })
    }

    /// Gathers images by their numbers.
    pub fn gather(
        &mut self,
        backend: &B,
        architecture: &Architecture,
        images: &B::Images,
        rows: Plan<B>,
        shifts: Option<Plan<B>>,
    ) -> Result<()> {
        let skip = architecture.covered_pixels();
        backend.gather(images, rows, shifts, skip, &mut self.features, &mut self.squares)
    }

    /// Multiplies them with the first layer's weights; with `skip_zeros`, blank pixels may be left out.
    pub fn multiply(&mut self, backend: &B, network: &Network<B>, skip_zeros: bool) -> Result<()> {
        let Some(first) = network.layers.first() else { return Ok(()) };
        let skip = network.architecture.label_features(0);
        backend.product(&self.features, &first.weights.weight.value, skip, skip_zeros, &mut self.product)
    }
}

/// The activities of every layer for one batch of rows.
pub struct Activities<B: Backend> {
    /// h of each layer `[rows, width]`, not normalized.
    pub hidden: Vec<B::Matrix>,
    /// Σ h² of each row of each layer `[1, rows]`.
    pub squares: Vec<B::Matrix>,
    /// Where only the k most active units count: those, and their Σ h².
    pub counted: Option<Vec<(B::Matrix, B::Matrix)>>,
}

impl<B: Backend> Activities<B> {
    /// Room for `rows` rows.
    pub fn new(backend: &B, architecture: &Architecture, rows: usize) -> Result<Self> {
        let widths = &architecture.widths;
        let hidden = widths.iter().map(|&width| backend.zeros(rows, width)).collect::<Result<_>>()?;
        let squares = widths.iter().map(|_| backend.zeros(1, rows)).collect::<Result<_>>()?;
        let counted = architecture
            .top_k()
            .map(|_| {
                widths
                    .iter()
                    .map(|&width| Ok((backend.zeros(rows, width)?, backend.zeros(1, rows)?)))
                    .collect()
            })
            .transpose()?;
        Ok(Activities { hidden, squares, counted })
    }

    /// Σ h² over the units that count, before the goodness factor.
    pub fn goodness(&self, l: usize) -> &B::Matrix {
        self.counted.as_ref().map_or(&self.squares[l], |counted| &counted[l].1)
    }

    /// The activities that count.
    pub fn counting(&self, l: usize) -> &B::Matrix {
        self.counted.as_ref().map_or(&self.hidden[l], |counted| &counted[l].0)
    }

    /// Keeps the most active units of layer `l` apart, where only they count.
    pub fn count(&mut self, backend: &B, architecture: &Architecture, l: usize) -> Result<()> {
        if let (Some(k), Some(counted)) = (architecture.top_k(), &mut self.counted) {
            let (out, squares) = &mut counted[l];
            backend.top_k(&self.hidden[l], k, out, squares)?;
        }
        Ok(())
    }
}

/// Layer 0 from its product: as many rows of each image as there are rows of activities.
pub fn activate_first<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    code: LabelCode<B>,
    activities: &mut Activities<B>,
) -> Result<()> {
    let input = network.architecture.input(0, &images.features, &images.squares, code);
    let layer = &network.layers[0].weights;
    backend.activate(&images.product, &input, layer, &mut activities.hidden[0], &mut activities.squares[0])
}

/// Layer `l` ≥ 1 from the activities below it.
pub fn forward<B: Backend>(
    backend: &B,
    network: &Network<B>,
    l: usize,
    code: LabelCode<B>,
    activities: &mut Activities<B>,
) -> Result<()> {
    let (below, above) = activities.hidden.split_at_mut(l);
    let (squares_below, squares_above) = activities.squares.split_at_mut(l);
    let input = network.architecture.input(l, &below[l - 1], &squares_below[l - 1], code);
    backend.project(&input, &network.layers[l].weights, &mut above[0], &mut squares_above[0])
}

/// A neutral pass over gathered and multiplied images, and what the head makes of it.
pub fn neutral_logits<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    activities: &mut Activities<B>,
    logits: &mut B::Matrix,
) -> Result<()> {
    activate_first(backend, network, images, LabelCode::Neutral, activities)?;
    for l in 1..network.layers.len() {
        forward(backend, network, l, LabelCode::Neutral, activities)?;
    }
    for (index, part) in network.head.iter().flatten().enumerate() {
        let l = part.layer;
        let (hidden, squares) = (&activities.hidden[l], &activities.squares[l]);
        let normalization = network.architecture.normalization;
        backend.read_out(hidden, squares, normalization, &part.weights.weight.value, logits, index > 0)?;
    }
    Ok(())
}

/// Adds the goodness of gathered and multiplied images under every candidate label to `scores`
/// `[n, classes]`: first the sum over the scored layers, then each layer. Layer 0's product is shared.
pub fn label_energies<B: Backend>(
    backend: &B,
    network: &Network<B>,
    images: &ImageRows<B>,
    activities: &mut Activities<B>,
    scores: &mut [B::Matrix],
) -> Result<()> {
    let architecture = &network.architecture;
    for label in 0..architecture.classes {
        let code = LabelCode::Same(label as u32);
        for l in 0..architecture.depth() {
            match l {
                0 => activate_first(backend, network, images, code, activities)?,
                _ => forward(backend, network, l, code, activities)?,
            }
            activities.count(backend, architecture, l)?;
            let goodness = activities.goodness(l);
            let factor = architecture.goodness_factor(l);
            backend.accumulate(goodness, factor, &mut scores[l + 1], label)?;
            if architecture.scored_layers().contains(&l) {
                backend.accumulate(goodness, factor, &mut scores[0], label)?;
            }
        }
    }
    Ok(())
}
