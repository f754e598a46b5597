//! The suite passes what is right and finds out what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adapters;
mod faulty;

use faulty::{Faulty, Flaw, Habit};
use ff_backend::conformance::{self, Effort, Fault, Report};
use ff_backend::oracle::Oracle;

/// Operations that compute something.
const OPERATIONS: [&str; 23] = [
    "copy",
    "gather",
    "center",
    "hybrid",
    "product",
    "activate",
    "project",
    "drive",
    "damp",
    "dropout",
    "measure",
    "coefficients",
    "running_mean",
    "gradient",
    "update",
    "learn",
    "read_out",
    "back_project",
    "match_similarities",
    "softmax",
    "draw_labels",
    "accumulate",
    "argmax",
];

fn failed(report: &Report) -> Vec<&'static str> {
    report.failures().map(|(operation, _)| operation).collect()
}

fn run(flaw: Flaw, operation: Option<&'static str>) -> Report {
    let report = conformance::run(&Faulty::new(flaw, operation), Effort::Quick);
    println!("{flaw:?} in {operation:?}\n{report}");
    report
}

#[test]
fn the_oracle_agrees_with_itself() {
    let report = conformance::run(&Oracle, Effort::Quick);
    assert!(report.passed(), "{report}");
    assert!(report.rows.iter().all(|row| row.worst_relative_error == 0.0));
}

#[test]
fn rounding_every_result_to_f32_passes() {
    let report = run(Flaw::None, None);
    assert!(report.passed(), "{report}");
    assert!(report.rows.iter().any(|row| row.worst_relative_error > 0.0));
}

#[test]
fn the_trajectory_survives_rounding() {
    let report = conformance::trajectory(&Faulty::new(Flaw::None, None));
    assert!(report.passed(), "{report}");
}

#[test]
fn the_trajectory_notices_a_bad_habit() {
    let report = conformance::trajectory(&Faulty::new(Flaw::Habit(Habit::HalfGradient), None));
    assert!(!report.passed(), "{report}");
}

#[test]
fn a_flaw_in_every_operation_fails_every_operation() {
    for flaw in [Flaw::Off, Flaw::Nan, Flaw::Unwritten, Flaw::Fickle, Flaw::Refuses] {
        let failed = failed(&run(flaw, None));
        let missed: Vec<_> = OPERATIONS.iter().filter(|name| !failed.contains(name)).collect();
        assert!(missed.is_empty(), "{flaw:?} in {missed:?} went unnoticed");
    }
}

#[test]
fn a_flaw_in_one_operation_is_blamed_on_it() {
    for operation in OPERATIONS {
        let failed = failed(&run(Flaw::Off, Some(operation)));
        // The fused operations are made of these.
        let expected = match operation {
            "product" | "activate" => vec![operation, "project"],
            "gradient" | "update" => vec![operation, "learn"],
            // Local weights are copied too.
            "copy" => vec!["local_weight", operation],
            _ => vec![operation],
        };
        assert_eq!(failed, expected);
    }
}

#[test]
fn a_fused_operation_that_differs_from_the_unfused_is_blamed() {
    let report = run(Flaw::Habit(Habit::BiasDecays), None);
    assert_eq!(failed(&report), ["learn"]);
}

#[test]
fn a_changed_input_is_named() {
    let report = run(Flaw::SpoilsInput, None);
    assert_eq!(failed(&report), ["product", "project", "whole fields"]);
    let fault = &report.failures().next().unwrap().1.fault;
    assert!(matches!(fault, Fault::Overwritten { operand: "input", .. }), "{fault}");
}

#[test]
fn a_nan_is_the_worst_of_all() {
    let report = run(Flaw::Nan, Some("softmax"));
    let (_, failure) = report.failures().next().unwrap();
    let Fault::Far { output: "errors", value, .. } = failure.fault else { panic!("{failure}") };
    assert!(value.is_nan());
}

#[test]
fn bad_habits_are_found_out() {
    for (habit, operation) in [
        (Habit::LastOfEquals, "argmax"),
        (Habit::OverwritesCost, "softmax"),
        (Habit::ForgetsSmoothing, "softmax"),
        (Habit::DropsIdlePull, "gradient"),
        (Habit::DrawsTrueLabel, "draw_labels"),
        (Habit::LeavesScores, "argmax"),
        (Habit::HalfGradient, "gradient"),
        (Habit::ForgetsNormalization, "back_project"),
        (Habit::ForgetsShare, "match_similarities"),
        (Habit::SilencesBelowZero, "match_similarities"),
        (Habit::NeverFlushes, "update"),
        (Habit::NeverRefuses, "misfits"),
        (Habit::SeesNeighbours, "product"),
    ] {
        let failed = failed(&run(Flaw::Habit(habit), None));
        assert!(failed.contains(&operation), "{habit:?} went unnoticed: {failed:?}");
    }
}

#[test]
fn a_failure_says_where_and_by_how_much() {
    let report = run(Flaw::Off, Some("product")).to_string();
    assert!(report.contains("Product { rows: 7, features: 7, columns: 7, first_row: "), "{report}");
    assert!(report.contains("out[6, 6] is "), "{report}");
    assert!(report.contains("should be "), "{report}");
    assert!(report.contains(" within "), "{report}");
}

#[test]
#[ignore = "takes half a minute"]
fn the_full_suite_passes_too() {
    let report = conformance::run(&Faulty::new(Flaw::None, None), Effort::Full);
    println!("{report}");
    assert!(report.passed(), "{report}");
}
