//! What the suite found.

use std::fmt;

/// How far a value may be from what is expected: |value − expected| ≤ relative · |expected| +
/// absolute · scale, where the scale is the magnitude of what was added up, as the reason says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Of the expected value.
    pub relative: f64,
    /// Of the scale.
    pub absolute: f64,
    /// Why this much.
    pub reason: &'static str,
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.relative, self.absolute) {
            (0.0, 0.0) => f.write_str("exact"),
            (relative, 0.0) => write!(f, "{relative:.1e}"),
            (0.0, absolute) => write!(f, "{absolute:.1e} · scale"),
            (relative, absolute) => write!(f, "{relative:.1e} + {absolute:.1e} · scale"),
        }
    }
}

/// What went wrong in a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A value is too far from what it should be.
    Far {
        /// Which output.
        output: &'static str,
        /// Row of the worst value.
        row: usize,
        /// Column of the worst value.
        column: usize,
        /// The backend's value.
        value: f64,
        /// What it should be.
        expected: f64,
        /// How far it may be from that.
        allowed: f64,
    },
    /// Something changed that the operation must leave alone.
    Overwritten {
        /// Which operand.
        operand: &'static str,
        /// Row of the change.
        row: usize,
        /// Column of the change.
        column: usize,
        /// The value before.
        before: f64,
        /// The value after.
        after: f64,
    },
    /// The same operands gave different bits the second time.
    Unrepeatable {
        /// Which output.
        output: &'static str,
        /// Row of the first difference.
        row: usize,
        /// Column of the first difference.
        column: usize,
        /// The first run's value.
        first: f64,
        /// The second run's value.
        second: f64,
    },
    /// A download has the wrong number of values.
    Length {
        /// Which output.
        output: &'static str,
        /// How many values it has.
        found: usize,
        /// How many it should have.
        wanted: usize,
    },
    /// The backend returned an error where it should have worked.
    Refused {
        /// The error.
        error: String,
    },
    /// The backend did not return the error that it should have.
    Accepted {
        /// What it returned.
        instead: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fault::Far { output, row, column, value, expected, allowed } => write!(
                f,
                "{output}[{row}, {column}] is {value:e}, should be {expected:e} within {allowed:.1e}, \
                 is off by {:.1e}",
                (value - expected).abs()
            ),
            Fault::Overwritten { operand, row, column, before, after } => {
                write!(
                    f,
                    "{operand}[{row}, {column}] was {before:e} and must not change, but became {after:e}"
                )
            }
            Fault::Unrepeatable { output, row, column, first, second } => {
                write!(f, "{output}[{row}, {column}] was {first:e} the first time and {second:e} the second")
            }
            Fault::Length { output, found, wanted } => {
                write!(f, "{output} has {found} values, should have {wanted}")
            }
            Fault::Refused { error } => write!(f, "error: {error}"),
            Fault::Accepted { instead } => write!(f, "should be refused with a shape error, but {instead}"),
        }
    }
}

/// The first case of an operation that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Shapes and options.
    pub case: String,
    /// What went wrong, where it is worst.
    pub fault: Fault,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.fault)
    }
}

/// How an operation fared.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The operation.
    pub operation: &'static str,
    /// How many cases it ran.
    pub cases: usize,
    /// The largest error, relative to the largest expected magnitude of the same output.
    pub worst_relative_error: f64,
    /// The largest error as a fraction of what was allowed there.
    pub tolerance_used: f64,
    /// What was allowed.
    pub tolerance: Tolerance,
    /// The first failure, if any.
    pub failure: Option<Failure>,
}

/// What the suite found, one row an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In the order of the trait.
    pub rows: Vec<Verdict>,
}

impl Report {
    /// Whether every operation passed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The operations that failed, and how.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &Failure)> {
        self.rows.iter().filter_map(|row| Some((row.operation, row.failure.as_ref()?)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let line = |f: &mut fmt::Formatter, cells: [&str; 6]| {
            let [operation, cases, worst, tolerance, used, verdict] = cells;
            writeln!(f, "{operation:<14} {cases:>5}  {worst:>11}  {tolerance:<25} {used:>6}  {verdict}")
        };
        line(f, ["operation", "cases", "worst error", "tolerance", "used", "verdict"])?;
        for row in &self.rows {
            let used = format!("{:.1}%", 100.0 * row.tolerance_used);
            line(
                f,
                [
                    row.operation,
                    &row.cases.to_string(),
                    &format!("{:.1e}", row.worst_relative_error),
                    &row.tolerance.to_string(),
                    if row.tolerance_used > 1.0 { "over" } else { &used },
                    if row.failure.is_none() { "ok" } else { "FAILED" },
                ],
            )?;
        }
        for (row, failure) in self.rows.iter().filter_map(|row| Some((row, row.failure.as_ref()?))) {
            writeln!(f, "{}: {failure}\n    tolerance: {}", row.operation, row.tolerance.reason)?;
        }
        Ok(())
    }
}
