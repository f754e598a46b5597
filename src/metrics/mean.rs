//! Mean and standard deviation.

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
}
