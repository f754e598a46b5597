//! The name that was probably meant.

use strsim::damerau_levenshtein;

/// `; did you mean …?` with the option nearest to `name`, or nothing if none is near.
pub(crate) fn did_you_mean<'a>(name: &str, options: impl IntoIterator<Item = &'a str>) -> String {
    let near = options
        .into_iter()
        .map(|option| (damerau_levenshtein(name, option), option))
        .min_by_key(|&(distance, _)| distance);
    match near {
        Some((distance, option)) if distance <= 2.max(name.chars().count() / 3) => {
            format!("; did you mean `{option}`?")
        }
        _ => String::new(),
    }
}
