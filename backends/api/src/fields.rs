//! What the units of a local layer see.

use std::sync::Arc;

use crate::{BackendError, Result, Shape};

/// The features that each unit of a local layer sees: its receptive field.
///
/// Units stand at places, `channels` of them at each, and those of one place see the same features; nothing else is
/// shared. They are numbered place by place: unit `place · channels + c`. Weights are kept for what is seen alone,
/// `[labels + rows, places · channels]`: in a column of a place, row labels + i multiplies the place's i-th feature. Label rows
/// are those of a dense layer. (arXiv 2212.13345, section 3.2: local receptive fields without weight sharing.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    features: usize,
    channels: usize,
    places: usize,
    rows: usize,
    /// `[places, rows]`.
    seen: Arc<[u32]>,
}

/// Features that follow each other in a place's list and in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where they begin in the list.
    pub at: usize,
    /// The number of the first.
    pub feature: usize,
    /// How many they are.
    pub count: usize,
}

impl Fields {
    /// In the place of a feature: one that is always 0. Fills up the lists of places that see less than others.
    pub const NOTHING: u32 = u32::MAX;

    /// Fields over `features` features, a list of those it sees for each place, in ascending order.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where a list does not ascend, or names a feature that there is not.
    pub fn new(features: usize, channels: usize, lists: &[Vec<u32>]) -> Result<Self> {
        let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
        for list in lists {
            let ascends = list.windows(2).all(|pair| pair[0] < pair[1]);
            let beyond = list.last().map_or(0, |last| *last as usize + 1);
            if !ascends || beyond > features {
                let (left, right) = ((1, beyond), (1, features));
                return Err(BackendError::Shape {
                    operation: "fields",
                    what: "a list of features",
                    left,
                    right,
                });
            }
        }
        let filled = |list: &Vec<u32>| {
            let rest = std::iter::repeat_n(Self::NOTHING, rows - list.len());
            list.iter().copied().chain(rest).collect::<Vec<_>>()
        };
        let (places, seen) = (lists.len(), lists.iter().flat_map(filled).collect());
        Ok(Fields { features, channels, places, rows, seen })
    }

    /// Features of the input.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Units at each place.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Features in each place's list.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of places.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Units of the layer.
    pub fn units(&self) -> usize {
        self.places() * self.channels
    }

    /// All lists, one after the other `[places, rows]`.
    pub fn lists(&self) -> &[u32] {
        &self.seen
    }

    /// The features that the units of a place see, [`NOTHING`](Self::NOTHING) after the last.
    pub fn list(&self, place: usize) -> &[u32] {
        &self.seen[place * self.rows..(place + 1) * self.rows]
    }

    /// Features that a unit sees, each with its row below the labels' in the weights.
    pub fn of_unit(&self, unit: usize) -> impl Iterator<Item = (usize, usize)> {
        let list = self.list(unit / self.channels.max(1)).iter().enumerate();
        list.filter(|(_, feature)| **feature != Self::NOTHING).map(|(row, feature)| (row, *feature as usize))
    }

    /// Entries `part` of a place's list in stretches: what is copied at once.
    pub fn stretches(&self, place: usize, part: std::ops::Range<usize>) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (at, &feature) in self.list(place)[part].iter().enumerate() {
            let feature = feature as usize;
            match stretches.last_mut() {
                _ if feature == Self::NOTHING as usize => {}
                Some(last) if last.feature + last.count == feature => last.count += 1,
                _ => stretches.push(Stretch { at, feature, count: 1 }),
            }
        }
        stretches
    }
}

/// Weights of which each column belongs to a unit that sees all features, or those of its field.
pub trait Connected: Shape {
    /// What each unit sees; none where all see everything.
    fn fields(&self) -> Option<&Fields>;

    /// Rows of weights for an input of `features` features, those of labels left out.
    fn rows_for(&self, features: usize) -> usize {
        self.fields().map_or(features, Fields::rows)
    }

    /// Features of `features` that a column's unit sees, each with its row below the labels' in the weights.
    fn of_column(&self, column: usize, features: usize) -> Vec<(usize, usize)> {
        match self.fields() {
            Some(fields) => fields.of_unit(column).collect(),
            None => (0..features).map(|feature| (feature, feature)).collect(),
        }
    }
}
