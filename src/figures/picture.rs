//! Figures of an epoch as pictures, for TensorBoard.

use super::FigureError;
use super::canvas::{Canvas, Look};
use super::results::{Evaluation, Sample};
use super::{confusion, predictions, render};
use crate::data::ImageShape;
use crate::run::SampleRecord;

/// A figure as PNG.
#[derive(Clone, Debug)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file.
    pub png: Vec<u8>,
}

/// A class by its number.
fn number(class: u64) -> String {
    class.to_string()
}

impl Picture {
    fn of(canvas: &Canvas) -> Result<Self, FigureError> {
        let (width, height, png) = render::small_png(canvas)?;
        Ok(Picture { width, height, png })
    }
}

/// The confusion matrix after an epoch, of the rows that `split` names; none without images.
pub fn confusion_picture(
    counts: &[Vec<u64>],
    split: &str,
    epoch: usize,
) -> Result<Option<Picture>, FigureError> {
    let canvas = confusion::of_counts(
        counts,
        split,
        ("Confusion matrix", &format!("epoch {epoch}")),
        [],
        &number,
        Look::default(),
    );
    canvas.as_ref().map(Picture::of).transpose()
}

/// The first images of the rows that `split` names and what the network took them for after an epoch; none without
/// images.
pub fn predictions_picture(
    samples: &[SampleRecord],
    image: ImageShape,
    split: &str,
    epoch: usize,
) -> Result<Option<Picture>, FigureError> {
    let sample = |record: &SampleRecord| Sample {
        pixels: record.pixels.clone(),
        label: record.label.into(),
        prediction: record.prediction.into(),
    };
    let evaluation = Evaluation {
        height: image.height,
        width: image.width,
        samples: samples.iter().map(sample).collect(),
        ..Evaluation::default()
    };
    let canvas =
        predictions::of_samples(&evaluation, split, &format!("epoch {epoch}"), &number, Look::default());
    canvas.as_ref().map(Picture::of).transpose()
}
