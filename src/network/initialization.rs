//! Initial weights, drawn on the host so that every backend starts alike.

use ndarray_rand::RandomExt;
use ndarray_rand::rand::SeedableRng;
use ndarray_rand::rand_distr::{Distribution, StandardNormal};
use rand_chacha::ChaCha8Rng;

use crate::config::Initialization;
use crate::spec::Spec;

/// Standard deviation of a standard normal that is truncated at ± 2.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// The stream of the weights from above layer 0.
const TOP_DOWN: u64 = 1 << 20;
/// The stream of the map of layer 0's activities.
const SIMILARITY_MAP: u64 = 2 << 20;

/// Weights `[fan_in, fan_out]` of a layer, row-major; each layer has a stream of its own.
pub fn initial_weights(spec: &Spec, layer: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
    initial(spec, layer as u64, fan_in, fan_out)
}

/// The same of its weights from the layer above.
pub fn initial_top_down(spec: &Spec, layer: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
    initial(spec, TOP_DOWN + layer as u64, fan_in, fan_out)
}

/// Weights `[units, units]` of the map of its activities: LeCun normal, whatever the layers' are.
pub fn initial_similarity_map(spec: &Spec, layer: usize, units: usize) -> Vec<f32> {
    let deviation = 1.0 / (units as f64).sqrt();
    drawn(spec.seed, SIMILARITY_MAP + layer as u64, (units, units), Initialization::LecunNormal, deviation)
}

fn initial(spec: &Spec, stream: u64, fan_in: usize, fan_out: usize) -> Vec<f32> {
    let deviation = spec.initial_scale / (fan_in as f64).sqrt();
    drawn(spec.seed, stream, (fan_in, fan_out), spec.initialization, deviation)
}

fn drawn(
    seed: u64,
    stream: u64,
    shape: (usize, usize),
    distribution: Initialization,
    deviation: f64,
) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let weights = match distribution {
        Initialization::LecunNormal => {
            let scale = (deviation / TRUNCATED_DEVIATION) as f32;
            ndarray::Array2::random_using(shape, Truncated { scale }, &mut rng)
        }
        Initialization::ScaledNormal => {
            let normal: ndarray::Array2<f32> = ndarray::Array2::random_using(shape, StandardNormal, &mut rng);
            normal * deviation as f32
        }
    };
    weights.into_raw_vec_and_offset().0
}

/// The head starts at zero: every label is equally likely.
pub fn initial_head(fan_out: usize, classes: usize) -> Vec<f32> {
    vec![0.0; fan_out * classes]
}

/// A normal distribution without its tails beyond two standard deviations.
struct Truncated {
    scale: f32,
}

impl Distribution<f32> for Truncated {
    fn sample<R: ndarray_rand::rand::Rng + ?Sized>(&self, rng: &mut R) -> f32 {
        loop {
            let x: f32 = StandardNormal.sample(rng);
            if x.abs() <= 2.0 {
                return self.scale * x;
            }
        }
    }
}
