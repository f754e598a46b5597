//! Reads IDX files, the format of MNIST: a magic number, sizes, values, all big-endian.
//!
//! Nothing in a header is believed, or allocated for, before it is held against the file's length; and a header
//! can be looked at before the values are read.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::formats;
use super::hex::hex;
use super::{DataError, ImageShape};
use crate::files::reading;

/// Deflate cannot do better than 1032 : 1, so a compressed file bounds its contents.
const DEFLATE_LIMIT: u64 = 1032;

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// count × height × width values of `u8`, or with channels behind or before those two.
    Images,
    /// count values of `u8`, `i16` or `i32`.
    Labels,
}

/// One IDX file, its header checked against its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// Where it was read from, for messages.
    pub path: PathBuf,
    magic: u32,
    sizes: Vec<u32>,
    values: Vec<u8>,
}

/// The images of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Number of images.
    pub count: usize,
    /// Shape of an image.
    pub image: ImageShape,
    /// count × values of an image, channels last.
    pub pixels: Vec<u8>,
}

/// A file whose header is read, and its values not yet.
pub struct Opened {
    /// Where it is, for messages.
    pub path: PathBuf,
    magic: u32,
    sizes: Vec<u32>,
    /// Bytes of all values.
    length: u64,
    source: Box<dyn Read>,
}

/// Reads a file of images, plain or gzip.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    Opened::open(path, Kind::Images)?.read()?.into_images()
}

/// Reads a file of labels, plain or gzip.
pub fn read_labels(path: &Path) -> Result<Vec<u32>, DataError> {
    Opened::open(path, Kind::Labels)?.read()?.into_labels()
}

/// The spellings of a standard name such as `train-images-idx3-ubyte`: `.idx` for `-idx`, and a further `.gz`, are
/// as good.
fn spellings(stem: &str) -> impl Iterator<Item = String> {
    [stem.to_owned(), dotted(stem)]
        .into_iter()
        .flat_map(|name| [format!("{name}.gz"), name].into_iter().rev())
}

/// The file in `folder` that goes by the standard name `stem`; also inside a folder of its own name, as some
/// archives unpack. A link that leads nowhere is an error, and so is a file that cannot be looked at.
pub fn find(folder: &Path, stem: &str) -> Result<Option<PathBuf>, DataError> {
    for name in spellings(stem) {
        for path in [folder.join(&name), folder.join(&name).join(&name)] {
            match std::fs::metadata(&path) {
                Ok(metadata) if !metadata.is_dir() => return Ok(Some(path)),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    if let Ok(target) = std::fs::read_link(&path) {
                        let problem = format!("is a link to {}, where nothing is", target.display());
                        return Err(DataError::Content { path, problem });
                    }
                }
                Err(source) => return Err(DataError::Io { path, source }),
            }
        }
    }
    Ok(None)
}

/// The other common spelling of a standard name.
pub fn dotted(stem: &str) -> String {
    stem.replace("-idx", ".idx")
}

/// Opens a regular file, decompressing it if it is gzip, whatever it is called; and the most bytes that its
/// contents can have.
pub fn open(path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
    let (file, length) = reading::open(path)?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    Ok(match file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        true => (Box::new(MultiGzDecoder::new(file)), length.saturating_mul(DEFLATE_LIMIT)),
        false => (Box::new(file), length),
    })
}

impl Opened {
    /// Reads and checks the header of a file, plain or gzip.
    pub fn open(path: &Path, kind: Kind) -> Result<Self, DataError> {
        let (source, most) = open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        Self::parse(path, kind, source, most)
            .map_err(|problem| DataError::Content { path: path.to_owned(), problem })
    }

    /// Parses a header before contents that are at most `most` bytes long in all; an error is the problem found.
    fn parse(path: &Path, kind: Kind, mut source: Box<dyn Read>, most: u64) -> Result<Self, String> {
        let magic = big_endian(&mut source)?;
        let value_size = value_size(kind, magic)?;
        let sizes = (0..magic & 0xff).map(|_| big_endian(&mut source)).collect::<Result<Vec<_>, _>>()?;
        let shape = times(&sizes);
        if let (Kind::Images, None) = (kind, layout(&sizes)) {
            return Err(format!(
                "sizes are {shape}, expected count × height × width, or four with 1, 3 or 4 channels last or second"
            ));
        }
        if sizes.contains(&0) {
            return Err(format!("sizes are {shape}, expected all above 0"));
        }
        let header = 4 + 4 * sizes.len() as u64;
        let total = (sizes.iter())
            .try_fold(value_size, |length, &size| length.checked_mul(size.into()))
            .and_then(|length| length.checked_add(header))
            .ok_or_else(|| format!("sizes are {shape}, expected some that fit into 64 bits"))?;
        if total > most {
            return Err(too_short(most, total, &shape));
        }
        Ok(Self { path: path.to_owned(), magic, sizes, length: total - header, source })
    }

    /// Count, height and width of images, and channels where there are several; count of labels.
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// Shape of its images; `None` of labels.
    pub fn image(&self) -> Option<ImageShape> {
        layout(&self.sizes).map(|(image, _)| image)
    }

    /// An error that is about this file.
    pub fn error(&self, problem: String) -> DataError {
        DataError::Content { path: self.path.clone(), problem }
    }

    /// Reads the values.
    pub fn read(self) -> Result<Idx, DataError> {
        let Self { path, magic, sizes, length, source } = self;
        match values(source, length, &sizes) {
            Ok(values) => Ok(Idx { path, magic, sizes, values }),
            Err(problem) => Err(DataError::Content { path, problem }),
        }
    }
}

/// The values after a header: `length` bytes, neither fewer nor more.
fn values(source: impl Read, length: u64, sizes: &[u32]) -> Result<Vec<u8>, String> {
    let header = 4 + 4 * sizes.len() as u64;
    // One byte more than needed: it shows what should not be there, and lets gzip check its CRC.
    let mut values = Vec::new();
    let read = source.take(length + 1).read_to_end(&mut values);
    read.map_err(|error| match values.len() as u64 == length {
        true => badly_ended(error),
        false => unreadable(error),
    })?;
    let found = values.len() as u64;
    if found < length {
        return Err(too_short(header + found, header + length, &times(sizes)));
    }
    if found > length {
        let total = header + length;
        return Err(format!("longer than the {total} bytes expected for sizes {}", times(sizes)));
    }
    Ok(values)
}

impl Idx {
    /// Count, height and width of images, and channels where there are several; count of labels.
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// SHA-256 of the uncompressed file.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.magic.to_be_bytes());
        for size in &self.sizes {
            hash.update(size.to_be_bytes());
        }
        hash.update(&self.values);
        hex(&hash.finalize())
    }

    /// An error that is about this file.
    pub fn error(&self, problem: String) -> DataError {
        DataError::Content { path: self.path.clone(), problem }
    }

    /// The values as images.
    pub fn into_images(self) -> Result<Images, DataError> {
        let (Some((image, planar)), Some(&count)) = (layout(&self.sizes), self.sizes.first()) else {
            return Err(self.error("holds labels, expected images".to_owned()));
        };
        let pixels = if planar { image.interleaved(&self.values) } else { self.values };
        Ok(Images { count: count as usize, image, pixels })
    }

    /// The values as labels; a negative one is an error.
    pub fn into_labels(self) -> Result<Vec<u32>, DataError> {
        let wide = |value: i32| u32::try_from(value).map_err(|_| value);
        let labels: Result<Vec<u32>, i32> = match self.magic {
            0x0801 => self.values.iter().map(|&value| Ok(value.into())).collect(),
            0x0b01 => (self.values.as_chunks().0.iter())
                .map(|&value| wide(i16::from_be_bytes(value).into()))
                .collect(),
            0x0c01 => {
                (self.values.as_chunks().0.iter()).map(|&value| wide(i32::from_be_bytes(value))).collect()
            }
            // QMNIST's: a row of numbers an image, the class first.
            0x0c02 => {
                let columns = self.sizes.get(1).map_or(1, |&columns| columns as usize);
                let values = self.values.as_chunks().0.iter().step_by(columns);
                values.map(|&value| wide(i32::from_be_bytes(value))).collect()
            }
            _ => return Err(self.error("holds images, expected labels".to_owned())),
        };
        labels.map_err(|value| self.error(format!("label {value}, expected 0 or above")))
    }
}

/// Shape of an image by the sizes of a file, and whether it has a plane for each channel (count, channels, height,
/// width) instead of channels last. Where both the last and the second of four sizes could be channels, they are last.
fn layout(sizes: &[u32]) -> Option<(ImageShape, bool)> {
    let is_channels = |size: u32| ImageShape::CHANNELS.contains(&(size as usize));
    let shape = |height: u32, width: u32, channels: u32| ImageShape {
        height: height as usize,
        width: width as usize,
        channels: channels as usize,
    };
    match *sizes {
        [_, height, width] => Some((shape(height, width, 1), false)),
        [_, height, width, channels] if is_channels(channels) => {
            Some((shape(height, width, channels), false))
        }
        [_, channels, height, width] if is_channels(channels) => {
            Some((shape(height, width, channels), channels > 1))
        }
        _ => None,
    }
}

/// Bytes per value of a file whose magic number suits its kind.
fn value_size(kind: Kind, magic: u32) -> Result<u64, String> {
    match (kind, magic) {
        (Kind::Images, 0x0803 | 0x0804) | (Kind::Labels, 0x0801) => Ok(1),
        (Kind::Labels, 0x0b01) => Ok(2),
        (Kind::Labels, 0x0c01 | 0x0c02) => Ok(4),
        (Kind::Images, _) => Err(wrong_magic(magic, "0x00000803 (u8 images)")),
        (Kind::Labels, _) => {
            Err(wrong_magic(magic, "0x00000801 (u8 labels), 0x00000b01 (i16) or 0x00000c01 (i32)"))
        }
    }
}

/// Why a file does not begin as expected: what it is instead, where its first bytes tell.
fn wrong_magic(magic: u32, expected: &str) -> String {
    let found = format!("magic number is {magic:#010x}, expected {expected}");
    if let Some(format) = formats::name(&magic.to_be_bytes()) {
        let inside = if format == "gzip" { "gzip inside gzip: decompress it once" } else { format };
        return format!("{found}; it is {inside}");
    }
    let is_idx = |magic: u32| {
        magic >> 16 == 0 && matches!(magic >> 8, 0x08..=0x0e) && (1..=8).contains(&(magic & 0xff))
    };
    let (type_of, dimensions) = (magic >> 8, magic & 0xff);
    match magic {
        _ if is_idx(magic.swap_bytes()) => {
            format!("{found}; its byte order is little-endian, expected big-endian")
        }
        _ if is_idx(magic) && type_of == 0x08 && dimensions > 4 => format!(
            "{found}; it has {dimensions} dimensions, expected count × height × width, or one more for channels"
        ),
        _ if is_idx(magic) && type_of != 0x08 && matches!(dimensions, 3 | 4) => {
            format!("{found}; its values are no bytes, expected brightness from 0 to 255")
        }
        _ => found,
    }
}

fn big_endian(source: &mut impl Read) -> Result<u32, String> {
    let mut bytes = [0; 4];
    source.read_exact(&mut bytes).map_err(unreadable)?;
    Ok(u32::from_be_bytes(bytes))
}

fn too_short(found: u64, expected: u64, shape: &str) -> String {
    format!("too short for sizes {shape}: at most {found} bytes, expected {expected}")
}

/// What is wrong with a gzip file that holds all values.
fn badly_ended(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            "all values are there, but the gzip file is cut short or has bytes after its end".to_owned()
        }
        ErrorKind::InvalidInput if error.to_string().contains("header") => {
            "bytes follow the end of the gzip file".to_owned()
        }
        _ => unreadable(error),
    }
}

fn unreadable(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "cut short: ends before its contents do".to_owned(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            format!("corrupt gzip: {error}")
        }
        _ => error.to_string(),
    }
}

/// Sizes as they are read out: `60000 × 28 × 28`.
pub fn times(sizes: &[u32]) -> String {
    sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests;
