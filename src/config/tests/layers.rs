//! Which source has its way.

use super::*;

#[test]
fn nothing_asked_is_the_baseline() {
    assert_eq!(ConfigBuilder::new().build().unwrap(), Config::default());
}

#[test]
fn flags_beat_sets_beat_files_beat_recipes_beat_defaults() {
    let (_files, path) = Files::with(
        "x.toml",
        "recipe = 'hinton'\n[training]\nlearning_rate = 0.02\nbatch_size = 50\nnum_epochs = 3",
    );
    let config = ConfigBuilder::new()
        .flag("--learning-rate", "training.learning_rate", 0.04.into())
        .set("learning-rate=0.03")
        .set("batch_size=60")
        .file(path)
        .build()
        .unwrap();
    assert_eq!(config.training.learning_rate, 0.04);
    assert_eq!(config.training.batch_size, 60);
    assert_eq!(config.training.num_epochs, 3);
    assert_eq!(config.training.optimizer, OptimizerKind::Momentum);
    assert_eq!(config.evaluation.batch_size, 1000);
    assert_eq!(config.recipe, "hinton");
}

#[test]
fn the_recipe_is_chosen_by_precedence_too() {
    let (_files, path) = Files::with("x.toml", "recipe = 'hinton'");
    let builder = ConfigBuilder::new().file(path);
    assert_eq!(builder.clone().build().unwrap().recipe, "hinton");
    let builder = builder.set("recipe=contrast");
    assert_eq!(builder.clone().build().unwrap().recipe, "contrast");
    let builder = builder.recipe("original", Origin::Flag("--recipe".into()));
    assert_eq!(builder.build().unwrap().recipe, "original");
}

#[test]
fn short_names_mean_training_where_several_tables_have_them() {
    let config = sets(&["learning_rate=0.5", "batch_size=7"]).unwrap();
    assert_eq!(config.training.learning_rate, 0.5);
    assert_eq!(config.training.batch_size, 7);
    assert_eq!(config.head, Config::default().head);
    assert_eq!(config.evaluation, Config::default().evaluation);
}

#[test]
fn sets_are_toml_or_bare_strings() {
    let config = sets(&[
        "dataset=idx:/some where",
        "log_dir=2024-01-01",
        "threshold=width",
        "layer_sizes=[3, 4]",
        "seed=1_000",
        "tensorboard=false",
        "network.label = \"prepend\"",
    ])
    .unwrap();
    assert_eq!(config.data.dataset, "idx:/some where");
    assert_eq!(config.logging.log_dir, "2024-01-01");
    assert_eq!(config.goodness.threshold, Threshold::Width);
    assert_eq!(config.network.layer_sizes, [3, 4]);
    assert_eq!(config.training.seed, 1000);
    assert!(!config.logging.tensorboard);
    assert_eq!(config.network.label, LabelPlacement::Prepend);
}

#[test]
fn depth_and_width_shape_what_lies_below() {
    let sizes = |list: &[&str]| sets(list).unwrap().network.layer_sizes;
    assert_eq!(sizes(&["depth=2"]), [2000, 2000]);
    assert_eq!(sizes(&["width=5"]), [5; 4]);
    assert_eq!(sizes(&["width=5", "network.depth=3"]), [5; 3]);
    let (_files, path) = Files::with("x.toml", "[network]\nlayer_sizes = [7, 8]");
    let file = ConfigBuilder::new().file(path);
    let config = file.clone().set("depth=3").build().unwrap();
    assert_eq!(config.network.layer_sizes, [7; 3]);
    let sizes = toml::Value::from(vec![9]);
    let config = file.set("width=3").flag("LAYER_SIZES", "layer_sizes", sizes);
    assert_eq!(config.build().unwrap().network.layer_sizes, [9]);
}

#[test]
fn a_recipe_file_stands_on_its_base() {
    let files = Files::new();
    files.add("base.toml", "recipe = 'contrast'\n[training]\nalpha = 8\nseed = 7");
    let path = files.add("mine.toml", "recipe = 'base.toml'\n[training]\nalpha = 20");
    let path = path.display().to_string();
    let config = sets(&[&format!("recipe={path}")]).unwrap();
    assert_eq!(config.training.alpha, 20.0);
    assert_eq!(config.training.seed, 7);
    assert_eq!(config.training.loss, LossKind::Symba);
    assert_eq!(config.recipe, path);
}

#[test]
fn the_config_of_a_run_repeats_it_without_its_recipe() {
    for (name, _) in RECIPES {
        let mut config = sets(&[&format!("recipe={name}")]).unwrap();
        config.recipe = "gone.toml".into();
        let text = format!("{}\n[run]\nversion = '0.1.0'\n", config.to_toml());
        let (_files, path) = Files::with("config.toml", &text);
        let again = ConfigBuilder::new().file(&path).build().unwrap();
        assert_eq!(again, config);
        // Values that the run merely had are no wishes.
        let other = ConfigBuilder::new().file(&path).set("loss=symba").build();
        assert_eq!(other.unwrap().training.loss, LossKind::Symba);
    }
}

#[test]
fn the_hash_knows_what_numbers_depend_on() {
    let hash = |list: &[&str]| sets(list).unwrap().hash();
    let plain = hash(&[]);
    assert_eq!(plain.len(), 64);
    assert_eq!(
        plain,
        hash(
            &["log_dir=x", "data_dir=y", "backend=cpu", "threads=2"]
                .map(|s| { if s == "backend=cpu" { "backend.name=cpu" } else { s } })
        )
    );
    assert_ne!(plain, hash(&["seed=1"]));
    assert_ne!(plain, hash(&["depth=3"]));
}

#[test]
fn origins_outlive_the_build_for_what_only_data_show() {
    let resolved = ConfigBuilder::new().set("batch_size=500").resolve().unwrap();
    let invalid = resolved.config.check_against(400, 10, 784).unwrap_err();
    assert_eq!(
        resolved.origins.blame(&invalid).to_string(),
        "--set batch_size=500: `training.batch_size` is 500, but there are only 400 training rows"
    );
}
