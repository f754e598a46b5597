//! One case on one backend: its operands, what stands beside them, and what came out.

use std::rc::Rc;

use super::draw::{Draw, Host};
use super::report::Tolerance;
use crate::{Backend, Fields, Parameter, Real, Result, Shape, Tensor};

/// What arithmetic to expect of a backend.
#[derive(Clone, Copy, Debug)]
pub struct Precision {
    /// Distance from 1 to the next number.
    pub epsilon: f64,
    /// Whether products round their operands to tf32's ten bits.
    pub tf32: bool,
}

impl Precision {
    pub fn of<B: Backend>(backend: &B) -> Precision {
        Precision { epsilon: B::Real::EPSILON, tf32: backend.device().precision == "tf32" }
    }

    /// Scale of the rounding of a dot product of `terms` terms between vectors whose lengths have the
    /// product `lengths`, to be multiplied by a small number of epsilons.
    ///
    /// Σ|a||b| ≤ ‖a‖‖b‖, and the roundings of `terms` partial sums add up like a random walk. tf32
    /// rounds each term by 2⁻¹¹ of itself, and a term is 1/√terms of what a random walk of them is.
    pub fn dot(self, terms: usize, lengths: f64) -> f64 {
        let root = (terms.max(1) as f64).sqrt();
        let tf32 = if self.tf32 { 8.0 / 2048.0 / self.epsilon } else { 0.0 };
        (root + tf32 / root) * lengths
    }
}

/// What the absolute tolerance of an element is multiplied by.
#[derive(Clone, Debug)]
pub enum Scale {
    /// The largest magnitude of the expected values.
    Largest,
    /// The same for all.
    Uniform(f64),
    /// One for each row.
    Rows(Vec<f64>),
    /// One for each element.
    Each(Vec<f64>),
}

/// How an output is judged.
#[derive(Clone, Debug)]
pub enum Bound {
    /// It must hold the bits it held before.
    Kept,
    /// It must equal what is expected.
    Exact,
    /// |value − expected| ≤ relative · |expected| + absolute · scale.
    Within { relative: f64, absolute: f64, scale: Scale },
}

/// Something to be judged.
#[derive(Clone, Debug)]
pub struct Output {
    pub name: &'static str,
    pub columns: usize,
    pub values: Vec<f64>,
    /// What it should be; the oracle's output of that name if none.
    pub expected: Option<Vec<f64>>,
    pub bound: Bound,
}

enum Watched<B: Backend> {
    Matrix(Rc<B::Matrix>),
    Weight(Rc<B::Weight>),
    Indices(Rc<B::Indices>),
}

/// A run of one case.
pub struct Trial<'b, B: Backend> {
    pub backend: &'b B,
    pub draw: Draw,
    pub precision: Precision,
    /// Whether this is the oracle's run, which need not be compared with itself.
    pub reference: bool,
    tolerance: Tolerance,
    watched: Vec<(&'static str, Watched<B>, Vec<f64>)>,
    outputs: Vec<Output>,
    empty: bool,
}

impl<'b, B: Backend> Trial<'b, B> {
    pub fn new(backend: &'b B, seed: u64, precision: Precision, tolerance: Tolerance) -> Self {
        Trial {
            backend,
            draw: Draw::seeded(seed),
            precision,
            reference: false,
            tolerance,
            watched: Vec::new(),
            outputs: Vec::new(),
            empty: false,
        }
    }

    /// Whether an operand had no elements; a backend may refuse such a case.
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    // Operands

    /// An operand to be changed in place, with a neighbour before and after it in memory.
    pub fn place<T: Tensor<B>>(&mut self, host: &Host) -> Result<T> {
        self.fence()?;
        let tensor = self.bare(host)?;
        self.fence()?;
        Ok(tensor)
    }

    /// An output, full of NaN, between neighbours.
    pub fn poisoned<T: Tensor<B>>(&mut self, rows: usize, columns: usize) -> Result<T> {
        self.place(&Host::filled(rows, columns, f64::NAN))
    }

    /// An operand that must not change.
    pub fn given(&mut self, name: &'static str, host: &Host) -> Result<Rc<B::Matrix>> {
        let matrix: Rc<B::Matrix> = Rc::new(self.bare(host)?);
        self.watched.push((name, Watched::Matrix(matrix.clone()), host.values.clone()));
        Ok(matrix)
    }

    /// A list that must not change.
    pub fn listed(&mut self, name: &'static str, values: &[u32]) -> Result<Rc<B::Indices>> {
        self.empty |= values.is_empty();
        let mut indices = self.backend.indices(values.len())?;
        self.backend.upload_indices(&mut indices, values)?;
        let indices = Rc::new(indices);
        let before = values.iter().map(|x| f64::from(*x)).collect();
        self.watched.push((name, Watched::Indices(indices.clone()), before));
        Ok(indices)
    }

    /// A list to be written, full of an index that nothing has.
    pub fn poisoned_list(&mut self, len: usize) -> Result<B::Indices> {
        self.empty |= len == 0;
        let mut indices = self.backend.indices(len)?;
        self.backend.upload_indices(&mut indices, &vec![u32::MAX; len])?;
        Ok(indices)
    }

    /// Weights that must not change, local where there are fields.
    pub fn given_weight(
        &mut self,
        name: &'static str,
        fields: Option<&Fields>,
        host: &Host,
    ) -> Result<Rc<B::Weight>> {
        let weight: Rc<B::Weight> = Rc::new(self.bare_weight(fields, host)?);
        self.watched.push((name, Watched::Weight(weight.clone()), host.values.clone()));
        Ok(weight)
    }

    /// A trained tensor.
    pub fn parameter<T: Tensor<B>>(
        &mut self,
        value: &Host,
        first: &Host,
        second: Option<&Host>,
    ) -> Result<Parameter<T>> {
        let second = second.map(|second| self.place(second)).transpose()?;
        Ok(Parameter { value: self.place(value)?, first: self.place(first)?, second })
    }

    /// Weights to be changed in place, local where there are fields, between neighbours.
    pub fn place_weight(&mut self, fields: Option<&Fields>, host: &Host) -> Result<B::Weight> {
        self.fence()?;
        let weight = self.bare_weight(fields, host)?;
        self.fence()?;
        Ok(weight)
    }

    /// Trained weights, local where there are fields.
    pub fn weights(
        &mut self,
        fields: Option<&Fields>,
        value: &Host,
        first: &Host,
        second: Option<&Host>,
    ) -> Result<Parameter<B::Weight>> {
        let second = second.map(|second| self.place_weight(fields, second)).transpose()?;
        let (value, first) = (self.place_weight(fields, value)?, self.place_weight(fields, first)?);
        Ok(Parameter { value, first, second })
    }

    fn bare_weight(&mut self, fields: Option<&Fields>, host: &Host) -> Result<B::Weight> {
        let weight = match fields {
            Some(fields) => self.backend.local_weight(host.rows - fields.rows(), fields)?,
            None => self.backend.weight(host.rows, host.columns)?,
        };
        self.filled(weight, host)
    }

    fn bare<T: Tensor<B>>(&mut self, host: &Host) -> Result<T> {
        let tensor = T::zeros(self.backend, host.rows, host.columns)?;
        self.filled(tensor, host)
    }

    fn filled<T: Tensor<B>>(&mut self, mut tensor: T, host: &Host) -> Result<T> {
        self.empty |= host.values.is_empty();
        let values: Vec<B::Real> = host.values.iter().map(|x| B::Real::from_f64(*x)).collect();
        self.backend.upload(&mut tensor, &values)?;
        Ok(tensor)
    }

    fn fence(&mut self) -> Result<()> {
        let mark = self.watched.len() as f64 + 0.5;
        let host = Host::filled(1, 16, mark);
        let fence = Rc::new(self.bare(&host)?);
        self.watched.push(("a neighbour of the output", Watched::Matrix(fence), host.values));
        Ok(())
    }

    // Judgements

    /// `tensor` must be close to the oracle's.
    pub fn close(&mut self, name: &'static str, tensor: &impl Tensor<B>, scale: Scale) -> Result<()> {
        self.push(name, tensor, None, self.within(scale))
    }

    /// `tensor` must be close to `other` of the same backend.
    pub fn alike<T: Tensor<B>>(
        &mut self,
        name: &'static str,
        tensor: &T,
        other: &T,
        scale: Scale,
    ) -> Result<()> {
        let expected = self.values(other)?;
        self.push(name, tensor, Some(expected), self.within(scale))
    }

    /// `tensor` must equal `other` of the same backend.
    pub fn same<T: Tensor<B>>(&mut self, name: &'static str, tensor: &T, other: &T) -> Result<()> {
        let expected = self.values(other)?;
        self.push(name, tensor, Some(expected), Bound::Exact)
    }

    /// `tensor` must equal the oracle's.
    pub fn exact(&mut self, name: &'static str, tensor: &impl Tensor<B>) -> Result<()> {
        self.push(name, tensor, None, Bound::Exact)
    }

    /// `indices` must equal the oracle's.
    pub fn exact_list(&mut self, name: &'static str, indices: &B::Indices) -> Result<()> {
        let values = self.entries(indices)?;
        let columns = values.len();
        self.outputs.push(Output { name, columns, values, expected: None, bound: Bound::Exact });
        Ok(())
    }

    /// `matrix` must equal `expected`.
    pub fn equal(&mut self, name: &'static str, matrix: &B::Matrix, expected: &Host) -> Result<()> {
        self.push(name, matrix, Some(expected.values.clone()), Bound::Exact)
    }

    /// `tensor` must still hold the bits of `before`.
    pub fn kept(&mut self, name: &'static str, tensor: &impl Tensor<B>, before: &Host) -> Result<()> {
        self.push(name, tensor, Some(before.values.clone()), Bound::Kept)
    }

    /// `squares` must hold the sums of squares of rows `from..` of `matrix`, as that came out.
    pub fn squares_of(&mut self, matrix: &B::Matrix, squares: &B::Matrix, from: usize) -> Result<()> {
        let (values, columns) = (self.values(matrix)?, matrix.columns());
        let host = Host { rows: matrix.rows(), columns, values };
        let sum = |r| host.row(r).iter().map(|x| x * x).sum::<f64>();
        let expected: Vec<f64> = (from..host.rows).map(sum).collect();
        let relative = 2.0 * self.precision.epsilon * (1.0 + (columns as f64).sqrt());
        let bound = Bound::Within { relative, absolute: 0.0, scale: Scale::Uniform(0.0) };
        let values = self.values(squares)?.split_off(from);
        let (name, columns) = ("squares", values.len());
        self.outputs.push(Output { name, columns, values, expected: Some(expected), bound });
        Ok(())
    }

    /// Anything else the host found out, to equal the oracle's.
    pub fn finding(&mut self, name: &'static str, values: Vec<f64>) {
        let columns = values.len();
        self.outputs.push(Output { name, columns, values, expected: None, bound: Bound::Exact });
    }

    /// That no value lies between 0 and [`FLUSH_BELOW`](crate::FLUSH_BELOW).
    pub fn nothing_to_flush(&mut self, name: &'static str, tensor: &impl Tensor<B>) -> Result<()> {
        let left =
            self.values(tensor)?.into_iter().filter(|x| x.abs() < crate::FLUSH_BELOW && *x != 0.0).count();
        self.finding(name, vec![left as f64]);
        Ok(())
    }

    /// Everything to be judged, with the operands that must not have changed.
    pub fn finish(mut self) -> Result<Vec<Output>> {
        for (name, watched, before) in std::mem::take(&mut self.watched) {
            match watched {
                Watched::Matrix(matrix) => self.push(name, &*matrix, Some(before), Bound::Kept)?,
                Watched::Weight(weight) => self.push(name, &*weight, Some(before), Bound::Kept)?,
                Watched::Indices(indices) => {
                    let (values, columns) = (self.entries(&indices)?, indices.columns());
                    let expected = Some(before);
                    self.outputs.push(Output { name, columns, values, expected, bound: Bound::Kept });
                }
            }
        }
        Ok(self.outputs)
    }

    /// What `tensor` holds.
    pub fn values(&self, tensor: &impl Tensor<B>) -> Result<Vec<f64>> {
        Ok(self.backend.download(tensor)?.into_iter().map(Real::to_f64).collect())
    }

    fn entries(&self, indices: &B::Indices) -> Result<Vec<f64>> {
        Ok(self.backend.download_indices(indices)?.into_iter().map(f64::from).collect())
    }

    fn within(&self, scale: Scale) -> Bound {
        let Tolerance { relative, absolute, .. } = self.tolerance;
        Bound::Within { relative, absolute, scale }
    }

    fn push(
        &mut self,
        name: &'static str,
        tensor: &impl Tensor<B>,
        expected: Option<Vec<f64>>,
        bound: Bound,
    ) -> Result<()> {
        let (values, columns) = (self.values(tensor)?, tensor.columns());
        self.outputs.push(Output { name, columns, values, expected, bound });
        Ok(())
    }
}
