//! What first-layer units see, as pictures: which row of their weights belongs to which pixel.

use crate::config::LocalKind;
use crate::data::ImageShape;

/// The pictures of a first layer's weights `[fan_in, units]`: the whole image, or the field of a unit's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPictures {
    image: ImageShape,
    /// Rows of the weights before the first pixel's.
    label_rows: usize,
    /// First pixels of the image that carry the label instead, and have no rows of their own.
    covered: usize,
    local: Option<LocalKind>,
}

impl FieldPictures {
    /// Those of a layer on images of this shape, behind so many rows for labels; `covered` pixels are under a label.
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

    /// Which `count` of `units` units to show, or fewer: one of each place in turn.
    pub fn shown(&self, units: usize, count: usize) -> Vec<usize> {
        let channels = self.local.map_or(units, |local| local.channels).max(1);
        let places = (units / channels).max(1);
        (0..count.min(units)).map(|i| (i % places * channels + i / places).min(units - 1)).collect()
    }

    /// The row of the weights that pixel `pixel` of a unit's picture has; none under a label, or beyond the image.
    pub fn row(&self, unit: usize, pixel: usize) -> Option<usize> {
        let [top, left] = self.local.map_or([0, 0], |LocalKind { grid, stride, channels, .. }| {
            let place = unit / channels.max(1);
            [place / grid[1].max(1) * stride, place % grid[1].max(1) * stride]
        });
        let number = |pixel: usize| {
            let (y, x) = (top + pixel / self.width().max(1), left + pixel % self.width().max(1));
            (y < self.image.height && x < self.image.width).then_some(y * self.image.width + x)
        };
        number(pixel).filter(|number| *number >= self.covered)?;
        // Those under the label come before all others of the field.
        let covered = (0..pixel).filter_map(number).take_while(|number| *number < self.covered).count();
        Some(self.label_rows + pixel - covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: ImageShape = ImageShape { height: 28, width: 28 };
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
    fn every_place_is_shown_in_turn() {
        let pictures = FieldPictures::new(IMAGE, 0, 0, Some(LOCAL));
        assert_eq!(pictures.shown(2048, 60)[..3], [0, 128, 256]);
        assert_eq!(pictures.shown(2048, 60)[16..18], [1, 129]);
        assert_eq!(FieldPictures::new(IMAGE, 0, 0, None).shown(3, 60), [0, 1, 2]);
    }
}
