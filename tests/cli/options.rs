//! Names and precedence of options.

use crate::place::{Place, SMALL};

#[test]
fn every_option_of_the_original_with_underscores() {
    let place = Place::new();
    place.done(
        "train 12 10 --learning_rate 0.002 --batch_size=64 --num_epochs 1 --threshold 1.5 --eval_batch_size 100 \
         --seed 7 --log_dir run --dataset digits --validation_size 142 --backend cpu",
    );
    let config = place.config("run");
    assert_eq!(config["network"]["layer_sizes"].to_string(), "[12, 10]");
    assert_eq!(config["training"]["learning_rate"].as_float(), Some(0.002));
    assert_eq!(config["training"]["batch_size"].as_integer(), Some(64));
    assert_eq!(config["training"]["num_epochs"].as_integer(), Some(1));
    assert_eq!(config["goodness"]["threshold"].as_float(), Some(1.5));
    assert_eq!(config["evaluation"]["batch_size"].as_integer(), Some(100));
    assert_eq!(config["training"]["seed"].as_integer(), Some(7));
    assert_eq!(config["data"]["validation_size"].as_integer(), Some(142));
    assert_eq!(config["logging"]["log_dir"].as_str(), Some("run"));
}

#[test]
fn the_same_with_dashes() {
    let place = Place::new();
    place.done(
        "train 12 --learning-rate 2e-3 --batch-size 64 --num-epochs 1 --threshold width --eval-batch-size 100 \
         --log-dir run --dataset digits --validation-size 142 --backend cpu",
    );
    let config = place.config("run");
    assert_eq!(config["training"]["learning_rate"].as_float(), Some(0.002));
    assert_eq!(config["goodness"]["threshold"].as_str(), Some("width"));
}

#[test]
fn underscores_in_values_stay() {
    let place = Place::new();
    place.done(&format!("{SMALL} --log_dir=a_b --num_epochs 1"));
    assert!(place.at("a_b/config.toml").exists());
}

#[test]
fn flags_over_set_over_config_over_recipe_over_defaults() {
    let place = Place::new();
    place.write(
        "experiment.toml",
        "recipe = \"hinton\"\n[data]\ndataset = \"digits\"\n[network]\nlayer_sizes = [12, 12]\n\
         [training]\nnum_epochs = 1\nbatch_size = 50\nseed = 5\n[backend]\nname = \"cpu\"\n",
    );
    place.done(
        "train --config experiment.toml --log-dir run --batch-size 30 --set batch_size=40 --set seed=6",
    );
    let config = place.config("run");
    let training = &config["training"];
    assert_eq!(training["batch_size"].as_integer(), Some(30), "the flag's");
    assert_eq!(training["seed"].as_integer(), Some(6), "--set's");
    assert_eq!(training["num_epochs"].as_integer(), Some(1), "the file's");
    assert_eq!(training["learning_rate"].as_float(), Some(0.01), "the recipe's");
    assert_eq!(config["evaluation"]["batch_size"].as_integer(), Some(1000), "the default");
    assert_eq!(config["recipe"].as_str(), Some("hinton"));
}

#[test]
fn of_two_equal_flags_the_later_counts() {
    let place = Place::new();
    place.done(&format!(
        "{SMALL} --num-epochs 3 --num_epochs 1 --set seed=1 --set batch_size=100 --set seed=2"
    ));
    let training = &place.config("run")["training"];
    assert_eq!(training["num_epochs"].as_integer(), Some(1));
    assert_eq!(training["batch_size"].as_integer(), Some(100));
    assert_eq!(training["seed"].as_integer(), Some(2));
}

#[test]
fn defaults_are_the_original_toolkits() {
    let place = Place::new();
    place.done("train 12 --dataset digits --num-epochs 1 --quiet");
    let config = place.config("runs/forward_forward");
    assert_eq!(config["training"]["learning_rate"].as_float(), Some(0.001));
    assert_eq!(config["training"]["batch_size"].as_integer(), Some(128));
    assert_eq!(config["training"]["seed"].as_integer(), Some(42));
    assert_eq!(config["goodness"]["threshold"].as_float(), Some(2.0));
    assert_eq!(config["evaluation"]["batch_size"].as_integer(), Some(1000));
    assert_eq!(config["data"]["validation_size"].as_integer(), Some(0));
    assert_eq!(config["recipe"].as_str(), Some("baseline"));
    // Long lines are wrapped.
    let help = place.done("train --help").stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for default in ["2000 2000 2000 2000", "0.001", "128", "60", "2.0", "1000", "42", "runs/forward_forward"]
    {
        assert!(help.contains(&format!("[default: {default}]")), "{default}");
    }
}

#[test]
fn a_recipe_of_ones_own() {
    let place = Place::new();
    place.write("mine.toml", "recipe = \"contrast\"\n[training]\nalpha = 7.0\n");
    place.done(&format!("{SMALL} --recipe mine.toml"));
    let config = place.config("run");
    assert_eq!(config["training"]["alpha"].as_float(), Some(7.0));
    assert_eq!(config["training"]["loss"].as_str(), Some("symba"));
    assert_eq!(config["recipe"].as_str(), Some("mine.toml"));
}

#[test]
fn an_experiment_of_one_run_may_have_a_name() {
    let place = Place::new();
    place.write("x.toml", "name = \"one\"\n[data]\ndataset = \"digits\"\n[training]\nnum_epochs = 1\n");
    place.done("train 8 --config x.toml --backend cpu --log-dir run");
    place.write("x.toml", "name = 3\n[data]\ndataset = \"digits\"\n");
    assert!(place.refused("train 8 --config x.toml --log-dir other").contains("x.toml:1:8"));
}
