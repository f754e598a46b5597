//! Labelled images: where they come from, how they are checked, how they are divided.

pub mod brightness;
pub mod checksum;
pub mod cifar10;
pub mod class_names;
pub mod dataset;
pub mod digits;
pub mod download;
pub mod error;
#[cfg(test)]
mod fixtures;
pub mod formats;
mod hex;
pub mod idx;
mod image;
pub mod import;
pub mod info;
pub mod pictures;
pub mod published;
mod shape;
pub mod source;
pub mod split;
mod splits;

pub use brightness::Brightness;
pub use dataset::Dataset;
pub use error::DataError;
pub use image::ImageShape;
pub(crate) use image::one;
pub use info::{DatasetInfo, SplitInfo};
pub use shape::DataShape;
pub use source::Source;
pub use split::Split;
pub use splits::Splits;
