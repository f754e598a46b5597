//! IDX sets of any shape, written by hand.

use std::fs;
use std::path::Path;

pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// An IDX file of bytes.
pub fn file(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// A set that can be learnt: class k is a bright bar whose place follows from k, in noise, below a blank
/// first row.
pub fn write_set(folder: &Path, side: usize, classes: usize, train: usize, test: usize) {
    fs::create_dir_all(folder).unwrap();
    let mut state = 7_u32;
    let mut noise = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    for (split, count) in [(0, train), (2, test)] {
        let labels: Vec<u8> = (0..count).map(|i| (i % classes) as u8).collect();
        let mut pixels = Vec::new();
        for &label in &labels {
            let top = 1 + usize::from(label) * (side - 2) / classes;
            for row in 0..side {
                for column in 0..side {
                    let lit = (top..top + 2).contains(&row) && (2..side - 2).contains(&column);
                    let value = if row == 0 { 0 } else { noise(60) + if lit { 120 } else { 0 } };
                    pixels.push(value as u8);
                }
            }
        }
        let (count, side) = (count as u32, side as u32);
        fs::write(folder.join(FILES[split]), file(&[count, side, side], &pixels)).unwrap();
        fs::write(folder.join(FILES[split + 1]), file(&[count], &labels)).unwrap();
    }
}
