//! Our numbers beside theirs.

use std::fmt::Debug;

/// Relative errors ‖ours − theirs‖ / ‖theirs‖, the worst of each kind of number.
pub struct Comparison {
    subject: String,
    pub tolerance: f64,
    worst: Vec<(String, f64)>,
    faults: Vec<String>,
}

impl Comparison {
    pub fn new(subject: String, tolerance: f64) -> Self {
        Comparison { subject, tolerance, worst: Vec::new(), faults: Vec::new() }
    }

    /// Tensor `name`, one of `kind`, within the tolerance.
    pub fn close(&mut self, kind: &str, name: &str, ours: &[f64], theirs: &[f64]) {
        self.close_but_for(0.0, kind, name, ours, theirs);
    }

    /// As `close`; a distance of `slack` does not count.
    pub fn close_but_for(&mut self, slack: f64, kind: &str, name: &str, ours: &[f64], theirs: &[f64]) {
        assert_eq!(ours.len(), theirs.len(), "{}: size of {name}", self.subject);
        let differences: Vec<f64> = ours.iter().zip(theirs).map(|(x, y)| x - y).collect();
        let distance = norm(&differences);
        let error = if distance <= slack { 0.0 } else { (distance - slack) / norm(theirs) };
        match self.worst.iter_mut().find(|(known, _)| known == kind) {
            Some((_, worst)) => *worst = worst.max(error),
            None => self.worst.push((kind.to_owned(), error)),
        }
        // A NaN is not within any tolerance.
        if !error.le(&self.tolerance) {
            self.faults.push(format!("{name}: relative error {error:.1e}"));
        }
    }

    /// Exactly the same.
    pub fn equal<T: PartialEq + Debug>(&mut self, name: &str, ours: T, theirs: T) {
        if ours != theirs {
            self.faults.push(format!("{name}: {ours:?}, should be {theirs:?}"));
        }
    }

    /// Prints the errors and fails if one is too large.
    pub fn finish(self) {
        println!("{}", self.subject);
        for (kind, error) in &self.worst {
            println!("  {kind:<24} {error:.1e}");
        }
        assert!(self.faults.is_empty(), "{}:\n{}", self.subject, self.faults.join("\n"));
    }
}

/// Euclidean length.
pub fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}
