//! What a layer reads.

use super::matrix::Matrix;
use crate::host::Indices;
use crate::{Backend, Input, LabelCode};

/// z of one row: label features, then the others, normalized as the input says.
pub(super) fn normalized_row<B: Backend<Matrix = Matrix, Indices = Indices>>(
    input: &Input<B>,
    row: usize,
) -> Vec<f64> {
    let shared = row % input.features.rows;
    let scale = input.scale(input.squares.values[shared]);
    let mut z = Vec::new();
    if let Some(label) = input.label {
        let label_scale = input.label_scale(scale);
        for c in 0..label.classes {
            let active = match label.code {
                LabelCode::Each(labels) => f64::from(u8::from(labels.entry(row) == c)),
                LabelCode::Same(same) => f64::from(u8::from(same as usize == c)),
                LabelCode::Neutral => 1.0 / label.classes as f64,
            };
            z.push(active * label_scale);
        }
    }
    z.extend((0..input.features.columns).map(|f| scale * input.features.at(shared, f)));
    z
}
