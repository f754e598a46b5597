//! Mean, standard deviation and 95 % interval.

use super::student;

/// How often intervals hold the true mean.
const LEVEL: f64 = 0.95;

/// Mean and sample standard deviation of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// Σx / n.
    pub mean: f64,
    /// sqrt(Σ(x − mean)² / (n − 1)); absent for a single value.
    pub deviation: Option<f64>,
    /// n.
    pub count: usize,
}

impl Mean {
    /// Of values; `None` if there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let count = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Some(Mean { mean, deviation, count: values.len() })
    }

    /// Half the width of the 95 % interval around the mean, t · deviation / sqrt(n) with Student's t of n − 1 degrees of
    /// freedom: of values drawn from one normal distribution, 19 of 20 such intervals hold its mean. Absent for a single
    /// value.
    pub fn interval(&self) -> Option<f64> {
        let t = student::two_sided(LEVEL, self.count.checked_sub(1)?)?;
        Some(t * self.deviation? / (self.count as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviation_is_the_sample_s() {
        let mean = Mean::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(mean, Some(Mean { mean: 5.0, deviation: Some((32.0_f64 / 7.0).sqrt()), count: 8 }));
        assert_eq!(Mean::of([3.0]), Some(Mean { mean: 3.0, deviation: None, count: 1 }));
        assert_eq!(Mean::of([]), None);
    }

    /// Σx / n = 98.548, s = 0.0638, t of four degrees 2.7764 (published to four decimals): half of the interval is
    /// 2.7764 · 0.0638 / sqrt(5).
    #[test]
    fn the_interval_is_student_s() {
        let mean = Mean::of([98.6, 98.5, 98.55, 98.62, 98.47]);
        let half = mean.and_then(|mean| mean.interval()).unwrap_or(f64::NAN);
        assert!((half - 0.079_21).abs() < 1e-5, "{half}");
        assert_eq!(Mean::of([98.6]).and_then(|mean| mean.interval()), None);
    }
}
