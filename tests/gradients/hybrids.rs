//! Hybrid images of centered networks: the mean is that of the hybrid, not of the images that it is made of.

use ff_backend::Backend;
use forward_forward::batching::negatives::{self, masks};
use forward_forward::batching::{EpochPlan, PlannedEpoch};
use forward_forward::config::ConfigBuilder;
use forward_forward::data::ImageShape;
use forward_forward::network::ImageRows;
use forward_forward::spec::Spec;

use crate::TOLERANCE;
use crate::differences::fetch;

const IMAGE: ImageShape = ImageShape::gray(5, 6);
const ROWS: usize = 4;

pub fn check<B: Backend>(backend: &B) {
    let sets = ["recipe=unsupervised", "center_images=true", "layer_sizes=[6, 5]", "training.batch_size=4"];
    let config = sets.iter().fold(ConfigBuilder::new(), |builder, set| builder.set(*set)).build().unwrap();
    let spec = Spec::new(&config, IMAGE, 3);
    // No image is as bright as another.
    let brightness = |at: usize| 60 * (at / IMAGE.pixels()) + at * 7919 % 75;
    let pixels: Vec<u8> = (0..ROWS * IMAGE.pixels()).map(|at| brightness(at) as u8).collect();
    let images = backend.images(&pixels.clone().into(), IMAGE.height, IMAGE.width).unwrap();
    let negatives = negatives::new(backend, &spec).unwrap();
    let plan = PlannedEpoch::draw::<B>(&spec, &*negatives, &[0, 2, 1, 2], 1);
    let plan = EpochPlan::new(backend, &plan, ROWS).unwrap();
    let batch = plan.batch(0);
    let mut rows = ImageRows::new(backend, &spec, 2 * ROWS).unwrap();
    rows.gather_and(backend, &images, batch.stacked, None, |features, squares| {
        negatives.blend(backend, features, squares, batch.numbers)
    })
    .unwrap();
    let (found, squares) = (fetch(backend, &rows.features), fetch(backend, &rows.squares));

    let stacked = backend.download_indices(batch.stacked.indices).unwrap();
    let numbers = backend.download_indices(batch.numbers.indices).unwrap();
    let masks = masks(config.training.seed, IMAGE);
    let pixel =
        |row: usize, at: usize| f64::from(pixels[stacked[row] as usize * IMAGE.pixels() + at]) / 255.0;
    let mut mixed = 0;
    for (row, found) in found.chunks(IMAGE.pixels()).enumerate() {
        let value = |at: usize| match row.checked_sub(ROWS) {
            Some(negative) if masks[numbers[negative] as usize * IMAGE.pixels() + at] == 255 => {
                pixel(negative, at)
            }
            _ => pixel(row, at),
        };
        let shown: Vec<f64> = (0..IMAGE.pixels()).map(value).collect();
        let mean = shown.iter().sum::<f64>() / shown.len() as f64;
        for (found, value) in found.iter().zip(&shown) {
            assert!((found - (value - mean)).abs() < TOLERANCE, "row {row}: {found} for {value} less {mean}");
        }
        let sum: f64 = found.iter().map(|value| value * value).sum();
        assert!(
            (squares[row] - sum).abs() < TOLERANCE * sum.max(1.0),
            "row {row}: {} for {sum}",
            squares[row]
        );
        mixed += usize::from((0..IMAGE.pixels()).any(|at| value(at) != pixel(row, at)));
    }
    assert!(mixed > 1, "hybrids hold another image");
}
