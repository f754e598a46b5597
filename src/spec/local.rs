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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_an_image_has_all_channels_of_its_pixels() {
        // Two places of 2×2 pixels, red, green and blue, in an image of 2×3; the label covers the first pixel.
        let image = ImageShape { height: 2, width: 3, channels: 3 };
        let local = LocalKind { grid: [1, 2], stride: 1, field: 2, channels: 5 };
        let lists = |covered| -> Option<Vec<Vec<u32>>> {
            let fields = fields(local, Map::of_image(image), covered)?;
            Some(fields.lists().chunks(fields.rows()).map(<[u32]>::to_vec).collect())
        };
        let rows =
            |first: [u32; 2]| first.into_iter().flat_map(|first| first..first + 6).collect::<Vec<u32>>();
        assert_eq!(lists(0), Some(vec![rows([0, 9]), rows([3, 12])]));
        let part = [0, 1, 2, 6, 7, 8, 9, 10, 11].into_iter().chain([Fields::NOTHING; 3]);
        assert_eq!(lists(3), Some(vec![part.collect(), rows([0, 9])]));
    }
}
