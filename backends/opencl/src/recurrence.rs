//! Steps of layers that are driven from below and from above, and damped.

use ff_backend::{Input, Result, Weights, shapes};

use crate::forward::bias;
use crate::{Matrix, OpenCl};

impl OpenCl {
    pub(crate) fn drive(
        &self,
        product: &Matrix,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::drive::<Self>(product, input, above, layer, out, squares)?;
        let args = self
            .args()
            .matrix(product)
            .count(product.rows)
            .count(product.columns)
            .squares(input.squares)
            .input_scale(input)
            .squares(above.squares)
            .input_scale(above);
        let args = bias(args, layer).changed(out).out(squares);
        self.launch_rows(&self.small.drive, out.rows, args)
    }

    pub(crate) fn damp(
        &self,
        before: &Matrix,
        keep: f64,
        computed: &mut Matrix,
        state: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::damp(before, computed, state, squares)?;
        let args = self.args().matrix(before).count(before.columns).float(keep).float(1.0 - keep);
        let args = args.changed(computed).out(state).out(squares);
        self.launch_rows(&self.small.damp, state.rows, args)
    }
}
