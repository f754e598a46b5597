//! What the units of a local layer see of the map below.

use ff_backend::Fields;

use crate::config::LocalKind;
use crate::data::ImageShape;

/// Features as a map: place by place, row by row, all channels of a place together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Rows of places.
    pub rows: usize,
    /// Columns of places.
    pub columns: usize,
    /// Features of each place.
    pub channels: usize,
}

impl Map {
    /// An image: its pixels, each with its channels.
    pub(super) fn of_image(image: ImageShape) -> Self {
        Map { rows: image.height, columns: image.width, channels: image.channels }
    }

    /// What a local layer puts out.
    pub(super) fn of_layer(local: LocalKind) -> Self {
        let LocalKind { grid: [rows, columns], channels, .. } = local;
        Map { rows, columns, channels }
    }

    fn features(self) -> usize {
        self.rows * self.columns * self.channels
    }
}

/// The fields of a local layer on a map of which the first `covered` features are not there: the pixels under a label.
///
/// Place (i, j) sees the places i · stride .. i · stride + field of the map's rows, the same of its columns, and all
/// channels: in ascending order. None where such lists cannot be: sizes that
/// [`Config::check_map`](crate::config::Config::check_map) refuses.
pub(super) fn fields(local: LocalKind, below: Map, covered: usize) -> Option<Fields> {
    let LocalKind { grid: [rows, columns], stride, field, channels } = local;
    let span = |i: usize, extent: usize| (i * stride).min(extent)..(i * stride + field).min(extent);
    let seen = |i: usize, j: usize| {
        let features = span(i, below.rows).flat_map(move |y| {
            let places = span(j, below.columns).map(move |x| y * below.columns + x);
            places.flat_map(move |place| place * below.channels..(place + 1) * below.channels)
        });
        features.filter_map(|feature| u32::try_from(feature.checked_sub(covered)?).ok()).collect::<Vec<_>>()
    };
    let lists: Vec<_> =
        (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).map(|(i, j)| seen(i, j)).collect();
    Fields::new(below.features().saturating_sub(covered), channels, &lists).ok()
}
