//! One suite that compares any backend with the f64 oracle.
//!
//! Every operation runs on operands drawn from one seed, rounded to f32 so that every precision starts
//! from the same numbers, in shapes that put 1, primes, powers of two and 2000 in every position.
//! Outputs start as NaN. A value that is not within the operation's tolerance of the oracle's fails,
//! and a NaN always does; so does an operand or neighbour that changed, or a second run with other bits.
//!
//! ```
//! use ff_backend::{conformance, oracle::Oracle};
//!
//! let report = conformance::run(&Oracle, conformance::Effort::Quick);
//! assert!(report.passed(), "{report}");
//! ```

mod backward;
mod draw;
mod forward;
mod gradients;
mod inputs;
mod judge;
mod labels;
mod layer;
mod local;
mod memory;
mod objective;
mod recurrence;
mod refusals;
mod report;
mod sizes;
mod sparsity;
mod trajectory;
mod trial;
mod updates;

pub use report::{Failure, Fault, Report, Tolerance, Verdict};
pub use sizes::Effort;

use crate::{Backend, BackendError, Result, oracle::Oracle};
use trial::{Output, Precision, Trial};

/// One call of one operation. `Debug` prints its shapes and options.
trait Case: std::fmt::Debug + Sized {
    const OPERATION: &'static str;
    fn tolerance(precision: Precision) -> Tolerance;
    fn cases(effort: Effort) -> Vec<Self>;
    /// Draws the operands, calls the operation, and says how its outputs are to be judged.
    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()>;
}

/// Compares every operation of `backend` with the oracle.
pub fn run<B: Backend>(backend: &B, effort: Effort) -> Report {
    let examine = Examiner { backend, effort };
    let rows = vec![
        examine.operation::<memory::Transfer>(),
        examine.operation::<memory::TransferList>(),
        examine.operation::<memory::LocalWeight>(),
        examine.operation::<memory::Copy>(),
        examine.operation::<inputs::Gather>(),
        examine.operation::<inputs::Center>(),
        examine.operation::<inputs::Hybrid>(),
        examine.operation::<forward::Product>(),
        examine.operation::<forward::Activate>(),
        examine.operation::<forward::Project>(),
        examine.operation::<recurrence::Drive>(),
        examine.operation::<recurrence::Damp>(),
        examine.operation::<sparsity::Dropout>(),
        examine.operation::<sparsity::Measure>(),
        examine.operation::<objective::Coefficients>(),
        examine.operation::<objective::RunningMean>(),
        examine.operation::<gradients::Gradient>(),
        examine.operation::<updates::Update>(),
        examine.operation::<updates::Learn>(),
        examine.operation::<labels::ReadOut>(),
        examine.operation::<backward::BackProject>(),
        examine.operation::<backward::MatchSimilarities>(),
        examine.operation::<labels::Softmax>(),
        examine.operation::<labels::DrawLabels>(),
        examine.operation::<labels::Accumulate>(),
        examine.operation::<labels::Argmax>(),
        examine.operation::<local::WholeField>(),
        refusals::verdict(backend),
    ];
    Report { rows }
}

/// Compares five steps of training two small networks with the oracle's.
pub fn trajectory<B: Backend>(backend: &B) -> Report {
    let examine = Examiner { backend, effort: Effort::Quick };
    Report { rows: vec![examine.operation::<trajectory::Trajectory>()] }
}

struct Examiner<'b, B> {
    backend: &'b B,
    effort: Effort,
}

impl<B: Backend> Examiner<'_, B> {
    fn operation<C: Case>(&self) -> Verdict {
        let tolerance = C::tolerance(Precision::of(self.backend));
        let cases = C::cases(self.effort);
        let mut verdict = Verdict {
            operation: C::OPERATION,
            cases: cases.len(),
            worst_relative_error: 0.0,
            tolerance_used: 0.0,
            tolerance,
            failure: None,
        };
        for (case, seed) in cases.iter().zip(1..) {
            let judgement = self.case(case, seed, tolerance);
            verdict.worst_relative_error = verdict.worst_relative_error.max(judgement.error);
            verdict.tolerance_used = verdict.tolerance_used.max(judgement.used);
            if verdict.failure.is_none() {
                verdict.failure = judgement.fault.map(|fault| Failure { case: format!("{case:?}"), fault });
            }
        }
        verdict
    }

    fn case<C: Case>(&self, case: &C, seed: u64, tolerance: Tolerance) -> judge::Judgement {
        let precision = Precision::of(self.backend);
        let tried = || attempt(case, Trial::new(self.backend, seed, precision, tolerance));
        let mut reference = Trial::new(&Oracle, seed, precision, tolerance);
        reference.reference = true;
        let outcome = attempt(case, reference).and_then(|oracle| Ok((oracle, tried()?, tried()?)));
        match outcome {
            Ok((Some(oracle), Some(first), Some(second))) => {
                let mut judgement = judge::judge(&first, &oracle);
                judgement.fault = judgement.fault.or_else(|| judge::unrepeatable(&first, &second));
                judgement
            }
            Ok(_) => judge::Judgement::default(),
            Err(error) => {
                let fault = Some(Fault::Refused { error: error.to_string() });
                judge::Judgement { fault, ..judge::Judgement::default() }
            }
        }
    }
}

/// The outputs of a case, or none if it has no elements and the backend declines those.
fn attempt<C: Case, B: Backend>(case: &C, mut trial: Trial<B>) -> Result<Option<Vec<Output>>> {
    match case.run(&mut trial) {
        Ok(()) => trial.finish().map(Some),
        Err(BackendError::Shape { .. } | BackendError::Unsupported(_)) if trial.is_empty() => Ok(None),
        Err(error) => Err(error),
    }
}
