//! Matrices that can be spoiled, and the contract's argument types as the oracle reads them.

use std::cell::RefCell;

use ff_backend::oracle::{self, Oracle};
use ff_backend::{
    Backend, Connected, Fields, Gradient, IndexSlice, Input, LabelCode, LabelFeatures, Parameter, Result,
    Shape, Tensor, Weights,
};

use crate::faulty::Faulty;

/// A matrix that can be written even where it is borrowed to be read, and the fields of local weights.
#[derive(Clone)]
pub struct Matrix(pub RefCell<oracle::Matrix>, Option<Fields>);

impl Matrix {
    pub fn of(matrix: oracle::Matrix) -> Matrix {
        let fields = matrix.fields().cloned();
        Matrix(RefCell::new(matrix), fields)
    }

    pub fn edit(&self, change: impl FnOnce(&mut [f64])) {
        let mut values = Oracle.download(&*self.0.borrow()).unwrap();
        change(&mut values);
        Oracle.upload(&mut *self.0.borrow_mut(), &values).unwrap();
    }

    pub fn last(&self) -> Option<f64> {
        Oracle.download(&*self.0.borrow()).unwrap().last().copied()
    }

    pub fn set_last(&self, value: f64) {
        self.edit(|values| values.iter_mut().last().into_iter().for_each(|x| *x = value));
    }

    pub fn get(&mut self) -> &mut oracle::Matrix {
        self.0.get_mut()
    }
}

impl Shape for Matrix {
    fn rows(&self) -> usize {
        self.0.borrow().rows()
    }
    fn columns(&self) -> usize {
        self.0.borrow().columns()
    }
}

impl Connected for Matrix {
    fn fields(&self) -> Option<&Fields> {
        self.1.as_ref()
    }
}

impl Tensor<Faulty> for Matrix {
    fn zeros(_: &Faulty, rows: usize, columns: usize) -> Result<Matrix> {
        Ok(Matrix::of(Oracle.zeros(rows, columns)?))
    }

    fn like(&self, _: &Faulty) -> Result<Matrix> {
        Ok(Matrix::of(self.0.borrow().like(&Oracle)?))
    }

    fn upload(&mut self, _: &Faulty, values: &[f32]) -> Result<()> {
        let values: Vec<f64> = values.iter().map(|x| f64::from(*x)).collect();
        Oracle.upload(self.get(), &values)
    }

    fn download(&self, _: &Faulty) -> Result<Vec<f32>> {
        Ok(Oracle.download(&*self.0.borrow())?.into_iter().map(|x| x as f32).collect())
    }

    fn copy(&self, faulty: &Faulty, target: &mut Matrix) -> Result<()> {
        faulty.call("copy", target, |target| Oracle.copy(&*self.0.borrow(), target))
    }
}

pub fn slice<'a>(slice: IndexSlice<'a, Faulty>) -> IndexSlice<'a, Oracle> {
    IndexSlice { indices: slice.indices, offset: slice.offset }
}

pub fn parameter(parameter: &Parameter<Matrix>) -> Parameter<oracle::Matrix> {
    let second = parameter.second.as_ref().map(|second| second.0.borrow().clone());
    Parameter { value: parameter.value.0.borrow().clone(), first: parameter.first.0.borrow().clone(), second }
}

pub fn weights(weights: &Weights<Faulty>) -> Weights<Oracle> {
    Weights { weight: parameter(&weights.weight), bias: weights.bias.as_ref().map(parameter) }
}

pub fn gradient(gradient: &Gradient<Faulty>) -> Gradient<Oracle> {
    let bias = gradient.bias.as_ref().map(|bias| bias.0.borrow().clone());
    Gradient { weight: gradient.weight.0.borrow().clone(), bias }
}

/// Calls `run` with the oracle's view of an input.
pub fn reading<T>(input: &Input<Faulty>, run: impl FnOnce(&Input<Oracle>) -> T) -> T {
    let label = input.label.map(|label| LabelFeatures {
        code: match label.code {
            LabelCode::Each(labels) => LabelCode::Each(slice(labels)),
            LabelCode::Same(label) => LabelCode::Same(label),
            LabelCode::Neutral => LabelCode::Neutral,
        },
        classes: label.classes,
        strength: label.strength,
        normalized: label.normalized,
    });
    let (features, squares) = (&*input.features.0.borrow(), &*input.squares.0.borrow());
    run(&Input { features, squares, normalization: input.normalization, label })
}
