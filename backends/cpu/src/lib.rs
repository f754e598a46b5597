//! The reference backend: ndarray, and products made tile by tile, so that what follows a product (activation,
//! optimizer) visits a tile while it is in cache.
//!
//! On x86-64 with FMA the tiles are our own, and weights lie in panels as tiles read them: each sum is added up in one
//! order, so that same seed means same bits, whatever the threads. Elsewhere OpenBLAS multiplies, single-threaded
//! inside our threads: same seed, same threads, same bits.

// Named so that they are linked: ndarray calls BLAS by symbol alone.
extern crate blas_src;
extern crate openblas_src;

mod fold;
mod forward;
mod inputs;
mod kernels;
mod labels;
mod learn;
mod panels;
mod products;
mod registers;
mod scalar;
mod strips;
mod vector;

use std::sync::Mutex;

use ff_backend::{
    Backend, BackendError, Delta, DeviceInfo, Gradient, IndexSlice, Input, Normalization, Objective, Result,
    Rule, Shape, Tally, Tensor, Weights, shapes,
};
use ndarray::Array2;
use panels::Panels;
use registers::Processor;

pub use scalar::Scalar;

unsafe extern "C" {
    // From the OpenBLAS that openblas-src links.
    fn openblas_set_num_threads(threads: std::ffi::c_int);
    fn openblas_get_config() -> *const std::ffi::c_char;
}

/// The reference backend, in `f32` (training) or `f64` (gradient checks).
pub struct Cpu<T: Scalar = f32> {
    /// All threads but the caller's own.
    pool: rayon::ThreadPool,
    threads: usize,
    /// Whose registers make the products; none where OpenBLAS does.
    processor: Option<Processor>,
    /// Whether zeros are left out of products.
    exact_shortcuts: bool,
    /// One for each thread.
    scratch: Vec<Mutex<Vec<T>>>,
    workspace: Mutex<fold::Workspace<T>>,
}

/// A matrix in host memory, row-major.
pub struct Matrix<T>(pub(crate) Array2<T>);

impl<T: Scalar> Shape for Matrix<T> {
    fn rows(&self) -> usize {
        self.0.nrows()
    }
    fn columns(&self) -> usize {
        self.0.ncols()
    }
}

/// A layer's weights in host memory, as products read them.
pub struct Weight<T>(pub(crate) Layout<T>);

/// How weights lie in memory.
pub(crate) enum Layout<T> {
    /// Row after row, for OpenBLAS.
    Rows(Matrix<T>),
    /// As tiles read them.
    Panels(Panels<T>),
}

impl<T: Scalar> Shape for Weight<T> {
    fn rows(&self) -> usize {
        match &self.0 {
            Layout::Rows(rows) => rows.rows(),
            Layout::Panels(panels) => panels.extent().0,
        }
    }
    fn columns(&self) -> usize {
        match &self.0 {
            Layout::Rows(rows) => rows.columns(),
            Layout::Panels(panels) => panels.extent().1,
        }
    }
}

/// A list of u32.
pub struct Indices(pub(crate) Vec<u32>);

impl Shape for Indices {
    fn rows(&self) -> usize {
        1
    }
    fn columns(&self) -> usize {
        self.0.len()
    }
}

/// u8 images.
pub struct Images {
    pub(crate) pixels: Vec<u8>,
    pub(crate) count: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Shape for Images {
    fn rows(&self) -> usize {
        self.count
    }
    fn columns(&self) -> usize {
        self.height * self.width
    }
}

impl<T: Scalar> Cpu<T> {
    /// A backend on `threads` threads; 0 takes one per core.
    pub fn new(threads: usize) -> Result<Self> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        };
        let helpers = (threads - 1).max(1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(helpers).build().map_err(|error| {
            BackendError::Driver { operation: "start threads", message: error.to_string() }
        })?;
        // SAFETY: a setter of OpenBLAS without preconditions.
        unsafe { openblas_set_num_threads(1) };
        let scratch = (0..threads).map(|_| Mutex::default()).collect();
        Ok(Cpu {
            pool,
            threads,
            processor: Processor::detect(),
            exact_shortcuts: true,
            scratch,
            workspace: Mutex::default(),
        })
    }

    /// The same backend, told whether to leave out work that changes no number: blank pixels, and rows with a
    /// coefficient of 0. It does, unless told otherwise.
    #[must_use]
    pub fn with_exact_shortcuts(mut self, on: bool) -> Self {
        self.exact_shortcuts = on;
        self
    }

    /// The same backend with products by OpenBLAS, as on a processor without FMA.
    #[must_use]
    pub fn with_openblas(mut self) -> Self {
        self.processor = None;
        self
    }

    fn copy_slice(&self, source: &[T], target: &mut [T]) {
        let part = Self::rows_per_part(source.len(), self.threads_for(source.len()));
        let parts = source.chunks(part).zip(target.chunks_mut(part)).collect();
        self.each(parts, |(source, target): (&[T], &mut [T])| target.copy_from_slice(source));
    }

    fn panels(rows: usize, columns: usize) -> Result<Panels<T>> {
        Panels::new(rows, columns).ok_or_else(|| out_of_memory::<T>(rows, columns))
    }

    /// Whether products are its own, so that numbers do not depend on the threads.
    #[must_use]
    pub fn multiplies_itself(&self) -> bool {
        self.processor.is_some()
    }
}

/// The name and version of the OpenBLAS that is linked.
fn blas_version() -> String {
    // SAFETY: OpenBLAS returns a static, NUL-terminated string.
    let config = unsafe { std::ffi::CStr::from_ptr(openblas_get_config()) };
    config.to_string_lossy().trim().to_owned()
}

fn out_of_memory<T>(rows: usize, columns: usize) -> BackendError {
    BackendError::OutOfMemory {
        what: format!("a {rows} × {columns} matrix"),
        wanted_bytes: rows.saturating_mul(columns).saturating_mul(size_of::<T>()),
        held_bytes: 0,
        device: "cpu".into(),
    }
}

fn processor_name() -> String {
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = described.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn memory_bytes() -> u64 {
    let described = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = described
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or(0, |kib| kib * 1024)
}

impl<T: Scalar> Tensor<Cpu<T>> for Matrix<T> {
    fn zeros(_: &Cpu<T>, rows: usize, columns: usize) -> Result<Self> {
        let elements = rows.checked_mul(columns).filter(|n| n.checked_mul(size_of::<T>()).is_some());
        let out_of_memory = || out_of_memory::<T>(rows, columns);
        let mut values = Vec::new();
        values.try_reserve_exact(elements.ok_or_else(out_of_memory)?).map_err(|_| out_of_memory())?;
        values.resize(rows * columns, T::zero());
        Array2::from_shape_vec((rows, columns), values).map(Matrix).map_err(|_| out_of_memory())
    }

    fn upload(&mut self, _: &Cpu<T>, values: &[T]) -> Result<()> {
        shapes::upload(self, values.len())?;
        self.slice_mut().copy_from_slice(values);
        Ok(())
    }

    fn download(&self, _: &Cpu<T>) -> Result<Vec<T>> {
        Ok(self.slice().to_vec())
    }

    fn copy(&self, cpu: &Cpu<T>, target: &mut Self) -> Result<()> {
        shapes::copy(self, target)?;
        cpu.copy_slice(self.slice(), target.slice_mut());
        Ok(())
    }
}

impl<T: Scalar> Tensor<Cpu<T>> for Weight<T> {
    fn zeros(cpu: &Cpu<T>, rows: usize, columns: usize) -> Result<Self> {
        Ok(Weight(match cpu.processor {
            Some(_) => Layout::Panels(Cpu::panels(rows, columns)?),
            None => Layout::Rows(cpu.zeros(rows, columns)?),
        }))
    }

    fn upload(&mut self, _: &Cpu<T>, values: &[T]) -> Result<()> {
        shapes::upload(self, values.len())?;
        match &mut self.0 {
            Layout::Rows(rows) => rows.slice_mut().copy_from_slice(values),
            Layout::Panels(panels) => panels.load(values),
        }
        Ok(())
    }

    fn download(&self, _: &Cpu<T>) -> Result<Vec<T>> {
        Ok(self.first_rows(self.rows()).into_owned())
    }

    fn copy(&self, cpu: &Cpu<T>, target: &mut Self) -> Result<()> {
        shapes::copy(self, target)?;
        cpu.copy_slice(self.slice(), target.slice_mut());
        Ok(())
    }
}

/// Each operation is the method of the same name in the file of its part.
impl<T: Scalar> Backend for Cpu<T> {
    type Real = T;
    type Matrix = Matrix<T>;
    type Weight = Weight<T>;
    type Indices = Indices;
    type Images = Images;

    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: "cpu".into(),
            device: processor_name(),
            driver: blas_version(),
            units: self.threads,
            memory_bytes: memory_bytes(),
            precision: T::NAME.into(),
        }
    }

    fn indices(&self, len: usize) -> Result<Indices> {
        Ok(Indices(vec![0; len]))
    }

    fn upload_indices(&self, target: &mut Indices, values: &[u32]) -> Result<()> {
        shapes::upload_indices(target, values.len())?;
        target.0[..values.len()].copy_from_slice(values);
        Ok(())
    }

    fn download_indices(&self, source: &Indices) -> Result<Vec<u32>> {
        Ok(source.0.clone())
    }

    fn images(&self, pixels: &[u8], height: usize, width: usize) -> Result<Images> {
        let count = shapes::images(pixels.len(), height, width)?;
        Ok(Images { pixels: pixels.to_vec(), count, height, width })
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
        self.gather(images, rows, shifts, skip, out, squares)
    }

    fn hybrid(
        &self,
        x: &mut Matrix<T>,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.hybrid(x, masks, which, squares)
    }

    fn product(
        &self,
        input: &Matrix<T>,
        weight: &Weight<T>,
        first_row: usize,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        self.product(input, weight, first_row, out)
    }

    fn activate(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.activate(product, input, layer, out, squares)
    }

    fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.project(input, layer, out, squares)
    }

    fn dropout(
        &self,
        activities: &mut Matrix<T>,
        rate: f64,
        seed: u32,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.dropout(activities, rate, seed, squares)
    }

    fn top_k(
        &self,
        activities: &Matrix<T>,
        k: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.top_k(activities, k, out, squares)
    }

    fn coefficients(
        &self,
        squares: &Matrix<T>,
        objective: &Objective,
        coefficients: &mut Matrix<T>,
        tally: Tally<Self>,
    ) -> Result<()> {
        self.coefficients(squares, objective, coefficients, tally)
    }

    fn running_mean(
        &self,
        activities: &Matrix<T>,
        rows: usize,
        keep: f64,
        mean: &mut Matrix<T>,
    ) -> Result<()> {
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
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        weight: &Weight<T>,
        logits: &mut Matrix<T>,
        add: bool,
    ) -> Result<()> {
        self.read_out(activities, squares, normalization, weight, logits, add)
    }

    fn softmax(
        &self,
        logits: &Matrix<T>,
        labels: IndexSlice<Self>,
        errors: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        self.softmax(logits, labels, errors, cost)
    }

    fn draw_labels(
        &self,
        errors: &Matrix<T>,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        self.draw_labels(errors, labels, uniforms, out)
    }

    fn accumulate(
        &self,
        squares: &Matrix<T>,
        factor: f64,
        scores: &mut Matrix<T>,
        column: usize,
    ) -> Result<()> {
        self.accumulate(squares, factor, scores, column)
    }

    fn argmax(&self, scores: &mut Matrix<T>, out: &mut Indices, offset: usize) -> Result<()> {
        self.argmax(scores, out, offset)
    }
}
