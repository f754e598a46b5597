//! The built-in recipes: presets of knobs.

use super::takes::Choice;

/// The built-in recipes: name and TOML.
pub const RECIPES: [(&str, &str); 11] = [
    ("original", include_str!("../../experiments/recipes/original.toml")),
    ("baseline", include_str!("../../experiments/recipes/baseline.toml")),
    ("hinton", include_str!("../../experiments/recipes/hinton.toml")),
    ("contrast", include_str!("../../experiments/recipes/contrast.toml")),
    ("best", include_str!("../../experiments/recipes/best.toml")),
    ("best-fashion", include_str!("../../experiments/recipes/best-fashion.toml")),
    ("unsupervised", include_str!("../../experiments/recipes/unsupervised.toml")),
    ("backprop", include_str!("../../experiments/recipes/backprop.toml")),
    ("pred", include_str!("../../experiments/recipes/pred.toml")),
    ("sim", include_str!("../../experiments/recipes/sim.toml")),
    ("predsim", include_str!("../../experiments/recipes/predsim.toml")),
];

/// The names that `--recipe` knows, and what each is.
pub(crate) fn choices() -> Vec<Choice> {
    let built_in = RECIPES.map(|(name, text)| Choice { name: name.into(), meaning: about(text) });
    let file = Choice { name: "FILE.toml".into(), meaning: "a recipe of one's own".into() };
    built_in.into_iter().chain([file]).collect()
}

/// What the comment at the head of a recipe says of it, in one line.
pub fn about(text: &str) -> String {
    let head = text.lines().map_while(|line| line.strip_prefix('#'));
    head.map(str::trim).collect::<Vec<_>>().join(" ")
}
