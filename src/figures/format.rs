//! File formats.

use std::path::Path;

use super::FigureError;

/// The file format of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Pixels, for a README.
    #[default]
    Png,
    /// Vectors, for a page of the web.
    Svg,
    /// Vectors, for a paper.
    Pdf,
}

impl Format {
    /// That of a file, by its name.
    pub fn of(file: &Path) -> Result<Self, FigureError> {
        let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            Some("pdf") => Ok(Self::Pdf),
            _ => Err(FigureError::UnknownFormat { path: file.to_owned() }),
        }
    }

    /// The file name extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }
}
