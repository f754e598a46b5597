//! Reading labels.

use std::rc::Rc;

use ff_backend::{IndexSlice, Normalization, Result, shapes};

use crate::forward::Product;
use crate::local::places;
use crate::memory::Buffer;
use crate::scratch::Slot;
use crate::{Indices, Matrix, OpenCl};

impl OpenCl {
    pub(crate) fn read_out(
        &self,
        activities: &Matrix,
        squares: &Matrix,
        normalization: Normalization,
        weight: &Matrix,
        logits: &mut Matrix,
        add: bool,
    ) -> Result<()> {
        shapes::read_out(activities, squares, weight, logits)?;
        let args = self
            .args()
            .matrix(activities)
            .count(activities.columns)
            .squares(squares)
            .scale(normalization, 0.0, activities.columns)
            .matrix(weight)
            .count(weight.columns)
            .matrix(logits)
            .flag(add);
        self.launch_rows(&self.small.read_out, logits.rows, args)
    }

    pub(crate) fn back_project(
        &self,
        errors: &Matrix,
        weight: &Matrix,
        activities: &Matrix,
        squares: &Matrix,
        normalization: Normalization,
        out: &mut Matrix,
    ) -> Result<()> {
        shapes::back_project(errors, weight, activities, squares, out)?;
        // What a place sends back is made of its own units' errors.
        let places = places(weight);
        let transposed = self.transposed(&weight.buffer, weight.rows, weight.columns, places)?;
        self.add_parts(errors)?;
        out.changed();
        let product = Product {
            input: &errors.buffer,
            rows: out.rows,
            depth: errors.columns / places.max(1),
            weight: &transposed,
            first_row: 0,
            columns: places * weight.rows,
            places,
        };
        match &weight.local {
            None => self.multiply(&product, &out.buffer)?,
            Some(local) => {
                let parts = self.scratch(Slot::SentBack, product.rows * product.columns)?;
                self.multiply(&product, &parts)?;
                self.add_up(&parts, local, out)?;
            }
        }
        let args = self
            .args()
            .matrix(activities)
            .count(activities.columns)
            .squares(squares)
            .scale(normalization, 0.0, activities.columns)
            .float(normalization.radial(activities.columns))
            .changed(out);
        self.launch_rows(&self.small.way_back, out.rows, args)
    }

    /// A matrix `[rows, columns]` with rows and columns exchanged, each place's columns by themselves.
    pub(crate) fn transposed(
        &self,
        matrix: &Buffer,
        rows: usize,
        columns: usize,
        places: usize,
    ) -> Result<Rc<Buffer>> {
        let elements = rows * columns;
        let transposed = self.scratch(Slot::Transposed, elements)?;
        let args = self.args().buffer(matrix).count(elements).count(rows).count(columns).count(places);
        self.launch_elements(&self.small.transpose, elements, args.buffer(&transposed))?;
        Ok(transposed)
    }

    pub(crate) fn softmax(
        &self,
        logits: &Matrix,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        shapes::softmax::<Self>(logits, &labels, errors, cost)?;
        if logits.rows == 0 {
            return Ok(());
        }
        let args = self
            .args()
            .matrix(logits)
            .count(logits.rows)
            .count(logits.columns)
            .slice(&labels)
            .float(smoothing)
            .out(errors)
            .matrix(cost);
        self.launch_group(&self.small.softmax, args)
    }

    pub(crate) fn draw_labels(
        &self,
        errors: &Matrix,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        shapes::draw_labels::<Self>(errors, &labels, &uniforms, out)?;
        let args = self
            .args()
            .matrix(errors)
            .count(errors.rows)
            .count(errors.columns)
            .slice(&labels)
            .slice(&uniforms)
            .buffer(&out.buffer);
        self.launch_elements(&self.small.draw_labels, errors.rows, args)
    }

    pub(crate) fn accumulate(
        &self,
        squares: &Matrix,
        factor: f64,
        scores: &mut Matrix,
        column: usize,
    ) -> Result<()> {
        shapes::accumulate(squares, scores, column)?;
        let args = self
            .args()
            .squares(squares)
            .count(scores.rows)
            .float(factor)
            .matrix(scores)
            .count(scores.columns)
            .count(column);
        self.launch_elements(&self.small.accumulate, scores.rows, args)
    }

    pub(crate) fn argmax(&self, scores: &mut Matrix, out: &mut Indices, offset: usize) -> Result<()> {
        shapes::argmax(scores, out, offset)?;
        let args = self
            .args()
            .matrix(scores)
            .count(scores.rows)
            .count(scores.columns)
            .buffer(&out.buffer)
            .count(offset);
        self.launch_elements(&self.small.argmax, scores.rows, args)
    }
}
