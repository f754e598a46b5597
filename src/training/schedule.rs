//! How the step size changes over epochs.

use ff_backend::Rule;

use crate::config::{HeadConfig, OptimizerKind, RateSchedule, TrainingConfig};

/// The gain of an epoch, from 1, of `epochs`.
pub fn gain(schedule: RateSchedule, epoch: usize, epochs: usize) -> f64 {
    let (at, all) = (epoch as f64, epochs as f64);
    match schedule {
        RateSchedule::Constant => 1.0,
        RateSchedule::Cooldown if 2 * epoch <= epochs => 1.0,
        RateSchedule::Cooldown => (1.0 + 2.0 * (all - at)) / all,
        RateSchedule::Cosine => 1.0 + (std::f64::consts::PI * (at - 1.0) / all).cos(),
    }
}

/// The layers' update rule in batch `batch` (counted from 0 over the whole run).
pub fn rule(training: &TrainingConfig, gain: f64, batch: u64) -> Rule {
    let rate = gain * training.learning_rate;
    match training.optimizer {
        OptimizerKind::Adam => {
            let idle = training.idle_steps;
            Rule::Adam { rate, step: batch * (1 + idle as u64) + 1, idle: idle as u32 }
        }
        OptimizerKind::Momentum => {
            Rule::Momentum { rate, momentum: training.momentum, decay: training.weight_decay }
        }
    }
}

/// The head's update rule.
pub fn head_rule(head: &HeadConfig, gain: f64) -> Rule {
    Rule::Momentum { rate: gain * head.learning_rate, momentum: head.momentum, decay: head.weight_decay }
}
