//! What first-layer units see, as pictures: which row of their weights belongs to which channel of which pixel.

use crate::config::LocalKind;
use crate::data::ImageShape;

/// The pictures of a first layer's weights `[fan_in, units]`: the whole image, or the field of a unit's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPictures {
    image: ImageShape,
    /// Rows of the weights before the first pixel's.
    label_rows: usize,
    /// First values of the image that carry the label instead, and have no rows of their own.
    covered: usize,
    local: Option<LocalKind>,
}

impl FieldPictures {
    /// Those of a layer on images of this shape, behind so many rows for labels; `covered` values are under a label.
    pub fn new(image: ImageShape, label_rows: usize, covered: usize, local: Option<LocalKind>) -> Self {
        FieldPictures { image, label_rows, covered, local }
    }

    /// Rows of a picture, in pixels.
    pub fn height(&self) -> usize {
        self.local.map_or(self.image.height, |local| local.field)
    }

    /// Columns of a picture, in pixels.
    pub fn width(&self) -> usize {
        self.local.map_or(self.image.width, |local| local.field)
    }

    /// Values of a pixel.
    pub fn channels(&self) -> usize {
        self.image.channels
    }

    /// Values of a picture: height · width · channels.
    pub fn values(&self) -> usize {
        self.height() * self.width() * self.channels()
    }

    /// Which `count` of `units` units to show, or fewer: one of each place in turn.
    pub fn shown(&self, units: usize, count: usize) -> Vec<usize> {
        let channels = self.local.map_or(units, |local| local.channels).max(1);
        let places = (units / channels).max(1);
        (0..count.min(units)).map(|i| (i % places * channels + i / places).min(units - 1)).collect()
    }

    /// The row of the weights that a value of a unit's picture has, which is row-major with channels last; none under a
    /// label, or beyond the image.
    pub fn row(&self, unit: usize, value: usize) -> Option<usize> {
        let [top, left] = self.local.map_or([0, 0], |LocalKind { grid, stride, channels, .. }| {
            let place = unit / channels.max(1);
            [place / grid[1].max(1), place % grid[1].max(1)].map(|i| i.saturating_mul(stride))
        });
        let (width, channels) = (self.width().max(1), self.channels().max(1));
        let number = |value: usize| {
            let (pixel, channel) = (value / channels, value % channels);
            let (y, x) = (top.saturating_add(pixel / width), left.saturating_add(pixel % width));
            let inside = y < self.image.height && x < self.image.width;
            inside.then_some((y * self.image.width + x) * channels + channel)
        };
        number(value).filter(|number| *number >= self.covered)?;
        // Those under the label come before all others of the field.
        let covered = (0..value).filter_map(number).take_while(|number| *number < self.covered).count();
        Some(self.label_rows + value - covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: ImageShape = ImageShape::gray(28, 28);
    const LOCAL: LocalKind = LocalKind { grid: [4, 4], stride: 6, field: 10, channels: 128 };

    #[test]
    fn a_field_begins_where_its_place_does() {
        let pictures = FieldPictures::new(IMAGE, 10, 10, Some(LOCAL));
        assert_eq!((pictures.height(), pictures.width()), (10, 10));
        // Ten pixels of the image's first row are under the label: all of place 0's, four of place 1's.
        assert_eq!([0, 9, 10, 11].map(|pixel| pictures.row(127, pixel)), [None, None, Some(10), Some(11)]);
        assert_eq!([0, 3, 4, 10].map(|pixel| pictures.row(128, pixel)), [None, None, Some(10), Some(16)]);
        assert_eq!([0, 99].map(|pixel| pictures.row(15 * 128, pixel)), [Some(10), Some(109)]);
    }

    #[test]
    fn a_field_of_colors_has_all_channels_of_its_pixels() {
        // Places of 2×2 pixels in an image of 2×4; the label covers the first pixel and the red of the second.
        let image = ImageShape { height: 2, width: 4, channels: 3 };
        let local = LocalKind { grid: [1, 2], stride: 2, field: 2, channels: 5 };
        let pictures = FieldPictures::new(image, 4, 4, Some(local));
        assert_eq!((pictures.height(), pictures.width(), pictures.values()), (2, 2, 12));
        assert_eq!([2, 3, 4, 6].map(|value| pictures.row(4, value)), [None, None, Some(4), Some(6)]);
        assert_eq!([0, 11].map(|value| pictures.row(5, value)), [Some(4), Some(15)]);
    }

    #[test]
    fn every_place_is_shown_in_turn() {
        let pictures = FieldPictures::new(IMAGE, 0, 0, Some(LOCAL));
        assert_eq!(pictures.shown(2048, 60)[..3], [0, 128, 256]);
        assert_eq!(pictures.shown(2048, 60)[16..18], [1, 129]);
        assert_eq!(FieldPictures::new(IMAGE, 0, 0, None).shown(3, 60), [0, 1, 2]);
    }
}
