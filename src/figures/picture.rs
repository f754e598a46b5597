//! Figures of an epoch as pictures, for TensorBoard.

use super::FigureError;
use super::canvas::{Canvas, Look};
use super::results::{self, Evaluation, Sample};
use super::{confusion, predictions, render};
use crate::data::ImageShape;
use crate::metrics::ConfusionMatrix;
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

/// An evaluation in the middle of a run.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// The epoch before it.
    pub epoch: usize,
    /// What the rows are called that it is of.
    pub split: &'a str,
    /// What was taken for what.
    pub confusion: &'a ConfusionMatrix,
    /// What the classes are called; empty where their numbers are their names.
    pub class_names: &'a [String],
}

impl Evaluated<'_> {
    fn class(&self, class: u64) -> String {
        results::class_name(self.class_names, class)
    }
}

impl Picture {
    fn of(canvas: &Canvas) -> Result<Self, FigureError> {
        let (width, height, png) = render::small_png(canvas)?;
        Ok(Picture { width, height, png })
    }
}

/// The confusion matrix after an epoch; none without images.
pub fn confusion_picture(evaluated: &Evaluated) -> Result<Option<Picture>, FigureError> {
    let canvas = confusion::of_counts(
        evaluated.confusion.rows(),
        evaluated.split,
        ("Confusion matrix", &format!("epoch {}", evaluated.epoch)),
        [],
        &|class| evaluated.class(class),
        Look::default(),
    );
    canvas.as_ref().map(Picture::of).transpose()
}

/// Images of an evaluation and what the network took them for; none without images.
pub fn predictions_picture(
    evaluated: &Evaluated,
    samples: Vec<SampleRecord>,
    image: ImageShape,
) -> Result<Option<Picture>, FigureError> {
    let sample = |record: SampleRecord| Sample {
        pixels: record.pixels,
        label: record.label.into(),
        prediction: record.prediction.into(),
    };
    let (images, right) = (evaluated.confusion.total() as usize, evaluated.confusion.correct() as usize);
    let evaluation = Evaluation {
        height: image.height,
        width: image.width,
        channels: image.channels,
        images: Some(images),
        errors: Some(images - right),
        samples: samples.into_iter().map(sample).collect(),
        ..Evaluation::default()
    };
    let canvas = predictions::of_samples(
        &evaluation,
        evaluated.split,
        &format!("epoch {}", evaluated.epoch),
        &|class| evaluated.class(class),
        Look::default(),
    );
    canvas.as_ref().map(Picture::of).transpose()
}
