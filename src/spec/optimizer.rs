//! Step sizes and update rules.

use ff_backend::Rule;

use crate::config::{HeadConfig, OptimizerKind, RateSchedule, TrainingConfig};

/// How gradients change weights, before the schedule's factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Adam (arXiv 1412.6980).
    Adam {
        /// Step size ε.
        learning_rate: f64,
        /// Steps on a zero gradient after each real one.
        idle_steps: u32,
    },
    /// v ← μ v − (1 − μ) g, w ← w + ε (v − decay · w).
    Momentum {
        /// Step size ε.
        learning_rate: f64,
        /// μ.
        momentum: f64,
        /// Pulls weights (not biases) to 0.
        weight_decay: f64,
    },
}

impl Optimizer {
    pub(super) fn of_layers(training: &TrainingConfig) -> Self {
        let learning_rate = training.learning_rate;
        match training.optimizer {
            OptimizerKind::Adam => Optimizer::Adam { learning_rate, idle_steps: training.idle_steps as u32 },
            OptimizerKind::Momentum => Optimizer::Momentum {
                learning_rate,
                momentum: training.momentum,
                weight_decay: training.weight_decay,
            },
        }
    }

    pub(super) fn of_head(head: &HeadConfig) -> Self {
        let HeadConfig { learning_rate, momentum, weight_decay, .. } = *head;
        Optimizer::Momentum { learning_rate, momentum, weight_decay }
    }

    /// The rule of batch `batch` (from 0, counted over the whole run) at a learning rate times `factor`.
    pub fn rule(self, factor: f64, batch: u64) -> Rule {
        match self {
            Optimizer::Adam { learning_rate, idle_steps } => Rule::Adam {
                rate: factor * learning_rate,
                step: batch * (1 + u64::from(idle_steps)) + 1,
                idle: idle_steps,
            },
            Optimizer::Momentum { learning_rate, momentum, weight_decay } => {
                Rule::Momentum { rate: factor * learning_rate, momentum, decay: weight_decay }
            }
        }
    }

    /// Step size before the schedule's factor.
    pub fn learning_rate(self) -> f64 {
        match self {
            Optimizer::Adam { learning_rate, .. } | Optimizer::Momentum { learning_rate, .. } => {
                learning_rate
            }
        }
    }

    /// Numbers that it remembers of each weight.
    pub fn moments(self) -> usize {
        match self {
            Optimizer::Adam { .. } => 2,
            Optimizer::Momentum { .. } => 1,
        }
    }
}

/// The factor of the learning rate in epoch `epoch`, from 1, of `epochs`.
///
/// `cooldown`: 1 in the first half, then (1 + 2 (E − epoch)) / E. `cosine`: 1 + cos(π (epoch − 1) / E), whose mean is 1.
pub fn learning_rate_factor(schedule: RateSchedule, epoch: usize, epochs: usize) -> f64 {
    let (at, all) = (epoch as f64, epochs as f64);
    match schedule {
        RateSchedule::Constant => 1.0,
        RateSchedule::Cooldown if 2 * epoch <= epochs => 1.0,
        RateSchedule::Cooldown => (1.0 + 2.0 * (all - at)) / all,
        RateSchedule::Cosine => 1.0 + (std::f64::consts::PI * (at - 1.0) / all).cos(),
    }
}
