//! Sleep: whether positive and negative rows learn in one batch or apart (arXiv 2212.13345, section 5).

use ff_backend::Objective;

/// Which rows of a batch learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Positive and negative rows.
    Both,
    /// Positive rows.
    Awake,
    /// Negative rows.
    Asleep,
}

impl Phase {
    /// The phase of batch `index`, from 0, where they change every so many batches; every epoch begins awake.
    pub fn of_batch(index: usize, every: usize) -> Phase {
        match index.checked_div(every) {
            None => Phase::Both,
            Some(turn) if turn % 2 == 0 => Phase::Awake,
            Some(_) => Phase::Asleep,
        }
    }

    /// The objective, without the rows that do not learn.
    pub fn restrict(self, objective: &Objective) -> Objective {
        let [up, down] = objective.gradient_scales;
        let gradient_scales = match self {
            Phase::Both => [up, down],
            Phase::Awake => [up, 0.0],
            Phase::Asleep => [0.0, down],
        };
        Objective { gradient_scales, ..*objective }
    }

    /// How many of so many positive rows learn.
    pub fn positives(self, rows: usize) -> usize {
        if self == Phase::Asleep { 0 } else { rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_take_turns() {
        let phases = |every| (0..6).map(|index| Phase::of_batch(index, every)).collect::<Vec<_>>();
        assert_eq!(phases(0), [Phase::Both; 6]);
        let (awake, asleep) = (Phase::Awake, Phase::Asleep);
        assert_eq!(phases(1), [awake, asleep, awake, asleep, awake, asleep]);
        assert_eq!(phases(2), [awake, awake, asleep, asleep, awake, awake]);
    }
}
