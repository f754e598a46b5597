//! NumPy's `.npz`: a ZIP archive of arrays. Every array's header is checked before its values are read.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::super::class_names::MOST_CLASSES;
use super::super::pictures::luma;
use super::super::{DataError, ImageShape, Split};
use super::{Imported, Options, divide, name, refuse};
use crate::files::reading;

/// Names of training images and labels, test images and labels: Keras, MedMNIST, others.
const DIVIDED: [[&str; 4]; 4] = [
    ["x_train", "y_train", "x_test", "y_test"],
    ["train_images", "train_labels", "test_images", "test_labels"],
    ["X_train", "y_train", "X_test", "y_test"],
    ["train_x", "train_y", "test_x", "test_y"],
];
/// Names of images and labels that are not divided.
const WHOLE: [[&str; 2]; 5] =
    [["images", "labels"], ["x", "y"], ["X", "y"], ["data", "target"], ["arr_0", "arr_1"]];
/// More images than any set has.
const MOST_ROWS: usize = 50_000_000;
/// More pixels than any image that is learnt from has.
const MOST_PIXELS: usize = 1 << 24;
/// A header of NumPy is a line.
const MOST_HEADER: usize = 1 << 16;

/// The images and labels of one archive.
pub fn read(path: &Path, options: &Options) -> Result<Imported, DataError> {
    let mut archive = Archive::open(path, options)?;
    let names = archive.names();
    let has = |wanted: &[&str]| wanted.iter().all(|name| names.iter().any(|other| other == name));
    if let Some(&[train_images, train_labels, test_images, test_labels]) =
        DIVIDED.iter().find(|wanted| has(wanted.as_slice()))
    {
        let (shape, train) = archive.split(train_images, train_labels)?;
        let (test_shape, test) = archive.split(test_images, test_labels)?;
        return join(path, (shape, train), (test_shape, test), options);
    }
    let Some(&[images, labels]) = WHOLE.iter().find(|wanted| has(wanted.as_slice())) else {
        let there = names.join(", ");
        return Err(refuse(
            path,
            format!("holds {there}, expected x_train, y_train, x_test, y_test, or images, labels"),
        ));
    };
    let (shape, all) = archive.split(images, labels)?;
    let (train, test) = divide(all, options.test_every);
    join(path, (shape, train), (shape, test), options)
}

/// One array an archive, as KMNIST and K49 are published: `…-train-imgs.npz`, `…-train-labels.npz`, and for test.
pub fn read_apart(folder: &Path, paths: &[PathBuf], options: &Options) -> Result<Imported, DataError> {
    let find = |words: [&str; 2]| {
        let mut found = paths.iter().filter(|path| words.iter().all(|word| name(path).contains(word)));
        match (found.next(), found.next()) {
            (Some(path), None) => Ok(path),
            _ => Err(refuse(
                folder,
                format!("expected one .npz with `{}` and `{}` in its name", words[0], words[1]),
            )),
        }
    };
    let split = |part: &str| {
        let (images, labels) = (find([part, "imgs"])?, find([part, "labels"])?);
        let labels = Archive::open(labels, options)?.labels("arr_0")?;
        let (shape, pixels) = Archive::open(images, options)?.images("arr_0", labels.len())?;
        Ok((shape, Split { pixels: pixels.into(), labels }))
    };
    join(folder, split("train")?, split("test")?, options)
}

type Shaped = (ImageShape, Split);

fn join(path: &Path, train: Shaped, test: Shaped, options: &Options) -> Result<Imported, DataError> {
    let ((shape, train), (test_shape, test)) = (train, test);
    let size = options.size.map(|size| ImageShape { channels: shape.channels, ..size });
    for shape_of in [Some(test_shape), size] {
        if let Some(other) = shape_of.filter(|&other| other != shape) {
            return Err(refuse(path, format!("images of {shape} pixels, not {other}")));
        }
    }
    Ok(Imported { shape, class_names: Vec::new(), train, test, notes: Vec::new() })
}

struct Archive {
    path: PathBuf,
    zip: ZipArchive<File>,
    /// Whether three channels are kept.
    color: bool,
}

impl Archive {
    fn open(path: &Path, options: &Options) -> Result<Archive, DataError> {
        let (file, _) =
            reading::open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        let zip =
            ZipArchive::new(file).map_err(|error| refuse(path, format!("not a readable .npz: {error}")))?;
        Ok(Archive { path: path.to_owned(), zip, color: options.color })
    }

    /// The arrays' names.
    fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().flatten();
        names.filter_map(|name| Some(name.strip_suffix(".npy")?.to_owned())).collect()
    }

    /// Images with as many labels.
    fn split(&mut self, images: &str, labels: &str) -> Result<Shaped, DataError> {
        let labels = self.labels(labels)?;
        let (shape, pixels) = self.images(images, labels.len())?;
        Ok((shape, Split { pixels: pixels.into(), labels }))
    }

    fn labels(&mut self, name: &str) -> Result<Vec<u32>, DataError> {
        const ADVICE: &str = "labels.astype(np.uint8), or of words np.unique(labels, return_inverse=True)[1]";
        self.array(name, ADVICE, |header, source| {
            let count = match header.shape[..] {
                [count] | [count, 1] if count <= MOST_ROWS => count,
                _ => {
                    return Err(format!(
                        "has shape {:?}, expected [n] with n up to {MOST_ROWS}",
                        header.shape
                    ));
                }
            };
            let most = MOST_CLASSES as i64;
            header.values(source, count, |value| match value {
                0.. if value < most => Ok(value as u32),
                _ => Err(format!("has label {value}, expected 0 to {}", most - 1)),
            })
        })
    }

    /// Shape and pixels of `rows` images: `[n, h, w]`, `[n, h, w, c]` or `[n, c, h, w]` with one or three channels, or
    /// `[n, side²]`.
    fn images(&mut self, name: &str, rows: usize) -> Result<(ImageShape, Vec<u8>), DataError> {
        const ADVICE: &str = "of floats from 0 to 1, (x * 255).astype(np.uint8)";
        let color = self.color;
        self.array(name, ADVICE, |header, source| {
            let shape = header.shape.as_slice();
            let (count, height, width, channels) = match *shape {
                [n, features] if features.isqrt().pow(2) == features => {
                    (n, features.isqrt(), features.isqrt(), 1)
                }
                [n, height, width] | [n, height, width, 1] | [n, 1, height, width] => (n, height, width, 1),
                [n, height, width, 3] | [n, 3, height, width] => (n, height, width, 3),
                _ => return Err(format!("has shape {shape:?}, expected [n, height, width]")),
            };
            if count != rows {
                return Err(format!("has {count} images, expected {rows} as there are labels"));
            }
            let plane = height.checked_mul(width).filter(|&plane| (1..=MOST_PIXELS).contains(&plane));
            let plane = plane.ok_or_else(|| format!("has images of {height}×{width} pixels"))?;
            let bytes = header.values(source, rows * plane * channels, |value| {
                let value = if header.is_truth { 255 * value } else { value };
                u8::try_from(value).map_err(|_| format!("holds {value}, expected brightness from 0 to 255"))
            })?;
            let planar = channels == 3 && !matches!(shape, [.., 3]);
            let image = ImageShape { height, width, channels };
            let pixels = if planar { image.interleaved(&bytes) } else { bytes };
            if color || channels == 1 {
                return Ok((image, pixels));
            }
            let gray = pixels.as_chunks().0.iter().map(|&[r, g, b]| luma(r, g, b)).collect();
            Ok((ImageShape::gray(height, width), gray))
        })
    }

    /// Reads an array by its header; an error of `read` is what is wrong with it, and `advice` what makes whole numbers of
    /// others.
    fn array<T>(
        &mut self,
        name: &str,
        advice: &str,
        read: impl FnOnce(&Header, &mut dyn Read) -> Result<T, String>,
    ) -> Result<T, DataError> {
        let broken = |problem: String| refuse(&self.path, format!("array {name} {problem}"));
        let mut file = self.zip.by_name(&format!("{name}.npy")).map_err(|error| broken(error.to_string()))?;
        let header = Header::read(&mut file, advice).map_err(broken)?;
        read(&header, &mut BufReader::new(file)).map_err(broken)
    }
}

/// The header of an array of whole numbers.
struct Header {
    /// Bytes of a value.
    size: usize,
    big_endian: bool,
    signed: bool,
    /// Whether values are true or false.
    is_truth: bool,
    /// Whether the first index varies fastest.
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads the head of `.npy`: magic, version, the length of the rest, a Python dict.
    fn read(source: &mut impl Read, advice: &str) -> Result<Header, String> {
        let unreadable = |error: std::io::Error| format!("is not readable: {error}");
        let mut head = [0; 10];
        source.read_exact(&mut head).map_err(unreadable)?;
        let length = match head {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high] => {
                usize::from(u16::from_le_bytes([low, high]))
            }
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, low, high] => {
                let mut rest = [0; 2];
                source.read_exact(&mut rest).map_err(unreadable)?;
                u32::from_le_bytes([low, high, rest[0], rest[1]]) as usize
            }
            _ => return Err("is no NumPy array".to_owned()),
        };
        if length > MOST_HEADER {
            return Err(format!("has a header of {length} bytes, expected at most {MOST_HEADER}"));
        }
        let mut text = vec![0; length];
        source.read_exact(&mut text).map_err(unreadable)?;
        let text = String::from_utf8_lossy(&text);
        let kind = quoted(&text, "'descr'").ok_or("has records, expected whole numbers")?;
        let (big_endian, size, signed) = match kind.as_bytes() {
            [order, b'u', size @ (b'1' | b'2' | b'4' | b'8')] => (*order == b'>', size - b'0', false),
            [order, b'i', size @ (b'1' | b'2' | b'4' | b'8')] => (*order == b'>', size - b'0', true),
            [_, b'b', b'1'] => (false, 1, false),
            _ => {
                return Err(format!("has values of type {kind}, expected whole numbers: {advice}"));
            }
        };
        let order = text.split("'fortran_order'").nth(1).unwrap_or_default();
        let fortran = order.trim_start_matches([':', ' ']).starts_with("True");
        let shape = shape(&text).ok_or("has a header without a shape")?;
        let is_truth = kind.as_bytes().get(1) == Some(&b'b');
        Ok(Header { size: size.into(), big_endian, signed, is_truth, fortran, shape })
    }

    /// `count` values, which are all, in the order in which the last index varies fastest.
    fn values<T: Copy>(
        &self,
        source: &mut dyn Read,
        count: usize,
        convert: impl Fn(i64) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut values = Vec::new();
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..self.size).unwrap_or_default();
        for found in 0..count {
            let read = source.read_exact(bytes);
            read.map_err(|_| format!("is cut short: {found} values, expected {count}"))?;
            values.push(convert(number(bytes, self.big_endian, self.signed))?);
        }
        Ok(if self.fortran { in_c_order(&values, &self.shape) } else { values })
    }
}

/// The value of a key whose value is a quoted word.
fn quoted<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let rest = header.split(key).nth(1)?.trim_start_matches([':', ' ']);
    let rest = rest.strip_prefix('\'')?;
    rest.split('\'').next()
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let rest = header.split("'shape'").nth(1)?;
    let inside = rest.split_once('(')?.1.split_once(')')?.0;
    inside.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
}

fn number(bytes: &[u8], big_endian: bool, signed: bool) -> i64 {
    let fold = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
    let value = match big_endian {
        true => bytes.iter().fold(0, fold),
        false => bytes.iter().rev().fold(0, fold),
    };
    let unused = 64 - 8 * bytes.len() as u32;
    match signed {
        true => (value << unused) as i64 >> unused,
        false => i64::try_from(value).unwrap_or(i64::MAX),
    }
}

/// Values whose first index varies fastest, in the order in which the last does.
fn in_c_order<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = Vec::new();
    let mut stride = 1;
    for &size in shape {
        strides.push(stride);
        stride *= size;
    }
    let place = |mut index: usize| {
        let sizes = shape.iter().zip(&strides).rev();
        sizes.fold(0, |place, (&size, &stride)| {
            let at = index % size;
            index /= size;
            place + at * stride
        })
    };
    (0..values.len()).filter_map(|index| values.get(place(index)).copied()).collect()
}
