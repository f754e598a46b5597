//! `ff predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use ff_backend::Backend;
use ff_backend::host::Pixels;
use serde::Serialize;

use super::on_backend::{OnBackend, on_backend};
use super::saved::{Loaded, Saved};
use super::test_time::TestTime;
use super::{CliError, report};
use crate::data::brightness::Unlike;
use crate::data::pictures::{self, Encoded, Picture};
use crate::data::{ImageShape, idx};
use crate::evaluation::{Views, largest, probabilities, temperature};
use crate::files::reading;

/// Label images: PNG and JPEG pictures (light strokes on dark, as MNIST has them), IDX files of images, folders of
/// pictures, or `-` for one on standard input. The checkpoint tells size, classes and where the label goes; no
/// data set is needed.
///
/// Transparent pixels are laid over a black page under light ink, and over a white one under dark ink. A network of
/// gray images takes colors as their brightness, one of color images takes gray as a color. The
/// probability of label k is exp(s(k) / T) / Σ exp(s(j) / T) of the scores s: of energies T is
/// `goodness.temperature` (1 / `training.alpha` under `symba`, `training.margin` under `margin`), of a head 1. Scores
/// of an ensemble are logarithms of probabilities.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Predict {
    #[command(flatten)]
    network: Saved,
    /// PNG, JPEG or IDX files, folders of pictures, or - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// Dark strokes on light: turn the images around
    #[arg(long)]
    invert: bool,
    /// Pictures of any size: scale the box around the ink to 20/28 of the image and center its mass, as MNIST was
    /// made; in color: scale the middle
    #[arg(long)]
    fit: bool,
    /// The N most probable labels of each image
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    #[command(flatten)]
    test_time: TestTime,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Prediction {
    image: String,
    label: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    scores: Vec<f32>,
    probabilities: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

#[derive(Serialize)]
struct Candidate {
    label: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    probability: f64,
}

/// An image by its name, as the network reads it.
type Named = (String, Picture);

impl Predict {
    /// Predicts and reports.
    pub fn run(self) -> Result<(), CliError> {
        let loaded = self.network.load()?;
        let mut images = Vec::new();
        for path in &self.images {
            self.gather(path, loaded.image, &mut images)?;
        }
        let warnings: Vec<Option<String>> = images.iter().map(|image| warning(&loaded, image)).collect();
        tell(&images, &warnings);
        let (names, pictures): (Vec<String>, Vec<Picture>) = images.into_iter().unzip();
        let pixels: Vec<u8> = pictures.into_iter().flat_map(|picture| picture.pixels).collect();
        let asked = loaded.config.clone();
        let temperature = temperature(&loaded.spec(), loaded.config.evaluation.predict);
        let (classes, class_names) = (loaded.classes, loaded.class_names.clone());
        let work = Scores { loaded, pixels: pixels.into(), views: self.test_time.views() };
        let scores = on_backend(&asked, report::tell(true), work)?;
        let results = names.into_iter().zip(warnings).zip(scores.chunks(classes));
        let predict = |((image, warning), scores): ((String, Option<String>), &[f32])| {
            let probabilities = probabilities(scores, temperature);
            let label = largest(scores);
            let class = class_names.get(label).cloned();
            let top = self.top(&probabilities, scores, &class_names);
            Prediction { image, label, class, scores: scores.to_vec(), probabilities, top, warning }
        };
        let predictions: Vec<Prediction> = results.map(predict).collect();
        if self.json {
            return report::print_json(&predictions);
        }
        predictions.iter().try_for_each(|prediction| report::print(&told(prediction)))
    }

    /// The most probable labels, if they are asked for.
    fn top(&self, probabilities: &[f64], scores: &[f32], class_names: &[String]) -> Vec<Candidate> {
        let mut labels: Vec<usize> = (0..probabilities.len()).collect();
        // By scores: probabilities of 0 are still ordered.
        labels.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        labels.truncate(self.top.unwrap_or(0) as usize);
        let candidate = |label: usize| Candidate {
            label,
            class: class_names.get(label).cloned(),
            probability: probabilities[label],
        };
        labels.into_iter().map(candidate).collect()
    }

    /// Adds the images of a file, a folder or standard input.
    fn gather(&self, path: &Path, shape: ImageShape, images: &mut Vec<Named>) -> Result<(), CliError> {
        if path == Path::new("-") {
            let bytes = reading::read_all(std::io::stdin().lock(), pictures::MOST_BYTES)
                .map_err(|error| CliError::request(format!("standard input: {error}")))?;
            let picture = self.decode(&Encoded::new(Path::new("standard input"), bytes)?, shape)?;
            images.push(("-".into(), picture));
            return Ok(());
        }
        if path.is_dir() {
            let found = pictures::list(path)?;
            if found.is_empty() {
                let path = path.display();
                return Err(CliError::request(format!("{path}: holds no picture (.png, .jpg or .jpeg)")));
            }
            for path in found {
                let picture = self.decode(&Encoded::read(&path)?, shape)?;
                images.push((path.display().to_string(), picture));
            }
            return Ok(());
        }
        if is_idx(path)? {
            return self.gather_idx(path, shape, images);
        }
        let picture = self.decode(&Encoded::read(path)?, shape)?;
        images.push((path.display().to_string(), picture));
        Ok(())
    }

    fn gather_idx(&self, path: &Path, shape: ImageShape, images: &mut Vec<Named>) -> Result<(), CliError> {
        let opened = idx::Opened::open(path, idx::Kind::Images)?;
        let found = opened.image().ok_or_else(|| opened.error("holds no images".into()))?;
        if found.channels != shape.channels {
            let path = path.display();
            return Err(CliError::request(format!(
                "{path}: images are {found}, but the network reads {shape}"
            )));
        }
        self.refuse_other_size(path, found, shape)?;
        let pixels = opened.read()?.into_images()?.pixels;
        for (index, pixels) in pixels.chunks(found.values()).enumerate() {
            let path = path.display();
            let name = if index == 0 { path.to_string() } else { format!("{path}[{index}]") };
            images.push((name, self.prepare(Picture { shape: found, pixels: pixels.to_vec() }, shape)));
        }
        Ok(())
    }

    /// A picture as the network reads it; one of another size is refused before its pixels are decoded.
    fn decode(&self, encoded: &Encoded, shape: ImageShape) -> Result<Picture, CliError> {
        self.refuse_other_size(&encoded.path, encoded.shape, shape)?;
        Ok(self.prepare(encoded.decode(shape.channels)?, shape))
    }

    fn prepare(&self, picture: Picture, shape: ImageShape) -> Picture {
        let picture = if self.invert { picture.inverted() } else { picture };
        if self.fit { picture.fitted(shape) } else { picture }
    }

    fn refuse_other_size(&self, path: &Path, found: ImageShape, wanted: ImageShape) -> Result<(), CliError> {
        if self.fit || found.has_size_of(wanted) {
            return Ok(());
        }
        Err(CliError::request(format!(
            "{}: {}×{} pixels, but the network reads {}×{}; --fit scales pictures",
            path.display(),
            found.height,
            found.width,
            wanted.height,
            wanted.width
        )))
    }
}

/// Whether a file is to be read as IDX: by its first bytes, behind gzip too.
fn is_idx(path: &Path) -> Result<bool, CliError> {
    let refuse = |error: std::io::Error| CliError::request(format!("{}: {error}", path.display()));
    let (mut source, _) = idx::open(path).map_err(refuse)?;
    let mut head = [0; 4];
    // What has no four bytes is told so by either reader.
    Ok(std::io::Read::read_exact(&mut source, &mut head).is_ok() && head[..2] == [0, 0])
}

/// What is wrong with an image that looks unlike those the network was trained on.
fn warning(loaded: &Loaded, (_, picture): &Named) -> Option<String> {
    let mean = picture.mean();
    if mean == 0.0 {
        return Some(
            "nothing in it is lighter than its edge; dark ink on a light page needs --invert".into(),
        );
    }
    let brightness = loaded.brightness?;
    let advice = match brightness.judge(mean)? {
        Unlike::Inverted => "light and dark may be swapped: --invert",
        Unlike::Far => "it is unlike what the network was trained on",
    };
    Some(format!(
        "mean pixel {mean:.0} of 255, in training images {:.0} ± {:.0}; {advice}",
        brightness.mean, brightness.deviation
    ))
}

/// Tells warnings, the first ones by name.
fn tell(images: &[Named], warnings: &[Option<String>]) {
    const TOLD: usize = 5;
    let found =
        || images.iter().zip(warnings).filter_map(|((name, _), warning)| Some((name, warning.as_ref()?)));
    for (name, warning) in found().take(TOLD) {
        report::say(&format!("warning: {name}: {warning}"));
    }
    if let Some(more) = found().count().checked_sub(TOLD).filter(|&more| more > 0) {
        report::say(&format!("warning: {more} more images are unlike the training images"));
    }
}

fn told(prediction: &Prediction) -> String {
    let Prediction { image, label, class, scores, probabilities, top, .. } = prediction;
    let name = |label: usize, class: &Option<String>| match class {
        Some(class) => format!("{label} {class}"),
        None => label.to_string(),
    };
    if !top.is_empty() {
        let candidate = |c: &Candidate| format!("{} p {:.3}", name(c.label, &c.class), c.probability);
        let candidates: Vec<String> = top.iter().map(candidate).collect();
        return format!("{image}: {}\n", candidates.join(", "));
    }
    let scores: Vec<String> = scores.iter().map(|score| format!("{score:.3}")).collect();
    format!(
        "{image}: {}   p {:.3}   scores {}\n",
        name(*label, class),
        probabilities[*label],
        scores.join(" ")
    )
}

struct Scores {
    loaded: Loaded,
    pixels: Pixels,
    views: Views,
}

impl OnBackend for Scores {
    type Output = Vec<f32>;

    fn run<B: Backend>(self, backend: &B) -> Result<Vec<f32>, CliError> {
        let Scores { loaded, pixels, views } = self;
        let network = loaded.network(backend)?;
        let evaluation = &loaded.config.evaluation;
        Ok(views.mean_scores(backend, &network, pixels, evaluation.batch_size, evaluation.predict)?)
    }
}
