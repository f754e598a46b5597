//! The fast backend: OpenCL kernels.
//!
//! [`devices`] lists what there is, [`choose`] takes one by name, and [`OpenCl`] runs the algorithm on it.
//! Kernels are plain files in `kernels/`. Operations only enqueue, on one in-order queue; `download`,
//! `upload` and `synchronize` wait. No atomics: the same device gives the same bits twice.

mod args;
mod codes;
mod devices;
mod discovery;
mod driver;
mod forward;
mod inputs;
mod labels;
mod learn;
mod lists;
mod local;
mod memory;
mod profile;
mod program;
mod recurrence;
mod scratch;
mod similarity;
mod tensor_cores;
mod trial;
mod tune;
mod tuning;

use std::rc::Rc;

use ff_backend::host::Pixels;
use ff_backend::{
    Along, Backend, BackendError, Delta, DeviceInfo, Fields, Goodness, Gradient, IndexSlice, Input,
    Normalization, Objective, Result, Rule, Tally, Weights, shapes,
};

pub use devices::{Candidate, Kind, choose, devices, failures, gpu};
pub use memory::{Images, Indices, Matrix};
pub use program::Source;
pub use tune::{TuneResult, recall, remember, tune};
pub use tuning::{KernelPath, Tile, Tuning};

use args::Args;
use driver::{Context, Kernel, Queue};
use memory::Pool;
use program::{Lists, Products, Small};
use scratch::Scratch;

/// Arithmetic of the products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision.
    #[default]
    Fp32,
    /// Operands rounded to 11 bits on NVIDIA's tensor cores, sums in single precision.
    Tf32,
}

/// What a backend may be told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Arithmetic of the products.
    pub precision: Precision,
    /// Whether work is left out whose result is known: rows with a coefficient of 0 in gradients and, on a GPU, whatever is 0
    /// in products, which go by lists then, in single precision.
    pub exact_shortcuts: bool,
    /// Forces a kernel path.
    pub path: Option<KernelPath>,
    /// Numbers to compile the kernels with, instead of the device's or the path's own.
    pub tuning: Option<Tuning>,
    /// Numbers to compile the products on tensor cores with, where [`Precision::Tf32`] is asked for.
    pub tensor_cores: Option<Tuning>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            precision: Precision::Fp32,
            exact_shortcuts: true,
            path: None,
            tuning: None,
            tensor_cores: None,
        }
    }
}

/// A backend on one OpenCL device. It belongs to one thread.
pub struct OpenCl {
    candidate: Candidate,
    tuning: Tuning,
    exact_shortcuts: bool,
    notes: Vec<String>,
    pool: Pool,
    small: Small,
    products: Products,
    /// None where products are made otherwise.
    lists: Option<Lists>,
    scratch: Scratch,
    queue: Rc<Queue>,
    context: Context,
}

impl OpenCl {
    /// Builds the kernels for a device.
    ///
    /// Tensor cores that are asked for and cannot be had, or that fail their check, leave a note.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] if no tuning fits the device and its compiled kernels,
    /// [`BackendError::Build`] if its compiler refuses them, and the driver's own errors.
    pub fn new(candidate: Candidate, options: Options) -> Result<Self> {
        let context = Context::new(candidate.id)?;
        let queue = Queue::new(&context, candidate.id)?;
        let tunings = match (options.tuning, options.path) {
            (Some(tuning), _) => vec![tuning],
            (None, Some(path)) => vec![Tuning::of_path(path)],
            (None, None) => Tuning::defaults_for(&candidate),
        };
        let (small, products, tuning) = cut_kernels(&context, &candidate, &tunings)?;
        let by_lists = options.exact_shortcuts && tuning.path != KernelPath::Portable;
        let lists = if by_lists { Lists::new(&context, &candidate, &tuning)? } else { None };
        let mut backend = OpenCl {
            tuning,
            exact_shortcuts: options.exact_shortcuts,
            notes: Vec::new(),
            pool: Pool::new(&candidate),
            small,
            products,
            lists,
            scratch: Scratch::default(),
            queue,
            context,
            candidate,
        };
        if options.precision == Precision::Tf32 && backend.precision() != Precision::Tf32 {
            backend.adopt_tensor_cores(options.tensor_cores);
        }
        Ok(backend)
    }

    /// What was asked for and could not be had.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The device it runs on.
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// The numbers its kernels were compiled with.
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// Arithmetic of the products.
    pub fn precision(&self) -> Precision {
        if self.tuning.path.is_tf32() { Precision::Tf32 } else { Precision::Fp32 }
    }

    /// Launches, and kernel arguments that were set for them, since the backend was made.
    pub fn launches(&self) -> (usize, usize) {
        self.queue.counts()
    }

    /// Enqueues one of our kernels; none is too many. Shapes were checked before.
    fn launch(&self, kernel: &Kernel, groups: [usize; 2], items: [usize; 2], args: Args) -> Result<()> {
        if groups.contains(&0) {
            return Ok(());
        }
        let args = args.take()?;
        // SAFETY: every caller lists the parameters of its kernel, with operands of the shapes that
        // `ff_backend::shapes` let pass.
        unsafe { self.queue.launch(kernel, groups, items, &args) }
    }

    /// A kernel with one work-group of `ITEMS` per row.
    fn launch_rows(&self, kernel: &Kernel, rows: usize, args: Args) -> Result<()> {
        self.launch(kernel, [rows, 1], [self.tuning.items, 1], args)
    }

    /// A kernel with one work-item for each of `count` elements.
    fn launch_elements(&self, kernel: &Kernel, count: usize, args: Args) -> Result<()> {
        self.launch(kernel, [count.div_ceil(self.tuning.items), 1], [self.tuning.items, 1], args)
    }

    /// A kernel that is one work-group.
    fn launch_group(&self, kernel: &Kernel, args: Args) -> Result<()> {
        self.launch(kernel, [1, 1], [self.tuning.group, 1], args)
    }

    /// A kernel that sums `columns` columns.
    fn launch_columns(&self, kernel: &Kernel, columns: usize, args: Args) -> Result<()> {
        let (lanes, slices) = self.tuning.lanes;
        let groups = columns.div_ceil(lanes * self.tuning.vector);
        self.launch(kernel, [groups, 1], [lanes, slices], args)
    }
}

/// Kernels by the first of `tunings` that the device and its compiler take; else the first error.
fn cut_kernels(
    context: &Context,
    candidate: &Candidate,
    tunings: &[Tuning],
) -> Result<(Small, Products, Tuning)> {
    let mut refused = None;
    for &tuning in tunings {
        match cut_kernels_to(context, candidate, tuning) {
            Err(error @ (BackendError::Unsupported(_) | BackendError::Build { .. })) => {
                refused.get_or_insert(error);
            }
            other => return other,
        }
    }
    Err(refused.unwrap_or_else(|| BackendError::Unsupported(format!("no kernels for {candidate}"))))
}

/// Kernels by this tuning; with smaller work-groups where a kernel, once compiled, cannot have as large ones.
fn cut_kernels_to(
    context: &Context,
    candidate: &Candidate,
    mut tuning: Tuning,
) -> Result<(Small, Products, Tuning)> {
    tuning.check(candidate)?;
    let mut small = Small::new(context, candidate, &tuning)?;
    while small.largest_group(candidate) < tuning.small_items() {
        tuning = tuning.with_items(small.largest_group(candidate));
        small = Small::new(context, candidate, &tuning)?;
    }
    let products = Products::new(context, candidate, &tuning)?;
    let (largest, wanted) = (products.largest_group(candidate), tuning.product_items()[0]);
    if largest < wanted {
        return Err(BackendError::Unsupported(format!(
            "{candidate} runs the compiled products in work-groups of {largest}, {wanted} are needed"
        )));
    }
    Ok((small, products, tuning))
}

/// Each operation is the method of the same name in the file of its part.
impl Backend for OpenCl {
    type Real = f32;
    type Matrix = Matrix;
    type Weight = Matrix;
    type Indices = Indices;
    type Images = Images;

    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: self.candidate.selector(),
            device: self.candidate.name.clone(),
            driver: format!("{} {}", self.candidate.platform_name, self.candidate.driver),
            units: self.candidate.units,
            memory_bytes: self.candidate.memory_bytes,
            precision: match self.precision() {
                Precision::Fp32 => "fp32".into(),
                Precision::Tf32 => "tf32".into(),
            },
        }
    }

    fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Matrix> {
        self.local_weight(labels, fields)
    }

    fn indices(&self, len: usize) -> Result<Indices> {
        let bytes = len.saturating_mul(size_of::<u32>());
        let what = || format!("a list of {len}");
        Ok(Indices { buffer: self.pool.zeros(&self.context, &self.queue, bytes, what)?, len })
    }

    fn upload_indices(&self, target: &mut Indices, values: &[u32]) -> Result<()> {
        shapes::upload_indices(target, values.len())?;
        if values.is_empty() { Ok(()) } else { self.queue.write(&target.buffer.memory, values) }
    }

    fn download_indices(&self, source: &Indices) -> Result<Vec<u32>> {
        match source.len {
            0 => self.queue.finish().map(|()| Vec::new()),
            count => self.queue.read(&source.buffer.memory, count),
        }
    }

    fn images(&self, pixels: &Pixels, height: usize, width: usize) -> Result<Images> {
        let count = shapes::images(pixels.len(), height, width)?;
        let what = || format!("{count} images of {height} × {width}");
        let buffer = self.pool.zeros(&self.context, &self.queue, pixels.len(), what)?;
        if !pixels.is_empty() {
            self.queue.write(&buffer.memory, pixels.as_slice())?;
        }
        Ok(Images { buffer, count, height, width })
    }

    fn synchronize(&self) -> Result<()> {
        self.queue.finish()
    }

    fn gather(
        &self,
        images: &Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.gather(images, rows, shifts, skip, out, squares)
    }

    fn center(&self, x: &mut Matrix, squares: &mut Matrix) -> Result<()> {
        self.center(x, squares)
    }

    fn hybrid(
        &self,
        x: &mut Matrix,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.hybrid(x, masks, which, squares)
    }

    fn product(&self, input: &Matrix, weight: &Matrix, first_row: usize, out: &mut Matrix) -> Result<()> {
        self.product(input, weight, first_row, out)
    }

    fn activate(
        &self,
        product: &Matrix,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.activate(product, input, layer, out, squares)
    }

    fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.project(input, layer, out, squares)
    }

    fn drive(
        &self,
        product: &Matrix,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.drive(product, input, above, layer, out, squares)
    }

    fn damp(
        &self,
        before: &Matrix,
        keep: f64,
        computed: &mut Matrix,
        state: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.damp(before, keep, computed, state, squares)
    }

    fn dropout(&self, activities: &mut Matrix, rate: f64, seed: u32, squares: &mut Matrix) -> Result<()> {
        self.dropout(activities, rate, seed, squares)
    }

    fn measure(
        &self,
        activities: &Matrix,
        goodness: Goodness,
        slopes: &mut Matrix,
        sums: &mut Matrix,
    ) -> Result<()> {
        self.measure(activities, goodness, slopes, sums)
    }

    fn coefficients(
        &self,
        squares: &Matrix,
        objective: &Objective,
        coefficients: &mut Matrix,
        tally: Tally<Self>,
    ) -> Result<()> {
        self.coefficients(squares, objective, coefficients, tally)
    }

    fn running_mean(&self, activities: &Matrix, rows: usize, keep: f64, mean: &mut Matrix) -> Result<()> {
        self.running_mean(activities, rows, keep, mean)
    }

    fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        self.gradient(input, delta, gradient)
    }

    fn update(&self, layer: &mut Weights<Self>, gradient: &Gradient<Self>, rule: Rule) -> Result<()> {
        self.update(layer, gradient, rule)
    }

    fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        self.learn(input, delta, layer, rule)
    }

    fn read_out(
        &self,
        activities: &Matrix,
        squares: &Matrix,
        normalization: Normalization,
        weight: &Matrix,
        logits: &mut Matrix,
        add: bool,
    ) -> Result<()> {
        self.read_out(activities, squares, normalization, weight, logits, add)
    }

    fn back_project(
        &self,
        errors: &Matrix,
        weight: &Matrix,
        activities: &Matrix,
        squares: &Matrix,
        normalization: Normalization,
        out: &mut Matrix,
    ) -> Result<()> {
        self.back_project(errors, weight, activities, squares, normalization, out)
    }

    fn match_similarities(
        &self,
        activities: &Matrix,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        self.match_similarities(activities, labels, classes, along, slopes, cost)
    }

    fn softmax(
        &self,
        logits: &Matrix,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        self.softmax(logits, labels, smoothing, errors, cost)
    }

    fn draw_labels(
        &self,
        errors: &Matrix,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        self.draw_labels(errors, labels, uniforms, out)
    }

    fn accumulate(&self, squares: &Matrix, factor: f64, scores: &mut Matrix, column: usize) -> Result<()> {
        self.accumulate(squares, factor, scores, column)
    }

    fn argmax(&self, scores: &mut Matrix, out: &mut Indices, offset: usize) -> Result<()> {
        self.argmax(scores, out, offset)
    }
}
