//! The fast CPU backend: own microkernels, and exact sparsity.
//!
//! Products are made a panel at a time, so that what follows a product (activation, optimizer) visits sums while they
//! are in cache; weights lie in panels as the microkernel reads them. A Forward-Forward network is silent: where few
//! units are on, products visit only those, by lists that the layer below has made. Each sum is added up in one order,
//! dense or by lists, so that same seed means same bits, whatever the threads.

mod back_project;
mod fields;
mod fold;
mod forward;
mod goodness;
mod inputs;
mod kernels;
mod labels;
mod learn;
mod lists;
mod matrix;
mod micro_panels;
mod microkernel;
mod operations;
mod panels;
mod products;
mod recurrence;
mod scalar;
mod similarity;
mod vector;

use std::sync::Mutex;

use ff_backend::host::{Images, Indices, Pixels};
use ff_backend::{
    Along, Backend, BackendError, Delta, DeviceInfo, Fields, Goodness, Gradient, IndexSlice, Input,
    Normalization, Objective, Result, Rule, Tally, Weights, host,
};

pub use matrix::{Matrix, Weight};
pub use microkernel::InstructionSet;
pub use scalar::Scalar;

/// Share of units that are on below which a product by lists is faster than dense tiles. Measured: BENCHMARKS.md.
const BREAK_EVEN: f64 = 0.35;

/// The fast CPU backend, in `f32` (training) or `f64` (gradient checks).
pub struct Cpu<T: Scalar = f32> {
    /// All threads but the caller's own.
    pool: rayon::ThreadPool,
    threads: usize,
    instructions: InstructionSet,
    /// Whether zeros are left out of products.
    exact_shortcuts: bool,
    /// Share of units that are on up to which products go by lists.
    break_even: f64,
    /// One for each thread.
    scratch: Vec<Mutex<Vec<T>>>,
    workspace: Mutex<fold::Workspace<T>>,
    /// What places of local layers sent back in the last step, for the next: large, and slow to be given by the system.
    sent_back: Mutex<Vec<Matrix<T>>>,
}

impl<T: Scalar> Cpu<T> {
    /// A backend on `threads` threads; 0 takes one per core.
    pub fn new(threads: usize) -> Result<Self> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        };
        let helpers = (threads - 1).max(1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(helpers).build();
        let pool = pool.map_err(|error| BackendError::Threads(error.to_string()))?;
        let scratch = (0..threads).map(|_| Mutex::default()).collect();
        Ok(Cpu {
            pool,
            threads,
            instructions: InstructionSet::detect(),
            exact_shortcuts: true,
            break_even: BREAK_EVEN,
            scratch,
            workspace: Mutex::default(),
            sent_back: Mutex::default(),
        })
    }

    /// The same backend, told whether to leave out work that changes no number: what is 0 in products, and rows with
    /// a coefficient of 0. It does, unless told otherwise.
    #[must_use]
    pub fn with_exact_shortcuts(mut self, on: bool) -> Self {
        self.exact_shortcuts = on;
        self
    }

    /// The same backend with the vectors of `set`; none where this processor does not have them.
    #[must_use]
    pub fn with_instructions(mut self, set: InstructionSet) -> Option<Self> {
        self.instructions = set;
        set.is_available().then_some(self)
    }

    /// The same backend, whose products go by lists up to this share of units that are on: 0 never, 1 always. It
    /// changes no number.
    #[must_use]
    pub fn with_break_even(mut self, share: f64) -> Self {
        self.break_even = share;
        self
    }

    fn copy_slice(&self, source: &[T], target: &mut [T]) {
        let part = Self::rows_per_part(source.len(), self.threads_for(source.len()));
        let parts = source.chunks(part).zip(target.chunks_mut(part)).collect();
        self.each(parts, |(source, target): (&[T], &mut [T])| target.copy_from_slice(source));
    }
}

/// Each operation is the method of the same name in the file of its part; `operations` compiles it.
impl<T: Scalar> Backend for Cpu<T> {
    type Real = T;
    type Matrix = Matrix<T>;
    type Weight = Weight<T>;
    type Indices = Indices;
    type Images = Images;

    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: "cpu".into(),
            device: host::processor_name(),
            driver: self.instructions.name().into(),
            units: self.threads,
            memory_bytes: host::memory_bytes(),
            precision: T::NAME.into(),
        }
    }

    fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Weight<T>> {
        Weight::of_fields(labels + fields.rows(), fields.units(), Some(fields))
    }

    fn indices(&self, len: usize) -> Result<Indices> {
        Ok(Indices(vec![0; len]))
    }

    fn upload_indices(&self, target: &mut Indices, values: &[u32]) -> Result<()> {
        target.upload(values)
    }

    fn download_indices(&self, source: &Indices) -> Result<Vec<u32>> {
        Ok(source.0.clone())
    }

    fn images(&self, pixels: &Pixels, height: usize, width: usize) -> Result<Images> {
        Images::new(pixels, height, width)
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    fn gather(
        &self,
        images: &Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::gather(self, images, rows, shifts, skip, out, squares)
    }

    fn center(&self, x: &mut Matrix<T>, squares: &mut Matrix<T>) -> Result<()> {
        T::center(self, x, squares)
    }

    fn hybrid(
        &self,
        x: &mut Matrix<T>,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::hybrid(self, x, masks, which, squares)
    }

    fn product(
        &self,
        input: &Matrix<T>,
        weight: &Weight<T>,
        first_row: usize,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        T::product(self, input, weight, first_row, out)
    }

    fn activate(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::activate(self, product, input, layer, out, squares)
    }

    fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::project(self, input, layer, out, squares)
    }

    fn drive(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::drive(self, product, input, above, layer, out, squares)
    }

    fn damp(
        &self,
        before: &Matrix<T>,
        keep: f64,
        computed: &mut Matrix<T>,
        state: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::damp(self, before, keep, computed, state, squares)
    }

    fn dropout(
        &self,
        activities: &mut Matrix<T>,
        rate: f64,
        seed: u32,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        T::dropout(self, activities, rate, seed, squares)
    }

    fn measure(
        &self,
        activities: &Matrix<T>,
        goodness: Goodness,
        slopes: &mut Matrix<T>,
        sums: &mut Matrix<T>,
    ) -> Result<()> {
        T::measure(self, activities, goodness, slopes, sums)
    }

    fn coefficients(
        &self,
        squares: &Matrix<T>,
        objective: &Objective,
        coefficients: &mut Matrix<T>,
        tally: Tally<Self>,
    ) -> Result<()> {
        T::coefficients(self, squares, objective, coefficients, tally)
    }

    fn running_mean(
        &self,
        activities: &Matrix<T>,
        rows: usize,
        keep: f64,
        mean: &mut Matrix<T>,
    ) -> Result<()> {
        T::running_mean(self, activities, rows, keep, mean)
    }

    fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        T::gradient(self, input, delta, gradient)
    }

    fn update(&self, layer: &mut Weights<Self>, gradient: &Gradient<Self>, rule: Rule) -> Result<()> {
        T::update(self, layer, gradient, rule)
    }

    fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        T::learn(self, input, delta, layer, rule)
    }

    fn read_out(
        &self,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        weight: &Weight<T>,
        logits: &mut Matrix<T>,
        add: bool,
    ) -> Result<()> {
        T::read_out(self, activities, squares, normalization, weight, logits, add)
    }

    fn back_project(
        &self,
        errors: &Matrix<T>,
        weight: &Weight<T>,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        T::back_project(self, errors, weight, activities, squares, normalization, out)
    }

    fn match_similarities(
        &self,
        activities: &Matrix<T>,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        T::match_similarities(self, activities, labels, classes, along, slopes, cost)
    }

    fn softmax(
        &self,
        logits: &Matrix<T>,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        T::softmax(self, logits, labels, smoothing, errors, cost)
    }

    fn draw_labels(
        &self,
        errors: &Matrix<T>,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        T::draw_labels(self, errors, labels, uniforms, out)
    }

    fn accumulate(
        &self,
        squares: &Matrix<T>,
        factor: f64,
        scores: &mut Matrix<T>,
        column: usize,
    ) -> Result<()> {
        T::accumulate(self, squares, factor, scores, column)
    }

    fn argmax(&self, scores: &mut Matrix<T>, out: &mut Indices, offset: usize) -> Result<()> {
        T::argmax(self, scores, out, offset)
    }
}
