//! The built-in value of every knob: the recipe `baseline`.

use super::schema::*;

impl Default for Config {
    fn default() -> Self {
        Config {
            recipe: "baseline".into(),
            data: DataConfig {
                dataset: "mnist".into(),
                data_dir: String::new(),
                validation_size: 0,
                jitter: 0,
            },
            network: NetworkConfig {
                layer_sizes: vec![2000; 4],
                input_normalization: Normalization::Unit,
                normalization: Normalization::Unit,
                label: LabelPlacement::Auto,
                label_strength: 1.0,
                initialization: Initialization::LecunNormal,
                initial_scale: 3.0,
            },
            goodness: GoodnessConfig {
                function: GoodnessFunction::Sum,
                threshold: Threshold::Value(2.0),
                temperature: 1.0,
                top_k: 100,
            },
            training: TrainingConfig {
                num_epochs: 60,
                batch_size: 128,
                learning_rate: 0.001,
                optimizer: OptimizerKind::Adam,
                momentum: 0.9,
                weight_decay: 0.0,
                idle_steps: 0,
                gradient_scale: 1.0,
                loss: LossKind::Bce,
                alpha: 4.0,
                negatives: NegativeKind::Random,
                peer_normalization: 0.0,
                learning_rate_schedule: RateSchedule::Cosine,
                layer_schedule: LayerSchedule::Simultaneous,
                dropout: 0.0,
                exact_shortcuts: true,
                seed: 42,
            },
            head: HeadConfig { enabled: false, learning_rate: 0.1, momentum: 0.9, weight_decay: 0.003 },
            evaluation: EvaluationConfig { batch_size: 1000, predict: PredictKind::Energy },
            backend: BackendConfig { name: "auto".into(), precision: Precision::Fp32, threads: 0 },
            logging: LoggingConfig {
                log_dir: "runs/forward_forward".into(),
                tensorboard: true,
                scalars_every: 1,
                histograms_every: 5,
                images_every: 0,
                figures_every: 0,
                figures: true,
            },
        }
    }
}
