//! The contract between the Forward-Forward algorithm and the hardware that runs it.
//!
//! [`Backend`] is about two dozen operations, each a word of the algorithm. [`oracle::Oracle`]
//! implements them as naive f64 loops that can be checked against the formulas by eye, [`unfused`]
//! composes the fused ones from the others, and [`conformance`] compares any backend with all of these.
//!
//! Rows are samples; matrices are row-major `[rows, columns]`; a vector is a matrix of one row.

mod backend;
pub mod conformance;
mod error;
mod fields;
pub mod host;
mod numbers;
mod objective;
pub mod oracle;
pub mod shapes;
mod types;
pub mod unfused;

pub use backend::{Backend, Shape, Tensor};
pub use error::{BackendError, Result};
pub use fields::{Connected, Fields, Stretch};
pub use numbers::{FLUSH_BELOW, Real, dropout_keeps};
pub use objective::{Along, Goodness, Loss, Objective, PairLoss, sigmoid, similarity_of_labels, softplus};
pub use types::{
    Delta, DeviceInfo, Gradient, IndexSlice, Input, LabelCode, LabelFeatures, Normalization, Parameter, Peer,
    Rule, TALLY_ROWS, Tally, Weights,
};
