//! A layer's activities.

use ff_backend::{Connected, Goodness, Input, Result, Weights, shapes};

use crate::args::Args;
use crate::driver::Kernel;
use crate::lists::{self, Marked};
use crate::local::{Seen, places};
use crate::memory::Buffer;
use crate::scratch::Slot;
use crate::{KernelPath, Matrix, OpenCl, Tile};

/// input · weight[first_row.., :]: input `[rows, depth]`, weight `[first_row + depth, columns]`.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub input: &'a Buffer,
    pub rows: usize,
    pub depth: usize,
    pub weight: &'a Buffer,
    pub first_row: usize,
    pub columns: usize,
    /// Blocks of columns, of which each has `depth` features of its own in a row of the input.
    pub places: usize,
}

/// The kernel that multiplies by lists, and marks: of its left operand, and of what it writes, where they are noted.
struct ByLists<'a> {
    kernel: &'a Kernel,
    features: Marked,
    out: Option<Marked>,
}

impl<'a> Product<'a> {
    fn new(seen: &'a Seen, features: usize, weight: &'a Matrix, first_row: usize, out: &Matrix) -> Self {
        Product {
            input: seen.buffer(),
            rows: out.rows,
            depth: weight.rows_for(features),
            weight: &weight.buffer,
            first_row,
            columns: weight.columns,
            places: places(weight),
        }
    }

    /// Tiles of `wide` columns; none reaches beyond its place.
    fn tiles(&self, wide: usize) -> usize {
        self.places * (self.columns / self.places.max(1)).div_ceil(wide)
    }
}

impl OpenCl {
    pub(crate) fn product(
        &self,
        input: &Matrix,
        weight: &Matrix,
        first_row: usize,
        out: &mut Matrix,
    ) -> Result<()> {
        shapes::product::<Self>(input, weight, first_row, out)?;
        let seen = self.seen(input, weight)?;
        out.changed();
        let product = Product::new(&seen, input.columns, weight, first_row, out);
        let by_lists = self.by_lists(&seen, &product)?;
        self.multiply_by(&product, &out.buffer, by_lists)
    }

    /// out = the product and nothing more.
    pub(crate) fn multiply(&self, product: &Product, out: &Buffer) -> Result<()> {
        self.multiply_by(product, out, None)
    }

    fn multiply_by(&self, product: &Product, out: &Buffer, by_lists: Option<ByLists>) -> Result<()> {
        let nothing = self.scratch(Slot::Nothing, 1)?;
        // Nothing but the sums: no squares, scale, label, bias, parts of squares.
        let args = self.product_args(product, &by_lists).flag(true);
        let args = args.buffer(&nothing).int(1).int(0).int(0).float(0.0).float(1.0);
        let args = args.buffer(&nothing).buffer(&nothing).int(0).int(0).int(0).int(0).float(0.0).float(0.0);
        let args = args.buffer(&nothing).flag(false).buffer(out).buffer(&nothing);
        self.launch_project(product, args, by_lists)
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
        let seen = self.seen(input.features, weight)?;
        let product = Product::new(&seen, input.features.columns, weight, input.classes(), out);
        let by_lists = self.by_lists(&seen, &product)?;
        let args = self
            .product_args(&product, &by_lists)
            .flag(false)
            .squares(input.squares)
            .input_scale(input)
            .label(input, weight);
        let args = bias(args, layer).out(out);
        let tiles = product.tiles(self.project_tile(&by_lists).columns);
        if self.tuning.path == KernelPath::Portable || tiles == 0 {
            // Whole rows are added up, in the order of the CPU backend.
            self.launch_project(&product, args.buffer(&squares.buffer), None)?;
            let args = self.args().matrix(out).count(out.columns).out(squares);
            return self.launch_rows(&self.small.row_squares, out.rows, args);
        }
        let args = args.buffer(self.parts(squares, tiles)?);
        // Tiles of local layers begin anywhere in a word.
        let by_lists = match by_lists {
            Some(by_lists) if product.places == 1 => {
                Some(ByLists { out: Some(self.marks_to_fill(out)?), ..by_lists })
            }
            other => other,
        };
        self.launch_project(&product, args, by_lists)
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
        let args = self
            .args()
            .matrix(product)
            .count(product.rows)
            .count(product.columns)
            .squares(input.squares)
            .input_scale(input)
            .label(input, weight);
        let args = bias(args, layer).out(out).out(squares);
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
        let args = self
            .args()
            .changed(activities)
            .count(activities.columns)
            .uint(seed)
            .uint((rate * 4_294_967_296.0) as u32)
            .float(1.0 / (1.0 - rate))
            .out(squares);
        self.launch_rows(&self.small.dropout, activities.rows, args)
    }

    pub(crate) fn measure(
        &self,
        activities: &Matrix,
        goodness: Goodness,
        slopes: &mut Matrix,
        sums: &mut Matrix,
    ) -> Result<()> {
        shapes::measure(activities, goodness, slopes, sums)?;
        let (number, k) = goodness.encoded();
        let args = self.args().matrix(activities).count(activities.columns).int(number).count(k);
        self.launch_rows(&self.small.measure, activities.rows, args.out(slopes).out(sums))
    }

    /// The first parameters of `project`.
    fn product_args(&self, product: &Product, by_lists: &Option<ByLists>) -> Args<'_> {
        let Product { input, rows, depth, weight, first_row, columns, places } = *product;
        self.args()
            .buffer(input)
            .count(rows)
            .count(depth)
            .buffer(weight)
            .count(first_row)
            .count(columns)
            .count(places)
            .count(self.rows_per_group(product, by_lists))
    }

    fn launch_project(&self, product: &Product, args: Args, by_lists: Option<ByLists>) -> Result<()> {
        let rows = self.rows_per_group(product, &by_lists);
        let groups = [product.tiles(self.project_tile(&by_lists).columns), product.rows.div_ceil(rows)];
        let (kernel, args) = match by_lists {
            None => (&self.products.project, args),
            Some(ByLists { kernel, features, out }) => {
                let args = args.buffer(&features.buffer).count(features.words);
                let args = match out {
                    Some(out) => args.buffer(&out.buffer).count(out.words),
                    // Anything stands in for marks that are not noted.
                    None => args.buffer(&features.buffer).count(0),
                };
                (kernel, args)
            }
        };
        self.launch(kernel, groups, self.tuning.product_items(), args)
    }

    /// How a product goes by lists; None where the device's products are made otherwise.
    fn by_lists(&self, seen: &Seen, product: &Product) -> Result<Option<ByLists<'_>>> {
        let Some(lists) = &self.lists else { return Ok(None) };
        let features = self.marks(seen, product.rows, product.places * product.depth)?;
        Ok(Some(ByLists { kernel: &lists.project_by_lists, features, out: None }))
    }

    fn project_tile(&self, by_lists: &Option<ByLists>) -> Tile {
        if by_lists.is_some() { lists::PROJECT } else { self.tuning.project }
    }

    /// Rows of a tile of `project`: on a CPU fewer than it could hold if units would idle.
    fn rows_per_group(&self, product: &Product, by_lists: &Option<ByLists>) -> usize {
        let tile = self.project_tile(by_lists);
        if self.tuning.path != KernelPath::Portable {
            return tile.rows;
        }
        let across = product.tiles(tile.columns).max(1);
        let wanted = (4 * self.candidate.units).div_ceil(across);
        product.rows.div_ceil(wanted).next_multiple_of(8).clamp(8, tile.rows)
    }
}

/// The bias, or anything in its place and a flag that there is none.
pub(crate) fn bias<'a>(args: Args<'a>, layer: &Weights<OpenCl>) -> Args<'a> {
    match &layer.bias {
        Some(bias) => args.matrix(&bias.value).flag(true),
        None => args.matrix(&layer.weight.value).flag(false),
    }
}
