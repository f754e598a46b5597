//! Gradients agree with finite differences of the losses, in double precision.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod classifiers;
mod differences;
mod head;
mod hybrids;
mod layers;
mod peers;
mod probe;
mod top_down;

use ff_backend::oracle::Oracle;
use ff_backend_cpu::Cpu;
#[cfg(feature = "openblas")]
use ff_backend_openblas::OpenBlas;

/// Agreement that is asked for.
const TOLERANCE: f64 = 1e-6;

#[test]
fn every_loss_goodness_normalization_and_label_placement() {
    layers::check(&Cpu::<f64>::new(1).unwrap(), "cpu");
    layers::check(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    layers::check(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn layers_whose_units_see_a_field() {
    layers::check_local(&Cpu::<f64>::new(1).unwrap(), "cpu");
    layers::check_local(&Cpu::<f64>::new(2).unwrap().with_break_even(1.0), "cpu, by lists");
    layers::check_local(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    layers::check_local(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn states_are_what_the_formulas_say() {
    top_down::check_states(&Cpu::<f64>::new(2).unwrap(), "cpu");
    top_down::check_states(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    top_down::check_states(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn steps_of_layers_that_are_driven_from_above() {
    top_down::check(&Cpu::<f64>::new(1).unwrap(), "cpu");
    top_down::check(&Cpu::<f64>::new(2).unwrap().with_break_even(1.0), "cpu, by lists");
    top_down::check(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    top_down::check(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn dropout_and_the_scale_of_the_gradient() {
    layers::check_scaled(&Cpu::<f64>::new(1).unwrap(), "cpu");
    layers::check_scaled(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    layers::check_scaled(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn hybrids_of_images_that_are_centered() {
    hybrids::check(&Cpu::<f64>::new(1).unwrap());
    hybrids::check(&Oracle);
    #[cfg(feature = "openblas")]
    hybrids::check(&OpenBlas::<f64>::new());
}

#[test]
fn cross_entropy_of_the_head() {
    head::check(&Cpu::<f64>::new(1).unwrap(), "cpu");
    head::check(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    head::check(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn cross_entropy_of_local_classifiers_and_end_to_end() {
    classifiers::check(&Cpu::<f64>::new(1).unwrap(), "cpu");
    classifiers::check(&Oracle, "oracle");
    #[cfg(feature = "openblas")]
    classifiers::check(&OpenBlas::<f64>::new(), "openblas");
}

#[test]
fn peer_normalization_pulls_as_its_formula_says() {
    peers::check(&Cpu::<f64>::new(1).unwrap());
    peers::check(&Oracle);
    #[cfg(feature = "openblas")]
    peers::check(&OpenBlas::<f64>::new());
}
