//! The presets are what their table says.

use super::*;

fn recipe(name: &str) -> Config {
    sets(&[&format!("recipe={name}")]).unwrap()
}

#[test]
fn baseline_is_the_default() {
    assert_eq!(recipe("baseline"), Config::default());
}

#[test]
fn original_differs_by_its_accidents_alone() {
    let mut expected = Config { recipe: "original".into(), ..Config::default() };
    expected.network.input_normalization = Normalization::None;
    expected.network.initial_scale = 1.0;
    expected.training.learning_rate_schedule = RateSchedule::Constant;
    expected.training.idle_steps = 3;
    expected.training.layer_schedule = LayerSchedule::Greedy;
    assert_eq!(recipe("original"), expected);
}

#[test]
fn hinton_is_the_official_code() {
    let config = recipe("hinton");
    assert_eq!(config.network.layer_sizes, [2000; 4]);
    assert_eq!(config.network.input_normalization, Normalization::Rms);
    assert_eq!(config.network.normalization, Normalization::Rms);
    assert_eq!(config.network.initialization, Initialization::ScaledNormal);
    assert_eq!(config.goodness.threshold, Threshold::Width);
    let training = &config.training;
    assert_eq!((training.num_epochs, training.batch_size), (60, 100));
    assert_eq!(training.optimizer, OptimizerKind::Momentum);
    assert_eq!((training.learning_rate, training.momentum, training.weight_decay), (0.01, 0.9, 0.001));
    assert_eq!((training.gradient_scale, training.peer_normalization), (0.5, 0.03));
    assert_eq!(training.negatives, NegativeKind::Hard);
    assert_eq!(training.learning_rate_schedule, RateSchedule::Cooldown);
    let head = HeadConfig { enabled: true, learning_rate: 0.1, momentum: 0.9, weight_decay: 0.003 };
    assert_eq!(config.head, head);
    assert_eq!(config.evaluation.predict, PredictKind::Energy);
}

#[test]
fn contrast_compares_pairs() {
    let config = recipe("contrast");
    assert_eq!(config.goodness.function, GoodnessFunction::Mean);
    assert_eq!((config.training.loss, config.training.alpha), (LossKind::Symba, 4.0));
    assert_eq!(config.training.optimizer, OptimizerKind::Adam);
    assert_eq!(config.training.negatives, NegativeKind::Hard);
    assert_eq!(config.network.input_normalization, Normalization::Rms);
    assert_eq!(config.network.initialization, Initialization::LecunNormal);
    assert_eq!(config.training.learning_rate_schedule, RateSchedule::Cooldown);
    assert_eq!(config.head, recipe("hinton").head);
}
