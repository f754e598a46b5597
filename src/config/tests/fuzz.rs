//! No text makes it panic, and what is written reads back the same.

use proptest::prelude::*;

use super::super::file::ConfigFile;
use super::*;

/// Text that is often nearly right.
fn nearly_toml() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        proptest::sample::select(knob_names().collect::<Vec<_>>()).prop_map(String::from),
        proptest::sample::select(vec!["sweep", "cell", "search", "run", "name", "network"])
            .prop_map(String::from),
        "[a-z_.\\-\"]{0,8}",
    ];
    let value = prop_oneof![
        "-?[0-9]{1,20}",
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?(e[0-9]{1,3})?",
        proptest::sample::select(vec![
            "true",
            "[]",
            "[0]",
            "[[1, 2], [3]]",
            "nan",
            "-inf",
            "'width'",
            "'hard'",
            "{}",
            "{ from = 1, to = 2 }",
            "1979-05-27",
            "'é\\n'",
            "\"\"",
        ])
        .prop_map(String::from),
        "\\PC{0,12}",
    ];
    let line = prop_oneof![
        (name.clone(), value).prop_map(|(name, value)| format!("{name} = {value}")),
        name.clone().prop_map(|name| format!("[{name}]")),
        name.prop_map(|name| format!("[[{name}]]")),
    ];
    proptest::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

fn any_config() -> impl Strategy<Value = Config> {
    let sizes = proptest::collection::vec(1..5000usize, 1..6);
    let rates = (1e-9..1e3, 1e-9..1e3, 0.0..0.999, 0.0..10.0);
    let counts = (1..1000usize, 1..1000usize, 0..17usize, 0..i64::MAX as u64);
    let recipe = proptest::sample::select(RECIPES.map(|(name, _)| name).to_vec());
    let threshold = proptest::option::of(0.0..1e6);
    let texts = ("\\PC{1,20}", any::<String>());
    (sizes, rates, counts, recipe, threshold, texts).prop_map(
        |(sizes, rates, counts, recipe, threshold, texts)| {
            let mut config = sets(&[&format!("recipe={recipe}")]).unwrap();
            config.network.layer_sizes = sizes;
            config.training.learning_rate = rates.0;
            config.goodness.temperature = rates.1;
            config.training.dropout = rates.2;
            config.training.weight_decay = rates.3;
            config.training.batch_size = counts.0;
            config.training.num_epochs = counts.1;
            config.data.jitter = counts.2;
            config.training.seed = counts.3;
            config.goodness.threshold = threshold.map_or(Threshold::Width, Threshold::Value);
            // ~ stands for a folder, which is written whole.
            config.logging.log_dir = texts.0.replace('~', "-");
            config.data.data_dir = texts.1.replace('~', "-");
            config
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_reads_back_the_same(config in any_config()) {
        let (_files, path) = Files::with("config.toml", &config.to_toml());
        let again = ConfigBuilder::new().file(path).build().unwrap();
        prop_assert_eq!(again.hash(), config.hash());
        prop_assert_eq!(again, config);
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in prop_oneof![nearly_toml(), any::<String>()]) {
        if let Err(error) = ConfigFile::parse("x.toml", &text) {
            let message = error.to_string();
            let first = message.lines().next().unwrap();
            prop_assert!(first.starts_with("x.toml:"));
        }
        let (_files, path) = Files::with("x.toml", &text);
        if let Ok(experiment) = Experiment::load(&path, &[], &[]) {
            prop_assert!(!experiment.cells().is_empty());
        }
    }

    #[test]
    fn no_override_makes_it_panic(
        knob in proptest::sample::select(knob_names().collect::<Vec<_>>()),
        value in any::<String>(),
        text in any::<String>(),
    ) {
        for set in [format!("{knob}={value}"), text] {
            if let Err(error) = sets(&[&set]) {
                prop_assert!(error.to_string().starts_with("--set "));
            }
        }
    }
}

#[test]
fn depth_of_nesting_is_no_trap() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let text = format!("x = {}1{}", open.repeat(50_000), close.repeat(50_000));
        assert!(ConfigFile::parse("x.toml", &text).is_err());
        assert!(sets(&[&format!("seed={}", open.repeat(50_000))]).is_err());
    }
    assert!(ConfigFile::parse("x.toml", &format!("{}a = 1", "a.".repeat(50_000))).is_err());
    assert!(ConfigFile::parse("x.toml", &format!("[run.{}a]", "a.".repeat(50_000))).is_err());
}
