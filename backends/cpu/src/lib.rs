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
    Backend, BackendError, Delta, DeviceInfo, Input, Normalization, Objective, Parameter, Plan, Result, Rule,
    Shape, Tally, Weights, shapes,
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
    /// One for each thread.
    scratch: Vec<Mutex<Vec<T>>>,
    workspace: Mutex<fold::Workspace<T>>,
}

/// A matrix in host memory.
pub struct Matrix<T>(pub(crate) Layout<T>);

/// How a matrix lies in memory.
pub(crate) enum Layout<T> {
    /// Row after row.
    Rows(Array2<T>),
    /// Weights, as products read them.
    Panels(Panels<T>),
}

impl<T: Scalar> Shape for Matrix<T> {
    fn rows(&self) -> usize {
        match &self.0 {
            Layout::Rows(rows) => rows.nrows(),
            Layout::Panels(panels) => panels.extent().0,
        }
    }
    fn columns(&self) -> usize {
        match &self.0 {
            Layout::Rows(rows) => rows.ncols(),
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
        Ok(Cpu { pool, threads, processor: Processor::detect(), scratch, workspace: Mutex::default() })
    }

    /// The same backend with products by OpenBLAS, as on a processor without FMA.
    #[must_use]
    pub fn with_openblas(mut self) -> Self {
        self.processor = None;
        self
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

impl<T: Scalar> Backend for Cpu<T> {
    type Real = T;
    type Matrix = Matrix<T>;
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

    fn zeros(&self, rows: usize, columns: usize) -> Result<Matrix<T>> {
        let elements = rows.checked_mul(columns).filter(|n| n.checked_mul(size_of::<T>()).is_some());
        let out_of_memory = || out_of_memory::<T>(rows, columns);
        let mut values = Vec::new();
        values.try_reserve_exact(elements.ok_or_else(out_of_memory)?).map_err(|_| out_of_memory())?;
        values.resize(rows * columns, T::zero());
        let rows = Array2::from_shape_vec((rows, columns), values).map_err(|_| out_of_memory())?;
        Ok(Matrix(Layout::Rows(rows)))
    }

    fn weights(&self, rows: usize, columns: usize) -> Result<Matrix<T>> {
        if self.processor.is_none() {
            return self.zeros(rows, columns);
        }
        Ok(Matrix(Layout::Panels(Self::panels(rows, columns)?)))
    }

    fn upload(&self, target: &mut Matrix<T>, values: &[T]) -> Result<()> {
        shapes::upload(target, values.len())?;
        match &mut target.0 {
            Layout::Rows(_) => target.slice_mut().copy_from_slice(values),
            Layout::Panels(panels) => panels.load(values),
        }
        Ok(())
    }

    fn download(&self, source: &Matrix<T>) -> Result<Vec<T>> {
        Ok(source.first_rows(source.rows()).into_owned())
    }

    fn copy(&self, source: &Matrix<T>, target: &mut Matrix<T>) -> Result<()> {
        shapes::copy(source, target)?;
        if matches!(source.0, Layout::Rows(_)) != matches!(target.0, Layout::Rows(_)) {
            return self.upload(target, &self.download(source)?);
        }
        let elements = source.slice().len();
        let part = Self::rows_per_part(elements, self.threads_for(elements));
        let parts = source.slice().chunks(part).zip(target.slice_mut().chunks_mut(part)).collect();
        self.each(parts, |(source, target)| target.copy_from_slice(source));
        Ok(())
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
        rows: Plan<Self>,
        shifts: Option<Plan<Self>>,
        skip: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.gather_rows(images, rows, shifts, skip, out, squares)
    }

    fn hybrid(
        &self,
        x: &mut Matrix<T>,
        masks: &Images,
        which: Plan<Self>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.blend(x, masks, which, squares)
    }

    fn product(
        &self,
        input: &Matrix<T>,
        weight: &Matrix<T>,
        first_row: usize,
        skip_zeros: bool,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        self.bare_product(input, weight, first_row, skip_zeros, out)
    }

    fn activate(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.finish_layer(product, input, layer, out, squares)
    }

    fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.whole_layer(input, layer, out, squares)
    }

    fn dropout(
        &self,
        activities: &mut Matrix<T>,
        rate: f64,
        seed: u32,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.silence(activities, rate, seed, squares)
    }

    fn top_k(
        &self,
        activities: &Matrix<T>,
        k: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        self.most_active(activities, k, out, squares)
    }

    fn coefficients(
        &self,
        squares: &Matrix<T>,
        objective: &Objective,
        coefficients: &mut Matrix<T>,
        tally: Tally<Self>,
    ) -> Result<()> {
        self.row_coefficients(squares, objective, coefficients, tally)
    }

    fn running_mean(
        &self,
        activities: &Matrix<T>,
        rows: usize,
        keep: f64,
        mean: &mut Matrix<T>,
    ) -> Result<()> {
        self.follow_mean(activities, rows, keep, mean)
    }

    fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        weight: &mut Matrix<T>,
        bias: Option<&mut Matrix<T>>,
    ) -> Result<()> {
        self.whole_gradient(input, delta, weight, bias)
    }

    fn update(&self, parameter: &mut Parameter<Self>, gradient: &Matrix<T>, rule: Rule) -> Result<()> {
        shapes::update::<Self>(parameter, gradient)?;
        if matches!(parameter.value.0, Layout::Rows(_)) {
            return self.apply(parameter, gradient.slice(), rule);
        }
        let mut same = self.weights(gradient.rows(), gradient.columns())?;
        self.copy(gradient, &mut same)?;
        self.apply(parameter, same.slice(), rule)
    }

    fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        self.fused_step(input, delta, layer, rule)
    }

    fn read_out(
        &self,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        weight: &Matrix<T>,
        logits: &mut Matrix<T>,
        add: bool,
    ) -> Result<()> {
        self.class_logits(activities, squares, normalization, weight, logits, add)
    }

    fn softmax(
        &self,
        logits: &Matrix<T>,
        labels: Plan<Self>,
        errors: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        self.class_errors(logits, labels, errors, cost)
    }

    fn draw_labels(
        &self,
        errors: &Matrix<T>,
        labels: Plan<Self>,
        uniforms: Plan<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        self.hard_labels(errors, labels, uniforms, out)
    }

    fn accumulate(
        &self,
        squares: &Matrix<T>,
        factor: f64,
        scores: &mut Matrix<T>,
        column: usize,
    ) -> Result<()> {
        shapes::accumulate(squares, scores, column)?;
        for (score, &square) in scores.view_mut().column_mut(column).iter_mut().zip(squares.slice()) {
            *score += T::from_f64(factor) * square;
        }
        Ok(())
    }

    fn argmax(&self, scores: &mut Matrix<T>, out: &mut Indices, at: usize) -> Result<()> {
        self.best_labels(scores, out, at)
    }
}
