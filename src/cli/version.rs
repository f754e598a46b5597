//! `ff --version`: what this program was built from.

/// The commit of the sources; empty where it is unknown, as in debug builds.
pub const COMMIT: &str = env!("FF_COMMIT");

/// Version, commit, features and target, one a line.
pub fn long() -> String {
    let or = |text: &'static str, empty: &'static str| if text.is_empty() { empty } else { text };
    format!(
        "{}\ncommit    {}\nfeatures  {}\ntarget    {}",
        env!("CARGO_PKG_VERSION"),
        or(COMMIT, "unknown"),
        or(env!("FF_FEATURES"), "none"),
        env!("FF_TARGET"),
    )
}
