//! The operations of the trait, compiled here for each type of numbers. What is generic is compiled where it is used, with
//! that crate's settings: kernels of a program that is built without optimization were ten times as slow.

use ff_backend::host::{Images, Indices};
use ff_backend::{
    Along, Delta, Goodness, Gradient, IndexSlice, Input, Normalization, Objective, Result, Rule, Tally,
    Weights,
};

use crate::{Cpu, Matrix, Scalar, Weight};

/// From each operation's arguments: the trait that [`Scalar`] stands on, and it for each type of numbers by the
/// backend's method of the same name.
macro_rules! operations {
    ($($name:ident($($argument:ident: $kind:ty),* $(,)?);)*) => {
        /// What a backend of these numbers does, as [`ff_backend::Backend`] says; `Self` is the type of numbers.
        pub trait Operations: Sized {
            $(#[doc(hidden)]
            #[allow(missing_docs, clippy::missing_errors_doc, clippy::too_many_arguments)]
            fn $name(cpu: &Cpu<Self>, $($argument: $kind),*) -> Result<()> where Self: Scalar;)*
        }
        operations!(for f32: $($name($($argument: $kind),*);)*);
        operations!(for f64: $($name($($argument: $kind),*);)*);
    };
    (for $number:ty: $($name:ident($($argument:ident: $kind:ty),*);)*) => {
        impl Operations for $number {
            $(fn $name(cpu: &Cpu<Self>, $($argument: $kind),*) -> Result<()> {
                cpu.$name($($argument),*)
            })*
        }
    };
}

operations! {
    gather(
        images: &Images, rows: IndexSlice<Cpu<Self>>, shifts: Option<IndexSlice<Cpu<Self>>>, skip: usize,
        out: &mut Matrix<Self>, squares: &mut Matrix<Self>
    );
    center(x: &mut Matrix<Self>, squares: &mut Matrix<Self>);
    hybrid(x: &mut Matrix<Self>, masks: &Images, which: IndexSlice<Cpu<Self>>, squares: &mut Matrix<Self>);
    product(input: &Matrix<Self>, weight: &Weight<Self>, first_row: usize, out: &mut Matrix<Self>);
    activate(
        product: &Matrix<Self>, input: &Input<Cpu<Self>>, layer: &Weights<Cpu<Self>>, out: &mut Matrix<Self>,
        squares: &mut Matrix<Self>
    );
    project(
        input: &Input<Cpu<Self>>, layer: &Weights<Cpu<Self>>, out: &mut Matrix<Self>, squares: &mut Matrix<Self>
    );
    drive(
        product: &Matrix<Self>, input: &Input<Cpu<Self>>, above: &Input<Cpu<Self>>, layer: &Weights<Cpu<Self>>,
        out: &mut Matrix<Self>, squares: &mut Matrix<Self>
    );
    damp(
        before: &Matrix<Self>, keep: f64, computed: &mut Matrix<Self>, state: &mut Matrix<Self>,
        squares: &mut Matrix<Self>
    );
    dropout(activities: &mut Matrix<Self>, rate: f64, seed: u32, squares: &mut Matrix<Self>);
    measure(
        activities: &Matrix<Self>, goodness: Goodness, slopes: &mut Matrix<Self>, sums: &mut Matrix<Self>
    );
    coefficients(
        squares: &Matrix<Self>, objective: &Objective, coefficients: &mut Matrix<Self>, tally: Tally<Cpu<Self>>
    );
    running_mean(activities: &Matrix<Self>, rows: usize, keep: f64, mean: &mut Matrix<Self>);
    gradient(input: &Input<Cpu<Self>>, delta: &Delta<Cpu<Self>>, gradient: &mut Gradient<Cpu<Self>>);
    update(layer: &mut Weights<Cpu<Self>>, gradient: &Gradient<Cpu<Self>>, rule: Rule);
    learn(input: &Input<Cpu<Self>>, delta: &Delta<Cpu<Self>>, layer: &mut Weights<Cpu<Self>>, rule: Rule);
    read_out(
        activities: &Matrix<Self>, squares: &Matrix<Self>, normalization: Normalization, weight: &Weight<Self>,
        logits: &mut Matrix<Self>, add: bool
    );
    back_project(
        errors: &Matrix<Self>, weight: &Weight<Self>, activities: &Matrix<Self>, squares: &Matrix<Self>,
        normalization: Normalization, out: &mut Matrix<Self>
    );
    match_similarities(
        activities: &Matrix<Self>, labels: IndexSlice<Cpu<Self>>, classes: usize, along: Along,
        slopes: &mut Matrix<Self>, cost: &mut Matrix<Self>
    );
    softmax(
        logits: &Matrix<Self>, labels: IndexSlice<Cpu<Self>>, smoothing: f64, errors: &mut Matrix<Self>,
        cost: &mut Matrix<Self>
    );
    draw_labels(
        errors: &Matrix<Self>, labels: IndexSlice<Cpu<Self>>, uniforms: IndexSlice<Cpu<Self>>, out: &mut Indices
    );
    accumulate(squares: &Matrix<Self>, factor: f64, scores: &mut Matrix<Self>, column: usize);
    argmax(scores: &mut Matrix<Self>, out: &mut Indices, offset: usize);
}
