//! `ff predict`.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use clap::Args;
use ff_backend::Backend;
use serde::Serialize;

use super::eval::{Loaded, Saved};
use super::on_backend::{OnBackend, on_backend};
use super::{CliError, report};
use crate::config::PredictKind;
use crate::data::idx;
use crate::evaluation::Evaluator;

/// Label images: PNG files (light strokes on dark, as MNIST has them), or IDX files of images.
#[derive(Args)]
pub struct Predict {
    #[command(flatten)]
    network: Saved,
    /// PNG or IDX files
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// Dark strokes on light: turn the images around
    #[arg(long)]
    invert: bool,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Prediction {
    image: String,
    label: usize,
    scores: Vec<f32>,
}

impl Predict {
    /// Predicts and reports.
    pub fn run(self) -> Result<(), CliError> {
        let loaded = self.network.load()?;
        let (height, width) = (loaded.dataset.height, loaded.dataset.width);
        let (mut names, mut pixels) = (Vec::new(), Vec::new());
        for path in &self.images {
            for (index, image) in read(path, height, width)?.into_iter().enumerate() {
                names.push(if index == 0 {
                    path.display().to_string()
                } else {
                    format!("{}[{index}]", path.display())
                });
                pixels.extend(image);
            }
        }
        if self.invert {
            pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
        let asked = loaded.config.clone();
        let classes = loaded.dataset.classes;
        let scores = on_backend(&asked, report::tell(true), Scores { loaded, pixels })?;
        let predictions: Vec<Prediction> = names
            .into_iter()
            .zip(scores.chunks(classes))
            .map(|(image, scores)| Prediction { image, label: largest(scores), scores: scores.to_vec() })
            .collect();
        if self.json {
            return report::print_json(&predictions);
        }
        predictions.iter().try_for_each(|prediction| {
            let scores: Vec<String> = prediction.scores.iter().map(|score| format!("{score:.3}")).collect();
            report::print(&format!(
                "{}: {}   scores {}\n",
                prediction.image,
                prediction.label,
                scores.join(" ")
            ))
        })
    }
}

fn largest(scores: &[f32]) -> usize {
    let mut best = 0;
    for (label, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = label;
        }
    }
    best
}

struct Scores {
    loaded: Loaded,
    pixels: Vec<u8>,
}

impl OnBackend for Scores {
    type Output = Vec<f32>;

    fn run<B: Backend>(self, backend: &B) -> Result<Vec<f32>, CliError> {
        let network = self.loaded.network(backend)?;
        let chunk = self.loaded.config.evaluation.batch_size;
        let mut evaluator = Evaluator::new(backend, &network, &self.pixels, chunk)?;
        let head = self.loaded.config.evaluation.predict == PredictKind::Head;
        Ok(evaluator.scores(backend, &network, head)?)
    }
}

/// The images in a file, each `height · width` bytes.
fn read(path: &Path, height: usize, width: usize) -> Result<Vec<Vec<u8>>, CliError> {
    let refuse = |reason: String| CliError::request(format!("{}: {reason}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    if !bytes.starts_with(b"\x89PNG") {
        let images = idx::read_images(path)?;
        if (images.height, images.width) != (height, width) {
            let (rows, columns) = (images.height, images.width);
            return Err(refuse(format!(
                "images of {rows}×{columns} pixels, but the network reads {height}×{width}"
            )));
        }
        return Ok(images.pixels.chunks(height * width).map(<[u8]>::to_vec).collect());
    }
    let broken = |error: png::DecodingError| refuse(format!("not a readable PNG: {error}"));
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let (columns, rows) = (reader.info().width as usize, reader.info().height as usize);
    if (rows, columns) != (height, width) {
        return Err(refuse(format!("{rows}×{columns} pixels, but the network reads {height}×{width}")));
    }
    let size = reader.output_buffer_size().ok_or_else(|| refuse("too large".into()))?;
    let mut buffer = vec![0; size];
    let info = reader.next_frame(&mut buffer).map_err(broken)?;
    let channels = info.color_type.samples();
    let gray = |pixel: &[u8]| match *pixel {
        // ITU-R BT.601 luma.
        [r, g, b, ..] => ((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000) as u8,
        [gray, ..] => gray,
        [] => 0,
    };
    Ok(vec![buffer[..info.buffer_size()].chunks(channels).map(gray).collect()])
}
