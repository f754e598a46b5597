//! What a layer minimizes. A loss and its slopes are written down here, once: the oracle and the backends whose
//! precision is the host's call it, kernels repeat it.

use crate::Real;

/// softplus(x) = ln(1 + eˣ), without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// σ(x) = 1 / (1 + e⁻ˣ), the slope of softplus.
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// What compares goodness: loss of a batch of B positive rows followed by B negative rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// mean softplus(−u⁺) + mean softplus(u⁻), u = (G − threshold) / temperature.
    Bce {
        /// θ.
        threshold: f64,
        /// T.
        temperature: f64,
    },
    /// mean softplus(−α (G⁺ − G⁻)) over pairs (arXiv 2303.08418).
    Symba {
        /// α.
        alpha: f64,
    },
    /// mean max(0, margin − (G⁺ − G⁻)) over pairs: a pair that is far enough apart needs no work.
    Margin {
        /// How far apart a pair is to be.
        margin: f64,
    },
}

/// The loss of a positive and a negative row, and how it changes with their goodness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairLoss {
    /// The loss.
    pub loss: f64,
    /// ∂loss/∂G⁺.
    pub positive_slope: f64,
    /// ∂loss/∂G⁻.
    pub negative_slope: f64,
}

impl Loss {
    /// T of the odds exp(ΔG / T) that a layer under this loss is trained to give: for class probabilities.
    pub fn temperature(self) -> f64 {
        match self {
            Loss::Bce { temperature, .. } => temperature,
            Loss::Symba { alpha } => 1.0 / alpha,
            // No odds: the margin is what counts as one step apart.
            Loss::Margin { margin } => margin,
        }
    }

    /// The loss of a pair with goodness G⁺ and G⁻. A probability under half an epsilon of the precision `R` cannot be
    /// told from 0 beside 1 and counts as 0.
    pub fn of_pair<R: Real>(self, positive: f64, negative: f64) -> PairLoss {
        let probability = |x: f64| {
            let p = sigmoid(x);
            if p < R::EPSILON / 2.0 { 0.0 } else { p }
        };
        match self {
            Loss::Bce { threshold, temperature } => {
                let (up, down) = ((threshold - positive) / temperature, (negative - threshold) / temperature);
                PairLoss {
                    loss: softplus(up) + softplus(down),
                    positive_slope: -probability(up) / temperature,
                    negative_slope: probability(down) / temperature,
                }
            }
            Loss::Symba { alpha } => {
                let x = alpha * (negative - positive);
                let slope = alpha * probability(x);
                PairLoss { loss: softplus(x), positive_slope: -slope, negative_slope: slope }
            }
            Loss::Margin { margin } => {
                let missing = margin - (positive - negative);
                let slope = if missing > 0.0 { 1.0 } else { 0.0 };
                PairLoss { loss: missing.max(0.0), positive_slope: -slope, negative_slope: slope }
            }
        }
    }

    /// Its number and its constants, as kernels are given them.
    pub fn encoded(self) -> (i32, [f64; 2]) {
        match self {
            Loss::Bce { threshold, temperature } => (0, [threshold, temperature]),
            Loss::Symba { alpha } => (1, [alpha, 1.0]),
            Loss::Margin { margin } => (2, [margin, 1.0]),
        }
    }

    /// The same with constants of the precision `R`.
    pub fn rounded<R: Real>(self) -> Self {
        let rounded = |x: f64| R::from_f64(x).to_f64();
        match self {
            Loss::Bce { threshold, temperature } => {
                Loss::Bce { threshold: rounded(threshold), temperature: rounded(temperature) }
            }
            Loss::Symba { alpha } => Loss::Symba { alpha: rounded(alpha) },
            Loss::Margin { margin } => Loss::Margin { margin: rounded(margin) },
        }
    }

    /// θ, where goodness is compared with one.
    pub fn threshold(self) -> Option<f64> {
        match self {
            Loss::Bce { threshold, .. } => Some(threshold),
            Loss::Symba { .. } | Loss::Margin { .. } => None,
        }
    }
}

/// What a row's goodness is the sum of, where it is not Σh² over all units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodness {
    /// Σh² over the k most active units, equals included (arXiv 2604.13081). 1 ≤ k ≤ N.
    TopK {
        /// k.
        k: usize,
    },
    /// Σh, the activities as they are: its slope is 1 where h > 0 (arXiv 2212.13345, section 2).
    L1,
    /// Σ p h², p = 1.5-entmax of h: shares of 1 of which all but the most active units have none (arXiv 2604.13081; entmax:
    /// arXiv 1905.05702). p_i = s_i², s_i = max(0, h_i / 2 − τ), Σ s² = 1.
    Entmax,
}

impl Goodness {
    /// The sum over a row of activities h, and s = ½ ∂sum/∂h of each: what takes the place of h in the row's gradient.
    pub fn of_row(self, activities: &[f64]) -> (f64, Vec<f64>) {
        match self {
            Goodness::TopK { k } => {
                let mut falling = activities.to_vec();
                falling.sort_by(|a, b| b.total_cmp(a));
                let least = k.checked_sub(1).and_then(|k| falling.get(k)).copied().unwrap_or(0.0);
                let slopes: Vec<f64> = activities.iter().map(|&h| if h >= least { h } else { 0.0 }).collect();
                (slopes.iter().map(|s| s * s).sum(), slopes)
            }
            Goodness::L1 => {
                let half = |&h: &f64| if h > 0.0 { 0.5 } else { 0.0 };
                (activities.iter().sum(), activities.iter().map(half).collect())
            }
            Goodness::Entmax => {
                let threshold = entmax_threshold(activities);
                let shares: Vec<f64> = activities.iter().map(|h| (h / 2.0 - threshold).max(0.0)).collect();
                let of_shares = |value: fn(f64, f64) -> f64| -> f64 {
                    shares.iter().zip(activities).map(|(&s, &h)| value(s, h)).sum()
                };
                let mean = of_shares(|s, h| s * h * h) / of_shares(|s, _| s);
                let slope = |(&s, &h): (&f64, &f64)| s * (s * h + 0.5 * (h * h - mean));
                let of_unit = |pair: (&f64, &f64)| if *pair.1 > 0.0 { slope(pair) } else { 0.0 };
                (of_shares(|s, h| s * s * h * h), shares.iter().zip(activities).map(of_unit).collect())
            }
        }
    }

    /// Its number and its constant, as kernels are given them.
    pub fn encoded(self) -> (i32, usize) {
        match self {
            Goodness::TopK { k } => (0, k),
            Goodness::L1 => (1, 0),
            Goodness::Entmax => (2, 0),
        }
    }

    /// Units that it needs in a layer.
    pub fn least_units(self) -> usize {
        match self {
            Goodness::TopK { k } => k,
            Goodness::L1 | Goodness::Entmax => 1,
        }
    }
}

/// τ of 1.5-entmax, from sorted activities: of the k largest z = h / 2 that have shares, with mean m and sum of squared
/// deviations d, τ = m − √((1 − d) / k) (arXiv 1905.05702, algorithm 2). 0 without activities.
fn entmax_threshold(activities: &[f64]) -> f64 {
    let mut falling: Vec<f64> = activities.iter().map(|h| h / 2.0).collect();
    falling.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut squares, mut threshold) = (0.0, 0.0, 0.0);
    for (at, &z) in falling.iter().enumerate() {
        let k = (at + 1) as f64;
        (sum, squares) = (sum + z, squares + z * z);
        let mean = sum / k;
        let deviations = squares - sum * mean;
        let least = mean - ((1.0 - deviations) / k).max(0.0).sqrt();
        if least > z {
            break;
        }
        threshold = least;
    }
    threshold
}

/// The similarity that two rows should have: the cosine of their labels, as centred one-hot rows of `classes`.
pub fn similarity_of_labels(same: bool, classes: usize) -> f64 {
    if same { 1.0 } else { -1.0 / (classes as f64 - 1.0) }
}

/// Along what similarities have their slopes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Along {
    /// The sums a that h = max(0, a) was made of; mixed, by this share, with the slopes that are there. 0 ≤ share ≤ 1.
    Sums {
        /// What the similarities have of the whole.
        share: f64,
    },
    /// The rows as they are, whatever their signs.
    Rows,
}

impl Along {
    /// The similarities' share of the slopes.
    pub fn share(self) -> f64 {
        match self {
            Along::Sums { share } => share,
            Along::Rows => 1.0,
        }
    }

    /// What an entry has to be above to have a slope.
    pub fn floor(self) -> f64 {
        match self {
            Along::Sums { .. } => 0.0,
            Along::Rows => f64::NEG_INFINITY,
        }
    }
}

/// A layer's objective: G = `factor` · Σh², or · the sum that [`Goodness`] names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// What compares goodness.
    pub loss: Loss,
    /// 1 for `sum`, 1/n for `mean`, 1/k for `topk`; negative where positives are to be silent.
    pub factor: f64,
    /// Factors of the gradient of positive and of negative rows: 0.5 steps along h instead of 2h, 0 leaves rows as they are.
    pub gradient_scales: [f64; 2],
}

impl Objective {
    /// What turns ∂loss/∂G of a pair's rows into their coefficients: gradient_scale · 2 · factor / pairs, of the positive
    /// and of the negative row.
    pub fn chains(&self, pairs: usize) -> [f64; 2] {
        self.gradient_scales.map(|scale| scale * 2.0 * self.factor / pairs as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSES: [Loss; 4] = [
        Loss::Bce { threshold: 2.0, temperature: 0.7 },
        Loss::Symba { alpha: 4.0 },
        Loss::Symba { alpha: 0.3 },
        Loss::Margin { margin: 1.5 },
    ];

    /// Central differences are right to the square of their step.
    #[test]
    fn slopes_are_those_of_the_loss() {
        const STEP: f64 = 1e-5;
        for loss in LOSSES {
            for (positive, negative) in [(0.0, 0.0), (2.3, 1.9), (1.0, 3.0), (0.4, 2.5), (5.0, 0.1)] {
                let at = |positive: f64, negative: f64| loss.of_pair::<f64>(positive, negative);
                let slope = |(plus, minus): (PairLoss, PairLoss)| (plus.loss - minus.loss) / (2.0 * STEP);
                let up = slope((at(positive + STEP, negative), at(positive - STEP, negative)));
                let down = slope((at(positive, negative + STEP), at(positive, negative - STEP)));
                let pair = at(positive, negative);
                assert!((pair.positive_slope - up).abs() < 1e-8, "{loss:?}: {pair:?}, found {up}");
                assert!((pair.negative_slope - down).abs() < 1e-8, "{loss:?}: {pair:?}, found {down}");
            }
        }
    }

    #[test]
    fn shares_of_entmax_are_shares_and_its_slopes_those_of_its_sum() {
        let row = [0.0, 0.3, 2.0, 1.7, 0.0, 0.9, 1.9, 0.01];
        let threshold = entmax_threshold(&row);
        let shares = row.map(|h| (h / 2.0 - threshold).max(0.0).powi(2));
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
        assert!(shares[0] == 0.0 && shares[5] > 0.0, "{shares:?}");
        let slopes = Goodness::Entmax.of_row(&row).1;
        for (i, slope) in slopes.into_iter().enumerate().filter(|(i, _)| row[*i] > 0.0) {
            let at = |step: f64| {
                let mut row = row;
                row[i] += step;
                Goodness::Entmax.of_row(&row).0
            };
            let half = (at(1e-6) - at(-1e-6)) / 4e-6;
            assert!((slope - half).abs() < 1e-8, "unit {i}: {slope}, found {half}");
        }
        let quiet = Goodness::Entmax.of_row(&[0.0; 3]);
        assert_eq!(quiet, (0.0, vec![0.0; 3]));
    }

    #[test]
    fn rows_that_have_learned_have_no_slope() {
        for loss in LOSSES {
            let pair = loss.of_pair::<f32>(1e6, -1e6);
            assert_eq!((pair.positive_slope, pair.negative_slope), (0.0, 0.0), "{loss:?}");
        }
    }

    #[test]
    fn every_loss_has_a_number_of_its_own() {
        let numbers = [LOSSES[0], LOSSES[1], LOSSES[3]].map(|loss| loss.encoded().0);
        assert_eq!(numbers, [0, 1, 2]);
    }
}
