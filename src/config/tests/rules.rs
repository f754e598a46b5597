//! Every check of the table of knobs refuses what it is for.

use super::*;

/// Knob, the knob it does not go with, and overrides that fail this check and no other.
const CASES: &[(&str, Option<&str>, &[&str])] = &[
    ("data.dataset", None, &["dataset=mnst"]),
    ("data.validation_size", None, &["validation_size=2000000000"]),
    ("data.jitter", None, &["jitter=17"]),
    ("network.layer_sizes", None, &["layer_sizes=[]"]),
    ("network.layer_sizes", None, &["layer_sizes=[5, 0]"]),
    ("network.layer_sizes", None, &["layer_sizes=[1000001]"]),
    ("network.layers", None, &["layers=[5]"]),
    ("network.depth", None, &["depth=1001"]),
    ("network.width", None, &["width=0"]),
    ("network.initial_scale", None, &["initial_scale=0"]),
    ("network.label_strength", None, &["label_strength=0"]),
    ("network.steps", None, &["top_down=true", "steps=0"]),
    ("network.steps", Some("network.top_down"), &["steps=6"]),
    ("network.damping", None, &["top_down=true", "damping=1"]),
    ("network.damping", Some("network.top_down"), &["damping=0.5"]),
    ("network.top_down", Some("network.layer_sizes"), &["top_down=true", "depth=1"]),
    ("network.top_down", Some("training.loss"), &["recipe=pred", "top_down=true"]),
    ("network.top_down", Some("training.negatives"), &["recipe=unsupervised", "top_down=true"]),
    ("network.top_down", Some("network.label"), &["top_down=true", "label=prepend"]),
    ("network.top_down", Some("goodness.function"), &["top_down=true", "function=l1"]),
    ("network.top_down", Some("training.layer_schedule"), &["top_down=true", "layer_schedule=greedy"]),
    ("network.top_down", Some("training.dropout"), &["top_down=true", "dropout=0.1"]),
    ("evaluation.first_layer", None, &["first_layer=3"]),
    ("evaluation.first_layer", Some("training.loss"), &["recipe=pred", "first_layer=1"]),
    ("evaluation.first_layer", Some("network.layer_sizes"), &["depth=1", "first_layer=1"]),
    ("evaluation.first_layer", Some("network.top_down"), &["top_down=true", "first_layer=1"]),
    ("evaluation.first_step", None, &["top_down=true", "first_step=0"]),
    ("evaluation.first_step", Some("evaluation.last_step"), &["top_down=true", "first_step=6"]),
    ("evaluation.first_step", Some("network.top_down"), &["first_step=2"]),
    ("evaluation.last_step", None, &["top_down=true", "last_step=0"]),
    ("evaluation.last_step", Some("network.steps"), &["top_down=true", "steps=4"]),
    ("evaluation.last_step", Some("network.top_down"), &["last_step=4"]),
    ("goodness.threshold", None, &["threshold=nan"]),
    ("goodness.temperature", None, &["temperature=-1"]),
    ("goodness.top_k", None, &["function=topk", "top_k=0"]),
    ("goodness.top_k", Some("network.layer_sizes"), &["function=topk", "width=99"]),
    ("training.num_epochs", None, &["num_epochs=0"]),
    ("training.batch_size", None, &["batch_size=0"]),
    ("training.learning_rate", None, &["learning_rate=-0.1"]),
    ("training.learning_rate", None, &["learning_rate=inf"]),
    ("training.momentum", None, &["optimizer=momentum", "momentum=1"]),
    ("training.weight_decay", None, &["optimizer=momentum", "weight_decay=-1"]),
    ("training.idle_steps", None, &["idle_steps=1001"]),
    ("training.idle_steps", Some("training.optimizer"), &["recipe=original", "optimizer=momentum"]),
    ("training.gradient_scale", None, &["gradient_scale=0"]),
    ("training.alpha", None, &["loss=symba", "alpha=0"]),
    ("training.margin", None, &["loss=margin", "margin=0"]),
    ("training.sleep_every", None, &["sleep_every=2000000000"]),
    ("training.negatives", Some("head.enabled"), &["negatives=hard"]),
    ("training.negatives", Some("head.enabled"), &["negatives=hybrid"]),
    ("training.negatives", Some("evaluation.predict"), &["negatives=hybrid", "enabled=true"]),
    (
        "training.negatives",
        Some("network.label"),
        &["negatives=hybrid", "enabled=true", "predict=head", "label=overlay"],
    ),
    ("training.loss", Some("head.enabled"), &["loss=pred"]),
    ("training.loss", Some("evaluation.predict"), &["loss=backprop", "enabled=true"]),
    ("training.loss", Some("network.label"), &["recipe=pred", "label=prepend"]),
    ("training.peer_normalization", None, &["peer_normalization=-1"]),
    ("training.dropout", None, &["dropout=1"]),
    ("training.input_dropout", None, &["input_dropout=1"]),
    ("head.learning_rate", None, &["enabled=true", "head.learning_rate=0"]),
    ("head.momentum", None, &["enabled=true", "head.momentum=-0.5"]),
    ("head.weight_decay", None, &["enabled=true", "head.weight_decay=inf"]),
    ("evaluation.batch_size", None, &["evaluation.batch_size=0"]),
    ("evaluation.predict", Some("head.enabled"), &["predict=head"]),
    ("evaluation.predict", Some("head.enabled"), &["predict=ensemble"]),
    ("evaluation.predict", Some("training.loss"), &["recipe=backprop", "predict=ensemble"]),
    ("training.negatives", Some("evaluation.predict"), &["recipe=unsupervised", "predict=ensemble"]),
    ("backend.name", None, &["backend.name=opencl:1"]),
    ("backend.precision", Some("backend.name"), &["precision=tf32", "backend.name=cpu"]),
    ("backend.threads", None, &["threads=5000"]),
    ("logging.log_dir", None, &["log_dir="]),
    ("logging.checkpoint_seconds", None, &["checkpoint_seconds=-1"]),
    ("logging.scalars_every", None, &["scalars_every=2000000000"]),
    ("logging.histograms_every", None, &["histograms_every=2000000000"]),
    ("logging.images_every", None, &["images_every=2000000000"]),
    ("logging.figures_every", None, &["figures_every=2000000000"]),
    (
        "network.label_strength",
        Some("training.negatives"),
        &["negatives=hybrid", "enabled=true", "predict=head", "label_strength=2"],
    ),
    ("goodness.threshold", Some("training.loss"), &["loss=symba", "threshold=2"]),
    ("goodness.temperature", Some("training.loss"), &["loss=symba", "temperature=2"]),
    ("training.margin", Some("training.loss"), &["margin=2"]),
    ("training.sleep_every", Some("training.loss"), &["recipe=pred", "sleep_every=2"]),
    ("training.alpha", Some("training.loss"), &["alpha=2"]),
    ("training.beta", Some("training.loss"), &["recipe=pred", "beta=0.5"]),
    ("training.similarity_map", Some("training.loss"), &["recipe=pred", "similarity_map=true"]),
    ("training.beta", None, &["recipe=predsim", "beta=1"]),
    ("training.average_from", None, &["average_from=2000000000"]),
    ("training.average_from", Some("training.num_epochs"), &["num_epochs=5", "average_from=6"]),
    ("training.label_smoothing", Some("training.loss"), &["label_smoothing=0.1"]),
    ("training.label_smoothing", None, &["recipe=pred", "label_smoothing=1"]),
    ("training.negatives", Some("training.loss"), &["recipe=pred", "negatives=random"]),
    ("goodness.sign", Some("training.loss"), &["recipe=backprop", "sign=minimize"]),
    ("goodness.function", Some("training.loss"), &["recipe=backprop", "function=mean"]),
    ("goodness.top_k", Some("training.loss"), &["recipe=pred", "top_k=5"]),
    ("network.label_strength", Some("training.loss"), &["recipe=pred", "label_strength=2"]),
    ("training.layer_schedule", Some("training.loss"), &["recipe=backprop", "layer_schedule=greedy"]),
    ("goodness.top_k", Some("goodness.function"), &["top_k=5"]),
    ("training.momentum", Some("training.optimizer"), &["momentum=0.5"]),
    ("training.weight_decay", Some("training.optimizer"), &["weight_decay=0.5"]),
    ("head.learning_rate", Some("head.enabled"), &["head.learning_rate=0.5"]),
    ("head.momentum", Some("head.enabled"), &["head.momentum=0.5"]),
    ("head.weight_decay", Some("head.enabled"), &["head.weight_decay=0.5"]),
];

#[test]
fn every_case_is_refused_by_its_check() {
    for (knob, with, list) in CASES {
        let message = refusal(list);
        assert!(message.contains(&format!(": `{knob}` ")), "{list:?} is about {knob}: {message}");
        assert!(message.contains(with.unwrap_or("")), "{list:?} is about {with:?}: {message}");
        assert!(!message.contains('\n') && message.starts_with("--set "), "{message}");
    }
}

#[test]
fn every_check_has_its_case() {
    for knob in KNOBS {
        let has_case = |with| CASES.iter().any(|case| (case.0, case.1) == (knob.name, with));
        // Words are checked when they are read, and no file can hold a seed that is too large.
        let is_bounded = match knob.takes {
            Takes::Bool | Takes::Word(_) | Takes::Folder { may_be_empty: true } => false,
            _ => !["recipe", "training.seed"].contains(&knob.name),
        };
        assert!(!is_bounded || has_case(None), "no case for the range of {}", knob.name);
        let needed = knob.needs.iter().map(|need| need.1);
        for with in needed.chain(knob.no_effect.iter().map(|when| when.0)) {
            assert!(has_case(Some(with)), "no case for {} with {with}", knob.name);
        }
    }
}

#[test]
fn a_seed_beyond_toml_is_refused() {
    let mut config = Config::default();
    config.training.seed = u64::MAX;
    assert_eq!(config.validate().unwrap_err().knob, "training.seed");
}

#[test]
fn what_a_recipe_sets_may_be_without_effect() {
    sets(&["recipe=hinton", "optimizer=adam", "loss=symba"]).unwrap();
    sets(&["recipe=contrast", "loss=bce"]).unwrap();
}

#[test]
fn unsupervised_training_reads_through_the_head() {
    let list = ["negatives=hybrid", "enabled=true", "predict=head", "jitter=2"];
    let mut config = sets(&list).unwrap();
    resolve_label(&mut config, true);
    assert_eq!(config.network.label, LabelPlacement::Auto);
}

#[test]
fn labels_go_where_pixels_are_blank() {
    let resolved = |blank, label| {
        let mut config = Config::default();
        config.network.label = label;
        resolve_label(&mut config, blank);
        config.network.label
    };
    assert_eq!(resolved(true, LabelPlacement::Auto), LabelPlacement::Overlay);
    assert_eq!(resolved(false, LabelPlacement::Auto), LabelPlacement::Prepend);
    assert_eq!(resolved(false, LabelPlacement::EveryLayer), LabelPlacement::EveryLayer);
}

#[test]
fn data_have_a_say() {
    let check = |list: &[&str], rows, classes, features| {
        let mut config = sets(list).unwrap();
        resolve_label(&mut config, true);
        config.check_against(rows, classes, features).map_err(|invalid| invalid.knob)
    };
    assert_eq!(check(&[], 128, 10, 11), Ok(()));
    assert_eq!(check(&[], 127, 10, 784), Err("training.batch_size"));
    assert_eq!(check(&["validation_size=1"], 128, 10, 784), Err("training.batch_size"));
    assert_eq!(check(&["validation_size=200"], 200, 10, 784), Err("data.validation_size"));
    assert_eq!(check(&[], 128, 10, 10), Err("network.label"));
    assert_eq!(check(&["label=prepend"], 128, 10, 10), Ok(()));
    // Two batches: one for the positive rows, one for the negative ones.
    assert_eq!(check(&["sleep_every=1"], 256, 10, 784), Ok(()));
    assert_eq!(check(&["sleep_every=2"], 256, 10, 784), Err("training.sleep_every"));
}
