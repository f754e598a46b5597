//! Pictures as people have them, PNG and JPEG of any size and color, as the images that networks read: gray or in color.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, Pixel, Rgb, Rgba,
    RgbaImage,
};

use super::{DataError, ImageShape, formats};
use crate::files::reading;

/// The largest file that is read: more than a camera's.
pub const MOST_BYTES: u64 = 64 << 20;
/// More pixels on a side than cameras have.
const MOST_SIDE: u32 = 20_000;
/// Most bytes that decoding may take.
const MOST_MEMORY: u64 = 192 << 20;

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its size and channels.
    pub shape: ImageShape,
    /// Values, as [`ImageShape`] lays them out; 0 is dark.
    pub pixels: Vec<u8>,
}

/// A picture whose size is known, and whose pixels are not decoded yet.
pub struct Encoded {
    /// Where it comes from, for messages.
    pub path: PathBuf,
    /// Its size, as it is looked at; what channels it has shows when it is decoded.
    pub shape: ImageShape,
    bytes: Vec<u8>,
    format: ImageFormat,
}

impl Encoded {
    /// Reads a file and looks at its header.
    pub fn read(path: &Path) -> Result<Encoded, DataError> {
        let bytes = reading::read(path, MOST_BYTES)
            .map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        Encoded::new(path, bytes)
    }

    /// Looks at the header of a file's bytes.
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Encoded, DataError> {
        let refuse = |problem: String| DataError::Content { path: path.to_owned(), problem };
        let format = match &bytes {
            bytes if bytes.starts_with(b"\x89PNG") => ImageFormat::Png,
            bytes if bytes.starts_with(&[0xff, 0xd8, 0xff]) => ImageFormat::Jpeg,
            bytes => {
                let found = formats::name(bytes).map_or(String::new(), |name| format!("; it is {name}"));
                return Err(refuse(format!("is no PNG or JPEG picture{found}")));
            }
        };
        if format == ImageFormat::Png {
            refuse_broken_palette(&bytes).map_err(refuse)?;
        }
        let mut encoded = Encoded { path: path.to_owned(), shape: ImageShape::gray(0, 0), bytes, format };
        let mut decoder = encoded.decoder()?;
        let (width, height) = decoder.dimensions();
        let turned = decoder.orientation().is_ok_and(|turn| turn.to_exif() >= 5);
        drop(decoder);
        let (width, height) = if turned { (height, width) } else { (width, height) };
        encoded.shape = ImageShape::gray(height as usize, width as usize);
        Ok(encoded)
    }

    /// Decodes the pixels: turned as the camera was held; with one channel or three transparent ones are laid over a
    /// page. With one, colors are as the eye sees their brightness; with more, all channels of gray are alike.
    ///
    /// The page is black under light ink and white under dark ink, whichever the visible pixels are.
    /// Brightness is L = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), in 16-bit fixed point, rounded.
    pub fn decode(&self, channels: usize) -> Result<Picture, DataError> {
        let mut decoder = self.decoder()?;
        let turn = decoder.orientation().map_err(|error| self.unreadable(error))?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| self.unreadable(error))?;
        image.apply_orientation(turn);
        let pixels = match (channels, image) {
            (1, DynamicImage::ImageLuma8(gray)) => gray.into_raw(),
            (1, DynamicImage::ImageRgb8(rgb)) => {
                rgb.as_raw().as_chunks().0.iter().map(|&[r, g, b]| luma(r, g, b)).collect()
            }
            (1, other) => {
                let laid = Laid::over_a_page(other.into_rgba8());
                laid.pixels().map(|&[r, g, b, alpha]| laid.blend(luma(r, g, b), alpha)).collect()
            }
            (4, image) => image.into_rgba8().into_raw(),
            (_, image @ (DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_))) => {
                image.into_rgb8().into_raw()
            }
            (_, other) => {
                let laid = Laid::over_a_page(other.into_rgba8());
                let blend = |&[r, g, b, alpha]: &[u8; 4]| [r, g, b].map(|value| laid.blend(value, alpha));
                laid.pixels().flat_map(blend).collect()
            }
        };
        Ok(Picture { shape: ImageShape { channels, ..self.shape }, pixels })
    }

    fn decoder(&self) -> Result<impl ImageDecoder + '_, DataError> {
        let mut reader = ImageReader::with_format(Cursor::new(self.bytes.as_slice()), self.format);
        let mut limits = Limits::no_limits();
        (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
        limits.max_alloc = Some(MOST_MEMORY);
        reader.limits(limits);
        reader.into_decoder().map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: image::ImageError) -> DataError {
        let format = if self.format == ImageFormat::Png { "PNG" } else { "JPEG" };
        DataError::Content { path: self.path.clone(), problem: format!("not a readable {format}: {error}") }
    }
}

/// The brightness that the eye sees, from 0 to 255.
pub(super) fn luma(r: u8, g: u8, b: u8) -> u8 {
    ((19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + 0x8000) >> 16) as u8
}

/// Pixels that let a page shine through, and the brightness of the page that their ink stands out on.
struct Laid {
    image: RgbaImage,
    page: u32,
}

impl Laid {
    fn over_a_page(image: RgbaImage) -> Laid {
        let mut laid = Laid { image, page: 255 };
        let visible: u64 = laid.pixels().map(|&[.., alpha]| u64::from(alpha)).sum();
        let ink: u64 =
            laid.pixels().map(|&[r, g, b, alpha]| u64::from(luma(r, g, b)) * u64::from(alpha)).sum();
        if ink >= 128 * visible {
            laid.page = 0;
        }
        laid
    }

    fn pixels(&self) -> impl Iterator<Item = &[u8; 4]> {
        self.image.as_raw().as_chunks().0.iter()
    }

    /// A value of a pixel as it looks over the page.
    fn blend(&self, value: u8, alpha: u8) -> u8 {
        let alpha = u32::from(alpha);
        ((u32::from(value) * alpha + self.page * (255 - alpha) + 127) / 255) as u8
    }
}

/// Refuses a PNG whose palette is no list of colors, on which the decoder would panic.
fn refuse_broken_palette(bytes: &[u8]) -> Result<(), String> {
    let mut chunks = bytes.get(8..).unwrap_or_default();
    while let Some((&[l0, l1, l2, l3, ref kind @ ..], rest)) = chunks.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        if kind == b"PLTE" && (!length.is_multiple_of(3) || !(3..=768).contains(&length)) {
            return Err(format!(
                "not a readable PNG: its palette has {length} bytes, expected 3 for each of 1 to 256 colors"
            ));
        }
        // A checksum of four bytes follows.
        match rest.get(length.saturating_add(4)..) {
            Some(next) if kind != b"IDAT" => chunks = next,
            _ => break,
        }
    }
    Ok(())
}

impl Picture {
    /// Light for dark and dark for light.
    pub fn inverted(mut self) -> Picture {
        self.pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        self
    }

    /// Mean of its pixels, 0 to 255.
    pub fn mean(&self) -> f64 {
        let sum: u64 = self.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        sum as f64 / self.pixels.len().max(1) as f64
    }

    /// Stretched or shrunk to a size, whose channels are those there are; pixels that become one are averaged.
    pub fn resized(&self, size: ImageShape) -> Picture {
        match self.shape.channels {
            _ if self.shape.has_size_of(size) => self.clone(),
            1 => self.resampled::<Luma<u8>>(size),
            4 => self.resampled::<Rgba<u8>>(size),
            _ => self.resampled::<Rgb<u8>>(size),
        }
    }

    fn resampled<P: Pixel<Subpixel = u8> + 'static>(&self, size: ImageShape) -> Picture {
        let (width, height) = (self.shape.width as u32, self.shape.height as u32);
        let Some(image) = ImageBuffer::<P, _>::from_raw(width, height, self.pixels.as_slice()) else {
            return self.clone();
        };
        let (width, height) = (size.width as u32, size.height as u32);
        let pixels = imageops::resize(&image, width, height, FilterType::Triangle).into_raw();
        Picture { shape: ImageShape { channels: self.shape.channels, ..size }, pixels }
    }

    /// Brought to a size, its shape kept: in color the largest part in the middle that has the shape of the image; in
    /// gray the ink, as MNIST has it.
    pub fn fitted(&self, size: ImageShape) -> Picture {
        if self.shape.channels == 1 { self.ink_fitted(size) } else { self.middle(size).resized(size) }
    }

    /// The largest part in the middle that has the shape of an image of this size.
    fn middle(&self, size: ImageShape) -> Picture {
        let ImageShape { height, width, channels } = self.shape;
        // Of two sides one is whole, the other in proportion.
        let part = |side: usize, other: usize, of: usize, to: usize| (other * of / to.max(1)).clamp(1, side);
        let shape = ImageShape {
            height: part(height, width, size.height, size.width),
            width: part(width, height, size.width, size.height),
            channels,
        };
        let (top, left) = ((height - shape.height) / 2, (width - shape.width) / 2);
        let rows = self.pixels.chunks(self.shape.columns()).skip(top).take(shape.height);
        let pixels = rows.flat_map(|row| row.iter().skip(left * channels).take(shape.columns()).copied());
        Picture { shape, pixels: pixels.collect() }
    }

    /// As the images of MNIST were made of pages: what is lighter than the edge is ink; its box is scaled to 20/28
    /// of the image, its shape kept, and laid so that its center of mass is the image's center. A picture
    /// without ink becomes a blank image.
    fn ink_fitted(&self, shape: ImageShape) -> Picture {
        let ink = self.ink();
        let Some(box_of_ink) = ink.cut_out() else {
            return Picture { shape, pixels: vec![0; shape.pixels()] };
        };
        let room = |side: usize| (side * 20).div_ceil(28).max(1) as f64;
        let scale = (room(shape.height) / box_of_ink.shape.height as f64)
            .min(room(shape.width) / box_of_ink.shape.width as f64);
        let scaled = |side: usize, most: usize| ((side as f64 * scale).round() as usize).clamp(1, most);
        let small = box_of_ink.resized(ImageShape::gray(
            scaled(box_of_ink.shape.height, shape.height),
            scaled(box_of_ink.shape.width, shape.width),
        ));
        let (row, column) = small.center_of_mass();
        let place = |side: usize, center: f64, size: usize| {
            let start = (side as f64 - 1.0) / 2.0 - center;
            (start.round().max(0.0) as usize).min(side - size)
        };
        let top = place(shape.height, row, small.shape.height);
        let left = place(shape.width, column, small.shape.width);
        let mut pixels = vec![0; shape.pixels()];
        for (row, values) in small.pixels.chunks(small.shape.width).enumerate() {
            let start = (top + row) * shape.width + left;
            pixels[start..start + values.len()].copy_from_slice(values);
        }
        Picture { shape, pixels }
    }

    /// The picture with the brightness of its edge as 0, and its lightest pixel as 255.
    fn ink(&self) -> Picture {
        let ImageShape { height, width, .. } = self.shape;
        let is_edge = |index: usize| {
            let (row, column) = (index / width, index % width);
            row == 0 || column == 0 || row + 1 == height || column + 1 == width
        };
        let pixels = || self.pixels.iter().copied();
        let mut edge: Vec<u8> =
            pixels().enumerate().filter_map(|(index, pixel)| is_edge(index).then_some(pixel)).collect();
        edge.sort_unstable();
        let page = edge.get(edge.len() / 2).copied().unwrap_or(0);
        let range = u32::from(pixels().max().unwrap_or(0).saturating_sub(page)).max(1);
        let stretch = |pixel: u8| (u32::from(pixel.saturating_sub(page)) * 255 / range) as u8;
        Picture { shape: self.shape, pixels: pixels().map(stretch).collect() }
    }

    /// The smallest part that holds all pixels of at least a quarter of full brightness.
    fn cut_out(&self) -> Option<Picture> {
        const INK: u8 = 64;
        let width = self.shape.width;
        let inked =
            || self.pixels.iter().enumerate().filter(|(_, pixel)| **pixel >= INK).map(|(index, _)| index);
        let (top, bottom) = (inked().next()? / width, inked().next_back()? / width);
        let left = inked().map(|index| index % width).min()?;
        let right = inked().map(|index| index % width).max()?;
        let rows = self.pixels.chunks(width).skip(top).take(bottom - top + 1);
        Some(Picture {
            shape: ImageShape::gray(bottom - top + 1, right - left + 1),
            pixels: rows.flat_map(|row| row[left..=right].iter().copied()).collect(),
        })
    }

    /// Row and column of the center of mass; the middle where there is none.
    fn center_of_mass(&self) -> (f64, f64) {
        let ImageShape { height, width, .. } = self.shape;
        let (mut mass, mut rows, mut columns) = (0.0, 0.0, 0.0);
        for (index, &pixel) in self.pixels.iter().enumerate() {
            let weight = f64::from(pixel);
            mass += weight;
            rows += weight * (index / width) as f64;
            columns += weight * (index % width) as f64;
        }
        match mass > 0.0 {
            true => (rows / mass, columns / mass),
            false => ((height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0),
        }
    }
}

/// The pictures below a folder, sorted by their paths; hidden files and links to folders are left out.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut pictures = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| DataError::Io { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if is_picture(&path) {
                pictures.push(path);
            }
        }
    }
    pictures.sort();
    Ok(pictures)
}

/// Whether a file is a picture by its name.
pub fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    ["png", "jpg", "jpeg"].contains(&extension.as_str())
}

#[cfg(test)]
mod tests;
