//! The name that was probably meant.

use strsim::damerau_levenshtein;

/// `; did you mean …?` with the option nearest to `name`, or nothing if none is near.
pub(crate) fn did_you_mean<'a>(name: &str, options: impl IntoIterator<Item = &'a str>) -> String {
    let near = options
        .into_iter()
        // However it is written: MNIST is mnist.
        .map(|option| (damerau_levenshtein(&name.to_lowercase(), &option.to_lowercase()), option))
        .min_by_key(|&(distance, _)| distance);
    match near {
        Some((distance, option)) if distance <= 2.max(name.chars().count() / 3) => {
            format!("; did you mean `{option}`?")
        }
        _ => String::new(),
    }
}

/// The knobs that other tools call otherwise.
const ELSEWHERE: [(&str, &str); 10] = [
    ("lr", "learning_rate"),
    ("epoch", "num_epochs"),
    ("epochs", "num_epochs"),
    ("n_epochs", "num_epochs"),
    ("max_epochs", "num_epochs"),
    ("bs", "batch_size"),
    ("theta", "threshold"),
    ("hidden", "layer_sizes"),
    ("layers", "layer_sizes"),
    ("device", "backend.name"),
];

/// What a knob of other tools is called here.
pub(crate) fn known_elsewhere(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    ELSEWHERE.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}
