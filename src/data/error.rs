//! What can be wrong with a data set, each in one line that names the file or value at fault.

use std::io;
use std::path::PathBuf;

/// Why a data set could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No data set has this name.
    #[error("unknown dataset `{given}`{}valid: {names}", if hint.is_empty() { "; ".into() } else { format!("{hint} ") })]
    UnknownSource {
        /// What was asked for.
        given: String,
        /// `; did you mean …?`, or empty where nothing is near.
        hint: String,
        /// The valid names.
        names: String,
    },
    /// A file is there but its contents are not what they should be.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what would be right.
        problem: String,
    },
    /// A file is not the published one.
    #[error(
        "{path}: SHA-256 of the uncompressed contents is {found}, expected {expected}; \
         delete the file to download it again, or name another folder"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The published checksum.
        expected: String,
        /// The file's checksum.
        found: String,
    },
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder lacks a file.
    #[error("{folder}: no {names}, plain or .gz{hint}")]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
        /// The names that would do.
        names: String,
        /// `; …`, what is there instead; or empty.
        hint: String,
    },
    /// No mirror served a file.
    #[error("cannot download {file} ({tried}); put {by_hand} into {folder} by hand")]
    Download {
        /// The file.
        file: String,
        /// Each address with its reason.
        tried: String,
        /// What would do as well.
        by_hand: String,
        /// Where files put by hand are found.
        folder: PathBuf,
    },
    /// The platform names no cache folder.
    #[error("no home folder to cache data in: set FF_DATA_DIR or data_dir")]
    NoFolder,
    /// More rows are to be held out than there are.
    #[error("validation_size is {size}, expected less than the {rows} training rows")]
    HoldOut {
        /// Rows asked for.
        size: usize,
        /// Rows there are.
        rows: usize,
    },
    /// Holding out rows leaves a class without a training image.
    #[error(
        "validation_size {size} with seed {seed} holds out every training image of class {class}, of which there \
         {}; hold out fewer rows, or take another seed",
        if *images == 1 { "is one".into() } else { format!("are {images}") }
    )]
    HoldOutClass {
        /// Rows asked for.
        size: usize,
        /// The seed that draws them.
        seed: u64,
        /// The class that training would never show.
        class: u32,
        /// Its training images.
        images: usize,
    },
}
