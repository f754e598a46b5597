//! `ff recipes`.

use clap::Args;
use serde::Serialize;

use super::{CliError, report};
use crate::config::{ConfigBuilder, ConfigError, KNOBS, Origin, RECIPES, about_recipe};

/// List the recipes, and what each sets.
#[derive(Args)]
pub struct Recipes {
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Recipe {
    name: &'static str,
    meaning: String,
    /// The knobs that it sets to other than their built-in values.
    sets: toml::Table,
}

impl Recipe {
    fn of((name, text): (&'static str, &str)) -> Result<Self, ConfigError> {
        let config = ConfigBuilder::new().recipe(name, Origin::Default).build()?;
        let knobs = KNOBS.iter().filter(|knob| !knob.is_short() && knob.name != "recipe");
        let others = knobs.filter(|knob| knob.value(&config) != knob.default());
        let sets = others.filter_map(|knob| Some((knob.name.to_owned(), knob.value(&config)?))).collect();
        Ok(Recipe { name, meaning: about_recipe(text), sets })
    }

    fn told(&self) -> String {
        let mut text = format!("{}\n  {}\n", self.name, self.meaning);
        for (knob, value) in &self.sets {
            text += &format!("    {knob} = {value}\n");
        }
        text
    }
}

impl Recipes {
    /// Lists.
    pub fn run(self) -> Result<(), CliError> {
        let recipes = RECIPES.into_iter().map(Recipe::of).collect::<Result<Vec<_>, _>>()?;
        if self.json {
            return report::print_json(&recipes);
        }
        report::print(&recipes.iter().map(Recipe::told).collect::<Vec<_>>().join("\n"))
    }
}
