//! Cases of upload, download and copy.

use super::local::Sight;
use super::trial::{Precision, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Connected, Result, Shape, Tensor};

/// Rows of labels above those of fields.
const LABELS: usize = 3;

const EXACT: Tolerance = Tolerance { relative: 0.0, absolute: 0.0, reason: "nothing is computed" };

/// `zeros`, `upload`, `download`, of matrices and of weights.
#[derive(Debug)]
pub struct Transfer {
    rows: usize,
    columns: usize,
}

impl Transfer {
    fn there_and_back<T: Tensor<B>, B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let host = trial.draw.signed(self.rows, self.columns);
        let zeros = T::zeros(trial.backend, self.rows, self.columns)?;
        let uploaded: T = trial.place(&host)?;
        trial.backend.synchronize()?;
        let shape = [&zeros, &uploaded].map(|m| [m.rows() as f64, m.columns() as f64]);
        trial.finding("shape", shape.concat());
        trial.exact("zeros", &zeros)?;
        trial.kept("uploaded", &uploaded, &host)
    }
}

impl Case for Transfer {
    const OPERATION: &'static str = "upload";

    fn tolerance(_: Precision) -> Tolerance {
        EXACT
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(1_000_000).into_iter().chain([[0, 7], [7, 0], [0, 0]]);
        shapes.map(|[rows, columns]| Transfer { rows, columns }).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        self.there_and_back::<B::Matrix, B>(trial)?;
        self.there_and_back::<B::Weight, B>(trial)
    }
}

/// `local_weight` and `like`, then `upload`, `copy` and `download` of it.
#[derive(Debug)]
pub struct LocalWeight {
    features: usize,
    units: usize,
    sight: Sight,
}

impl Case for LocalWeight {
    const OPERATION: &'static str = "local_weight";

    fn tolerance(_: Precision) -> Tolerance {
        EXACT
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let case =
            |([_, features, units], sight): ([usize; 3], Sight)| LocalWeight { features, units, sight };
        Sight::all(effort).into_iter().map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let Some(fields) = self.sight.fields(self.features, self.units)? else { return Ok(()) };
        let fresh = trial.backend.local_weight(LABELS, &fields)?;
        let host = trial.draw.signed(fresh.rows(), fresh.columns());
        let uploaded = trial.place_weight(Some(&fields), &host)?;
        let mut copied = uploaded.like(trial.backend)?;
        trial.exact("zeros", &fresh)?;
        trial.exact("zeros alike", &copied)?;
        trial.kept("uploaded", &uploaded, &host)?;
        uploaded.copy(trial.backend, &mut copied)?;
        trial.kept("copied", &copied, &host)?;
        let same = [&fresh, &uploaded, &copied].map(|weight| weight.fields() == Some(&fields));
        trial.finding("fields", same.map(|same| f64::from(u8::from(same))).to_vec());
        let shape = [fields.rows() + LABELS, fields.units(), fresh.rows(), fresh.columns()];
        trial.finding("shape", shape.map(|extent| extent as f64).to_vec());
        Ok(())
    }
}

/// `indices`, `upload_indices` of a beginning, `download_indices`.
#[derive(Debug)]
pub struct TransferList {
    len: usize,
    uploaded: usize,
}

impl Case for TransferList {
    const OPERATION: &'static str = "upload_indices";

    fn tolerance(_: Precision) -> Tolerance {
        EXACT
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let mut cases = vec![TransferList { len: 0, uploaded: 0 }];
        for [len] in effort.shapes(2000) {
            cases.extend([0, 1, len / 2, len].map(|uploaded| TransferList { len, uploaded }));
        }
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let values: Vec<u32> = (0..self.len).map(|_| trial.draw.word()).collect();
        let fresh = trial.backend.indices(self.len)?;
        let mut list = trial.poisoned_list(self.len)?;
        trial.backend.upload_indices(&mut list, &values[..self.uploaded])?;
        trial.exact_list("fresh", &fresh)?;
        trial.exact_list("list", &list)
    }
}

/// `copy`, of matrices and of weights.
#[derive(Debug)]
pub struct Copy {
    rows: usize,
    columns: usize,
}

impl Case for Copy {
    const OPERATION: &'static str = "copy";

    fn tolerance(_: Precision) -> Tolerance {
        EXACT
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(1_000_000).into_iter().chain([[0, 7], [7, 0]]);
        shapes.map(|[rows, columns]| Copy { rows, columns }).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let host = trial.draw.signed(self.rows, self.columns);
        let source = trial.given("source", &host)?;
        let mut target: B::Matrix = trial.poisoned(self.rows, self.columns)?;
        trial.backend.copy(&*source, &mut target)?;
        trial.kept("target", &target, &host)?;
        let source = trial.given_weight("source", None, &host)?;
        let mut target: B::Weight = trial.poisoned(self.rows, self.columns)?;
        trial.backend.copy(&*source, &mut target)?;
        trial.kept("target", &target, &host)
    }
}
