//! Similarity matching: two products of the batch's centred rows with themselves, and what is between them.

use ff_backend::{Along, IndexSlice, Result, shapes, similarity_of_labels};

use crate::forward::Product;
use crate::scratch::Slot;
use crate::{Matrix, OpenCl};

impl OpenCl {
    pub(crate) fn match_similarities(
        &self,
        activities: &Matrix,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        shapes::match_similarities::<Self>(activities, &labels, slopes, cost)?;
        let (rows, columns) = (activities.rows, activities.columns);
        if rows == 0 {
            return Ok(());
        }
        let centred = self.scratch(Slot::Centred, rows * columns)?;
        let scales = self.scratch(Slot::Scales, rows)?;
        let args = self.args().matrix(activities).count(columns).buffer(&centred).buffer(&scales);
        self.launch_rows(&self.small.centre, rows, args)?;

        let transposed = self.transposed(&centred, rows, columns, 1)?;
        let similarities = self.scratch(Slot::Similarities, rows * rows)?;
        let (input, first_row) = (&*centred, 0);
        let alike =
            Product { input, rows, depth: columns, weight: &transposed, first_row, columns: rows, places: 1 };
        self.multiply(&alike, &similarities)?;
        let args = self
            .args()
            .buffer(&similarities)
            .count(rows)
            .slice(&labels)
            .float(similarity_of_labels(false, classes))
            .float(4.0 / rows as f64)
            .matrix(cost);
        self.launch_group(&self.small.excess, args)?;

        let pull = self.scratch(Slot::Pull, rows * columns)?;
        let input = &*similarities;
        let pulls = Product { input, rows, depth: rows, weight: &centred, first_row, columns, places: 1 };
        self.multiply(&pulls, &pull)?;
        let args = self
            .args()
            .matrix(activities)
            .buffer(&centred)
            .buffer(&pull)
            .buffer(&scales)
            .count(columns)
            .float(along.floor())
            .float(along.share())
            .float(1.0 - along.share())
            .changed(slopes);
        self.launch_rows(&self.small.mix_slopes, rows, args)
    }
}
