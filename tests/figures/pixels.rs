//! A PNG as pixels.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

pub struct Pixels {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    pub fn read(path: &Path) -> Self {
        let file = BufReader::new(File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        Self { width: info.width as usize, height: info.height as usize, rgb }
    }

    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 3;
        self.rgb[start..start + 3].try_into().unwrap()
    }

    /// Where pixels of exactly this color lie, left of `right`.
    pub fn of_color(&self, color: [u8; 3], right: usize) -> Vec<(usize, usize)> {
        (0..self.height)
            .flat_map(|y| (0..right.min(self.width)).map(move |x| (x, y)))
            .filter(|(x, y)| self.at(*x, *y) == color)
            .collect()
    }

    /// Mean difference of channels, and the share of channels that differ by more than 64.
    pub fn difference(&self, other: &Self) -> (f64, f64) {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let gaps = self.rgb.iter().zip(&other.rgb).map(|(a, b)| f64::from(a.abs_diff(*b)));
        let count = self.rgb.len() as f64;
        let far = gaps.clone().filter(|gap| *gap > 64.0).count() as f64;
        (gaps.sum::<f64>() / count, far / count)
    }
}
