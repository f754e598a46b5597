//! A layer's activities.

use std::rc::Rc;

use ff_backend::{Input, LabelCode, Result, Shape, Weights, shapes};

use crate::args::Args;
use crate::memory::Buffer;
use crate::scratch::Slot;
use crate::{KernelPath, Matrix, OpenCl};

/// Neutral rows read row 0 of the mean of the label rows: mode SAME.
const READS_MEAN: i32 = 2;

impl OpenCl {
    pub(crate) fn product(
        &self,
        input: &Matrix,
        weight: &Matrix,
        first_row: usize,
        out: &mut Matrix,
    ) -> Result<()> {
        shapes::product::<Self>(input, weight, first_row, out)?;
        let nothing = self.scratch(Slot::Partials, 1)?;
        // Nothing but the sums: no squares, scale, label, bias, partials.
        let args = self.product_args(input, weight, first_row, out.rows).flag(true);
        let args = args.buffer(&nothing).int(0).float(0.0).float(1.0);
        let args = args.buffer(&nothing).buffer(&nothing).int(0).int(0).int(0).int(0).float(0.0).float(0.0);
        let args = args.buffer(&nothing).flag(false).matrix(out).buffer(&nothing);
        self.launch_project(out, args)
    }

    pub(crate) fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::project::<Self>(input, layer, out, squares)?;
        let weight = &layer.weight.value;
        let tiles = out.columns.div_ceil(self.tuning.project.columns);
        let partials = self.scratch(Slot::Partials, tiles * out.rows)?;
        let mean = self.mean_of_label_rows(input, weight)?;
        let label_rows = mean.as_deref().unwrap_or(&weight.buffer);
        let args = self
            .product_args(input.features, weight, input.classes(), out.rows)
            .flag(false)
            .matrix(input.squares)
            .input_scale(input)
            .label(input, label_rows, READS_MEAN);
        let args = bias(args, layer).matrix(out).buffer(&partials);
        self.launch_project(out, args)?;
        if self.tuning.path == KernelPath::Portable {
            let args = Args::new().matrix(out).count(out.columns).matrix(squares);
            return self.launch_rows(&self.small.row_squares, out.rows, args);
        }
        let args = Args::new().buffer(&partials).count(tiles).count(out.rows).matrix(squares);
        self.launch_elements(&self.small.add_partials, out.rows, args)
    }

    pub(crate) fn activate(
        &self,
        product: &Matrix,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::activate::<Self>(product, input, layer, out, squares)?;
        let weight = &layer.weight.value;
        let mean = self.mean_of_label_rows(input, weight)?;
        let args = Args::new()
            .matrix(product)
            .count(product.rows)
            .count(product.columns)
            .matrix(input.squares)
            .input_scale(input)
            .label(input, mean.as_deref().unwrap_or(&weight.buffer), READS_MEAN);
        let args = bias(args, layer).matrix(out).matrix(squares);
        self.launch_rows(&self.small.activate, out.rows, args)
    }

    pub(crate) fn dropout(
        &self,
        activities: &mut Matrix,
        rate: f64,
        seed: u32,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::dropout(activities, squares)?;
        let args = Args::new()
            .matrix(activities)
            .count(activities.columns)
            .uint(seed)
            .uint((rate * 4_294_967_296.0) as u32)
            .float(1.0 / (1.0 - rate))
            .matrix(squares);
        self.launch_rows(&self.small.dropout, activities.rows, args)
    }

    pub(crate) fn top_k(
        &self,
        activities: &Matrix,
        k: usize,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::top_k(activities, k, out, squares)?;
        let args =
            Args::new().matrix(activities).count(activities.columns).count(k).matrix(out).matrix(squares);
        self.launch_rows(&self.small.top_k, activities.rows, args)
    }

    /// The first parameters of `project`.
    fn product_args(&self, input: &Matrix, weight: &Matrix, first_row: usize, rows: usize) -> Args {
        Args::new()
            .matrix(input)
            .count(rows)
            .count(input.columns)
            .matrix(weight)
            .count(first_row)
            .count(weight.columns)
            .count(self.rows_per_group(rows, weight.columns))
    }

    fn launch_project(&self, out: &Matrix, args: Args) -> Result<()> {
        let tile = self.tuning.project;
        let rows = self.rows_per_group(out.rows, out.columns);
        let groups = [out.columns.div_ceil(tile.columns), out.rows.div_ceil(rows)];
        self.launch(&self.products.project, groups, self.tuning.product_items(), args)
    }

    /// Rows of a tile of `project`: on a CPU fewer than it could hold if units would idle.
    fn rows_per_group(&self, rows: usize, columns: usize) -> usize {
        let tile = self.tuning.project;
        if self.tuning.path != KernelPath::Portable {
            return tile.rows;
        }
        let across = columns.div_ceil(tile.columns).max(1);
        let wanted = (4 * self.candidate.units).div_ceil(across);
        rows.div_ceil(wanted).next_multiple_of(8).clamp(8, tile.rows)
    }

    /// What neutral rows read instead of one label's row.
    fn mean_of_label_rows(&self, input: &Input<Self>, weight: &Matrix) -> Result<Option<Rc<Buffer>>> {
        let neutral = input.label.filter(|label| matches!(label.code, LabelCode::Neutral));
        let Some(label) = neutral.filter(|label| label.classes > 0) else { return Ok(None) };
        let mean = self.scratch(Slot::LabelMean, weight.columns())?;
        let args = Args::new().matrix(weight).count(label.classes).count(weight.columns).buffer(&mean);
        self.launch_elements(&self.small.label_mean, weight.columns.div_ceil(self.tuning.vector), args)?;
        Ok(Some(mean))
    }
}

/// The bias, or anything in its place and a flag that there is none.
fn bias(args: Args, layer: &Weights<OpenCl>) -> Args {
    match &layer.bias {
        Some(bias) => args.matrix(&bias.value).flag(true),
        None => args.matrix(&layer.weight.value).flag(false),
    }
}
