//! `ff data`.

use clap::{Args, Subcommand};

use super::{CliError, report};
use crate::data::{Dataset, DatasetInfo, Source};

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
    /// mnist, fashion-mnist, digits or idx:DIR
    #[arg(value_name = "DATASET", default_value = "mnist")]
    dataset: String,
    /// Folder of IDX files [default: FF_DATA_DIR, else the platform's cache]
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
    data_dir: String,
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
            Action::Fetch(what) => (what, false),
            Action::Info { what, json } => (what, json),
        };
        let info = what.load()?.describe();
        if json { report::print_json(&info) } else { report::print(&described(&info)) }
    }
}

fn described(info: &DatasetInfo) -> String {
    let mut text = format!(
        "{}: {}×{} pixels, {} classes\nsha-256 of pixels and labels  {}\n",
        info.name, info.height, info.width, info.classes, info.sha256
    );
    for (name, split) in [("train", &info.train), ("test", &info.test)] {
        text += &format!(
            "{name:5}  {} images, mean pixel {:.2} of 255, by class {:?}\n",
            split.count, split.mean_pixel, split.per_class
        );
    }
    if let Some(warning) = info.warning() {
        text += &format!("warning: {warning}\n");
    }
    text
}
