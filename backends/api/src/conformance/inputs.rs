//! Cases of `gather`, `center` and `hybrid`.

use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, IndexSlice, Result};

/// Entries of lists before this one must not be read.
const OFFSET: usize = 3;

/// How far images move.
#[derive(Clone, Copy, Debug)]
enum Shifts {
    None,
    /// By up to 3 pixels.
    Small,
    /// By anything that can be said, most of it beyond the image.
    Any,
    /// By −128 both ways.
    Least,
    /// By 127 both ways.
    Most,
}

/// `gather`.
#[derive(Debug)]
pub struct Gather {
    rows: usize,
    height: usize,
    width: usize,
    skip: usize,
    shifts: Shifts,
}

impl Case for Gather {
    const OPERATION: &'static str = "gather";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason =
            "one division, which OpenCL lets be off by 2.5 units in the last place; a pixel of 0 stays 0";
        Tolerance { relative: 3.0 * precision.epsilon, absolute: 0.0, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        // MNIST's, one that is large, three channels, none.
        const SIZES: [[usize; 3]; 4] = [[64, 28, 28], [7, 200, 150], [31, 32, 32 * 3], [0, 28, 28]];
        const SHIFTS: [Shifts; 5] = [Shifts::None, Shifts::Small, Shifts::Any, Shifts::Least, Shifts::Most];
        let shapes = effort.shapes(1_000_000).into_iter().chain(SIZES);
        let mut cases = Vec::new();
        for [rows, height, width] in shapes {
            let pixels = height * width;
            for (i, skip) in [0, 1, 10, pixels - 1].into_iter().filter(|skip| *skip < pixels).enumerate() {
                let shifts = SHIFTS[(rows + width + i) % SHIFTS.len()];
                cases.push(Gather { rows, height, width, skip, shifts });
            }
        }
        let options = SHIFTS.iter().flat_map(|&shifts| [0, 10].map(|skip| (shifts, skip)));
        cases.extend(options.map(|(shifts, skip)| Gather { rows: 61, height: 9, width: 7, skip, shifts }));
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        const IMAGES: usize = 5;
        let pixels = trial.draw.pixels(IMAGES * self.height * self.width);
        let images = trial.backend.images(&pixels.clone().into(), self.height, self.width)?;
        let mut rows = trial.draw.indices(OFFSET, self.rows, IMAGES);
        if let Some(last) = rows[OFFSET..].last_mut() {
            *last = IMAGES as u32 - 1;
        }
        let rows = trial.listed("rows", &rows)?;
        let mut shifts = vec![0; OFFSET + 1];
        for _ in 0..self.rows {
            let (dy, dx) = match self.shifts {
                Shifts::None => (128, 128),
                Shifts::Small => (125 + trial.draw.below(7), 125 + trial.draw.below(7)),
                Shifts::Any => (trial.draw.below(256), trial.draw.below(256)),
                Shifts::Least => (0, 0),
                Shifts::Most => (255, 255),
            };
            shifts.push((dy * 256 + dx) as u32);
        }
        let shifts = trial.listed("shifts", &shifts)?;
        let columns = self.height * self.width - self.skip;
        let (mut out, mut squares) = (trial.poisoned(self.rows, columns)?, trial.poisoned(1, self.rows)?);
        let shifts = (!matches!(self.shifts, Shifts::None))
            .then_some(IndexSlice { indices: &*shifts, offset: OFFSET + 1 });
        let rows = IndexSlice { indices: &*rows, offset: OFFSET };
        trial.backend.gather(&images, rows, shifts, self.skip, &mut out, &mut squares)?;
        trial.close("out", &out, Scale::Largest)?;
        trial.squares_of(&out, &squares, 0)
    }
}

/// `center`.
#[derive(Debug)]
pub struct Center {
    rows: usize,
    columns: usize,
}

impl Case for Center {
    const OPERATION: &'static str = "center";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "a mean of numbers from 0 to 1, whose sum a backend adds up in an order of its own, \
                      subtracted from them";
        Tolerance { relative: 0.0, absolute: 2.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        // No rows, one feature, an image of three channels.
        let shapes = effort.shapes(1_000_000).into_iter().chain([[0, 7], [5, 1], [31, 3072]]);
        shapes.map(|[rows, columns]| Center { rows, columns }).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let mut x = trial.draw.matrix(self.rows, self.columns, |draw| draw.between(0.0, 1.0));
        // Rows of one value become 0: a residue would be as good as any image once it is normalized.
        let flat = [0.0, 1.0, 0.3];
        for (values, flat) in x.values.chunks_mut(self.columns.max(1)).zip(flat) {
            values.fill(flat);
        }
        let (mut centered, mut squares) = (trial.place(&x)?, trial.poisoned(1, self.rows)?);
        trial.backend.center(&mut centered, &mut squares)?;
        // In 16 lanes or more a mean of n terms is off by n / 16 roundings at most; that many all go one way only where
        // they are few.
        let roundings = 2.0 + (self.columns as f64 / 16.0).min(32.0);
        trial.close("x", &centered, Scale::Uniform(roundings))?;
        let left =
            trial.values(&centered)?.iter().take(flat.len() * self.columns).filter(|x| **x != 0.0).count();
        trial.finding("features left of rows of one value", vec![left as f64]);
        trial.squares_of(&centered, &squares, 0)
    }
}

/// `hybrid`.
#[derive(Debug)]
pub struct Hybrid {
    pairs: usize,
    pixels: usize,
}

impl Case for Hybrid {
    const OPERATION: &'static str = "hybrid";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "a sum of two products of numbers from 0 to 1, the mask one division";
        Tolerance { relative: 0.0, absolute: 4.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(1_000_000).into_iter().chain([[0, 7]]);
        shapes.map(|[pairs, pixels]| Hybrid { pairs, pixels }).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        const MASKS: usize = 4;
        let mut bytes = trial.draw.pixels(MASKS * self.pixels);
        // The extremes choose one image or the other.
        bytes[..self.pixels].fill(0);
        bytes[self.pixels..2 * self.pixels].fill(255);
        let masks = trial.backend.images(&bytes.clone().into(), 1, self.pixels)?;
        let which = trial.draw.indices(OFFSET, self.pairs, MASKS);
        let which = trial.listed("which", &which)?;
        let x = trial.draw.matrix(2 * self.pairs, self.pixels, |draw| draw.between(0.0, 1.0));
        let (mut mixed, mut squares) = (trial.place(&x)?, trial.place(&x.squares())?);
        let which = IndexSlice { indices: &*which, offset: OFFSET };
        trial.backend.hybrid(&mut mixed, &masks, which, &mut squares)?;
        let mut scales = vec![0.0; self.pairs * self.pixels];
        scales.resize(2 * self.pairs * self.pixels, 1.0);
        trial.close("x", &mixed, Scale::Each(scales))?;
        let before = trial.values(&squares)?[..self.pairs].to_vec();
        trial.finding("squares of the first half", before);
        trial.squares_of(&mixed, &squares, self.pairs)
    }
}
