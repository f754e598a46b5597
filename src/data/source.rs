//! The names of data sets.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::DataError;

const NAMES: [&str; 4] = ["mnist", "fashion-mnist", "digits", "idx:DIR"];

/// Below this likeness a suggestion would be noise.
const NEAR: f64 = 0.7;

/// Where images come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// 70,000 handwritten digits, 28×28.
    Mnist,
    /// 70,000 pieces of clothing, 28×28.
    FashionMnist,
    /// 1,797 handwritten digits, 8×8, part of the program.
    Digits,
    /// A folder of four IDX files with MNIST's names and any sizes.
    Idx(PathBuf),
}

impl FromStr for Source {
    type Err = DataError;

    fn from_str(given: &str) -> Result<Self, DataError> {
        match given {
            "mnist" => Ok(Self::Mnist),
            "fashion-mnist" => Ok(Self::FashionMnist),
            "digits" => Ok(Self::Digits),
            _ => match given.strip_prefix("idx:") {
                Some(folder) if !folder.is_empty() => Ok(Self::Idx(folder.into())),
                _ => Err(DataError::UnknownSource { given: given.to_owned(), hint: hint(given) }),
            },
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mnist => f.write_str("mnist"),
            Self::FashionMnist => f.write_str("fashion-mnist"),
            Self::Digits => f.write_str("digits"),
            Self::Idx(folder) => write!(f, "idx:{}", folder.display()),
        }
    }
}

fn hint(given: &str) -> String {
    let given = given.to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&given, &name.to_lowercase());
    NAMES
        .iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| format!(", did you mean `{name}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["mnist", "fashion-mnist", "digits", "idx:some/folder"] {
            assert_eq!(name.parse::<Source>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn wrong_names_list_the_valid_ones_and_the_nearest() {
        let message = |given: &str| given.parse::<Source>().unwrap_err().to_string();
        assert_eq!(
            message("mnits"),
            "unknown dataset `mnits`, did you mean `mnist`?; valid: mnist, fashion-mnist, digits, idx:DIR"
        );
        assert!(message("fashion").contains("`fashion-mnist`?"));
        assert!(message("FashionMNIST").contains("`fashion-mnist`?"));
        assert!(message("idx:").contains("`idx:DIR`?"));
        assert!(!message("cifar10").contains("did you mean"));
        assert!(!message("").contains("did you mean"));
    }
}
