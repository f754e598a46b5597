//! What users read when a request is wrong, to the letter.

use super::*;

fn of_file(text: &str) -> String {
    let (files, path) = Files::with("x.toml", text);
    let error = ConfigBuilder::new().file(path).build().unwrap_err();
    files.relative(&error)
}

#[test]
fn a_wrong_type_in_a_file_shows_its_place() {
    assert_eq!(
        of_file("[training]\nnum_epochs = 3\nlearning_rate = \"fast\" # very\n"),
        "x.toml:3:17: `training.learning_rate` must be a number, found string \"fast\"
  |
3 | learning_rate = \"fast\" # very
  |                 ^^^^^^"
    );
}

#[test]
fn a_limit_broken_in_a_file_shows_its_place() {
    assert_eq!(
        of_file("[network]\nwidth = 0").lines().next().unwrap(),
        "x.toml:2:9: `network.width` must be at least 1, found 0"
    );
    assert_eq!(
        of_file("[training]\nbatch_size = 0").lines().next().unwrap(),
        "x.toml:2:14: `training.batch_size` must be at least 1, found 0"
    );
}

#[test]
fn unknown_keys_show_the_nearest_name() {
    assert_eq!(
        of_file("[training]\nlearning_rat = 1").lines().next().unwrap(),
        "x.toml:2:1: unknown key `learning_rat` in [training]; did you mean `learning_rate`?"
    );
    assert_eq!(
        of_file("[trainig]\nseed = 1"),
        "x.toml:1:2: unknown key `trainig`; did you mean `training`?
  |
1 | [trainig]
  |  ^^^^^^^"
    );
    assert_eq!(
        of_file("seed = 1").lines().next().unwrap(),
        "x.toml:1:1: unknown key `seed`; it belongs in the table [training]"
    );
    assert_eq!(
        of_file("[data]\nseed = 1").lines().next().unwrap(),
        "x.toml:2:1: unknown key `seed` in [data]; did you mean `training.seed`?"
    );
    assert_eq!(
        refusal(&["treshold=1"]),
        "--set treshold=1: unknown knob `treshold`; did you mean `threshold`?"
    );
    assert_eq!(
        refusal(&["backend=cpu"]),
        "--set backend=cpu: `backend` is a table, whose knobs are backend.name, backend.precision, backend.threads"
    );
}

#[test]
fn broken_toml_shows_its_place() {
    let message = of_file("[training]\nseed = = 1");
    assert!(message.starts_with("x.toml:2:8: "), "{message}");
    assert_eq!(message.lines().count(), 4, "{message}");
}

#[test]
fn sweeps_are_for_sweep() {
    for text in [
        "name = 'a'\n[sweep]\nseed = [1]",
        "[sweep]\nseed = [1]",
        "[[cell]]\nseed = 1",
        "[search]\ncells = 1",
    ] {
        let message = of_file(text);
        assert!(message.contains("use `ff sweep` with this file"), "{message}");
    }
}

#[test]
fn sets_name_themselves() {
    assert_eq!(
        refusal(&["learning_rate=fast"]),
        "--set learning_rate=fast: `training.learning_rate` must be a number, found string \"fast\""
    );
    assert_eq!(refusal(&["seed"]), "--set seed: must be key=value");
    assert_eq!(
        refusal(&["normalization=l2"]),
        "--set normalization=l2: `network.normalization` must be \"none\", \"unit\" or \"rms\", \
         found string \"l2\""
    );
    assert_eq!(
        refusal(&["loss=5"]),
        "--set loss=5: `training.loss` must be \"bce\", \"symba\", \"margin\", \"pred\", \"sim\", \"predsim\" or \"backprop\", found 5"
    );
    assert_eq!(
        refusal(&["layer_sizes=[5, -1]"]),
        "--set layer_sizes=[5, -1]: `network.layer_sizes` must be a list of whole numbers, \
         found list [5, -1]"
    );
    assert_eq!(
        refusal(&["seed=-1"]),
        "--set seed=-1: `training.seed` must be a whole number of at least 0, found -1"
    );
    assert_eq!(
        refusal(&["tensorboard=maybe"]),
        "--set tensorboard=maybe: `logging.tensorboard` must be true or false, found string \"maybe\""
    );
    assert_eq!(
        refusal(&["threshold=high"]),
        "--set threshold=high: `goodness.threshold` must be a number or \"width\", \
         found string \"high\""
    );
    assert_eq!(refusal(&["depth=0"]), "--set depth=0: `network.depth` must be at least 1, found 0");
}

#[test]
fn flags_name_themselves() {
    let build = ConfigBuilder::new().flag("--num-epochs", "training.num_epochs", 0.into());
    assert_eq!(
        build.build().unwrap_err().to_string(),
        "--num-epochs: `training.num_epochs` must be at least 1, found 0"
    );
}

#[test]
fn the_wisher_is_to_blame_when_two_knobs_disagree() {
    assert_eq!(
        refusal(&["recipe=hinton", "head.enabled=false"]),
        "--set head.enabled=false: `training.negatives` is \"hard\", which needs \
         `head.enabled = true`: wrong labels are drawn from the head's softmax"
    );
    assert_eq!(refusal(&["negatives=hard"]).split(": ").next().unwrap(), "--set negatives=hard");
}

#[test]
fn shapes_are_said_one_way() {
    assert_eq!(
        refusal(&["layer_sizes=[1]", "depth=2"]),
        "--set depth=2: `network.depth` and `network.layer_sizes` are set together; \
         use one of them"
    );
}

#[test]
fn recipes_that_are_not_there() {
    assert_eq!(
        refusal(&["recipe=hintn"]),
        "--set recipe=hintn: unknown recipe `hintn`; did you mean `hinton`?"
    );
    assert_eq!(
        refusal(&["recipe=magic"]),
        "--set recipe=magic: unknown recipe `magic`; \
         there are original, baseline, hinton, contrast, best, best-fashion, unsupervised, backprop, pred, sim, predsim, or a TOML file"
    );
    let message = refusal(&["recipe=gone.toml"]);
    assert!(message.starts_with("--set recipe=gone.toml: cannot read gone.toml: "), "{message}");
    let missing = ConfigBuilder::new().file("gone.toml").build().unwrap_err().to_string();
    assert!(missing.starts_with("--config: cannot read gone.toml: "), "{missing}");
}

#[test]
fn a_recipe_cannot_be_built_on_itself() {
    let files = Files::new();
    let path = files.add("a.toml", "recipe = 'b.toml'");
    files.add("b.toml", "recipe = './a.toml'");
    let build = ConfigBuilder::new().recipe(path.display().to_string(), Origin::Default);
    let message = files.relative(&build.build().unwrap_err());
    assert_eq!(message.lines().next().unwrap(), "b.toml:1:10: the recipe ./a.toml is built on itself");
}

#[test]
fn a_recipe_changes_nothing_under_a_complete_file() {
    let (_files, path) = Files::with("config.toml", &Config::default().to_toml());
    let error = ConfigBuilder::new().file(path).set("recipe=hinton").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "--set recipe=hinton: the recipe changes nothing under a file that sets every knob"
    );
}

#[test]
fn control_characters_stay_out_of_messages() {
    assert!(!refusal(&["\u{1b}[31m\nseed=1"]).contains(char::is_control));
}
