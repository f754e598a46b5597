//! `ff data`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{CliError, report};
use crate::data::import::{self, Duplicates, Options};
use crate::data::{Dataset, DatasetInfo, ImageShape, Source};
use crate::files::home::expand_home;

/// Fetch data sets, or describe them.
#[derive(Args)]
pub struct Data {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Download what is missing, and check it
    Fetch(What),
    /// Make a folder for --dataset idx:DIR of class folders with pictures, .npz, CSV, EMNIST, KMNIST, QMNIST, or
    /// torchvision's files
    Import(Import),
    /// Sizes, classes and checksums
    Info {
        #[command(flatten)]
        what: What,
        /// One JSON object on stdout
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct What {
    /// mnist, fashion-mnist, kmnist, cifar10, digits or idx:DIR
    #[arg(value_name = "DATASET", default_value = "mnist")]
    dataset: String,
    /// Folder of IDX files [default: FF_DATA_DIR, else the platform's cache]
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
    data_dir: String,
}

#[derive(Args)]
struct Import {
    /// A folder of class folders with PNG or JPEG pictures, or of train/ and test/ with those; .npz; CSV with the
    /// label first; IDX files of MNIST's kin; a root of torchvision
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// The folder that is made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Size of the images: pictures are scaled to it, rows of a table are arranged by it
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = size)]
    size: Option<ImageShape>,
    /// Pictures: scale the box around the ink to 20/28 of the image (28x28 without --size) and center its mass, as
    /// MNIST was made
    #[arg(long)]
    fit: bool,
    /// Dark ink on light: turn the images around
    #[arg(long)]
    invert: bool,
    /// Keep colors: images of red, green and blue instead of brightness
    #[arg(long)]
    color: bool,
    /// Where there is no test set: of each class every Nth image makes it
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..))]
    test_every: u32,
    /// The part of a source that has several, such as letters or balanced of EMNIST
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// `28x28`, height first.
fn size(text: &str) -> Result<ImageShape, String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    let sides = text.split_once(['x', '×']).and_then(|(height, width)| Some((side(height)?, side(width)?)));
    let (height, width) = sides.ok_or("expected HEIGHTxWIDTH such as 28x28, each from 1 to 4096")?;
    Ok(ImageShape::gray(height, width))
}

impl Import {
    /// Reads the source, writes the folder, reports.
    fn run(self) -> Result<(), CliError> {
        let at_home = |path: &Path| {
            let text = path.to_string_lossy();
            expand_home(&text)
                .map(PathBuf::from)
                .map_err(|reason| CliError::request(format!("{text}: {reason}")))
        };
        let folder = std::path::absolute(at_home(&self.folder)?).map_err(CliError::request)?;
        // Before anything is read: it may take minutes.
        import::refuse_taken(&folder)?;
        let options = Options {
            size: self.size,
            fit: self.fit,
            invert: self.invert,
            color: self.color,
            test_every: self.test_every as usize,
            split: self.split,
        };
        let mut imported = import::read(&at_home(&self.source)?, &options)?;
        let notes = std::mem::take(&mut imported.notes);
        let dataset = imported.into_dataset(&folder);
        import::write(&dataset, &folder).map_err(CliError::failed)?;
        let report = import::Report::new(&dataset, notes);
        if self.json {
            return report::print_json(&report);
        }
        report::print(&imported_as(&report))
    }
}

fn imported_as(report: &import::Report) -> String {
    let mut text = described(&report.info);
    let Duplicates { in_train, in_test, test_in_train, under_another_label } = report.duplicates;
    text += &format!(
        "duplicates  {in_train} within training, {in_test} within test, {test_in_train} test images in training too; \
         {under_another_label} under another label\n"
    );
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    if test_in_train > 0 {
        text += "warning: test images that were trained on measure memory\n";
    }
    text + &format!("train on it with --dataset {}\n", report.info.name)
}

impl What {
    fn load(&self) -> Result<Dataset, CliError> {
        let source: Source = self.dataset.parse()?;
        Ok(Dataset::load(&source, &self.data_dir, true)?)
    }
}

impl Data {
    /// Loads, which downloads what is missing, and describes.
    pub fn run(self) -> Result<(), CliError> {
        let (what, json) = match self.action {
            Action::Import(import) => return import.run(),
            Action::Fetch(what) => (what, false),
            Action::Info { what, json } => (what, json),
        };
        let info = what.load()?.describe();
        if json { report::print_json(&info) } else { report::print(&described(&info)) }
    }
}

fn described(info: &DatasetInfo) -> String {
    let mut text = format!(
        "{}: {} pixels, {} classes\nsha-256 of pixels and labels  {}\n",
        info.name, info.image, info.classes, info.sha256
    );
    for (name, split) in [("train", &info.train), ("test", &info.test)] {
        text += &format!(
            "{name:5}  {} images, mean pixel {:.2} of 255, by class {:?}\n",
            split.count, split.mean_pixel, split.per_class
        );
    }
    if !info.class_names.is_empty() {
        text += &format!("classes  {}\n", info.class_names.join(", "));
    }
    if let Some(note) = &info.note {
        text += &format!("note: {note}\n");
    }
    if let Some(warning) = info.warning() {
        text += &format!("warning: {warning}\n");
    }
    text
}
