//! The names of data sets.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::DataError;
use super::cifar10;
use super::published::{self, Published};

/// Below this likeness a suggestion would be noise.
const NEAR: f64 = 0.7;

/// The name of the data set that is part of the program.
pub const DIGITS: &str = "digits";
/// What the name of a folder of IDX files begins with.
pub const IDX: &str = "idx:";

/// Where images come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// One that can be downloaded.
    Published(&'static Published),
    /// CIFAR-10, which can be downloaded.
    Cifar10,
    /// 1,797 handwritten digits, 8×8, part of the program.
    Digits,
    /// A folder of four IDX files with MNIST's names and any sizes.
    Idx(PathBuf),
}

impl Source {
    /// MNIST.
    pub const MNIST: Source = Source::Published(&published::MNIST);

    /// What each name on the command line stands for, in the order of help.
    pub fn names() -> Vec<(&'static str, &'static str)> {
        let published = published::SETS.iter().map(|set| (set.name, set.meaning));
        published
            .chain([
                (cifar10::NAME, cifar10::MEANING),
                (DIGITS, "1,797 handwritten digits of 8×8 pixels, part of the program."),
                ("idx:DIR", "Four IDX files with MNIST's names in the folder DIR, of any sizes."),
            ])
            .collect()
    }
}

impl Source {
    /// What the classes of a published set are called; empty where their numbers are their names, or nothing is known.
    pub fn class_names(&self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Published(set) => set.class_names,
            Self::Cifar10 => &cifar10::CLASS_NAMES,
            Self::Digits | Self::Idx(_) => &[],
        };
        names.iter().map(|&name| name.to_owned()).collect()
    }
}

impl FromStr for Source {
    type Err = DataError;

    fn from_str(given: &str) -> Result<Self, DataError> {
        if let Some(set) = published::SETS.iter().find(|set| set.name == given) {
            return Ok(Self::Published(set));
        }
        match given.strip_prefix(IDX) {
            _ if given == DIGITS => Ok(Self::Digits),
            _ if given == cifar10::NAME => Ok(Self::Cifar10),
            Some(folder) if !folder.is_empty() => Ok(Self::Idx(folder.into())),
            _ => {
                let names = Self::names().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
                Err(DataError::UnknownSource { given: given.to_owned(), hint: hint(given), names })
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published(set) => f.write_str(set.name),
            Self::Cifar10 => f.write_str(cifar10::NAME),
            Self::Digits => f.write_str(DIGITS),
            Self::Idx(folder) => write!(f, "{IDX}{}", folder.display()),
        }
    }
}

/// `; did you mean …?`, or nothing where no name is near: a folder wants `idx:` before it, and MNIST is written
/// in many ways.
pub fn hint(given: &str) -> String {
    if given.contains(['/', '\\']) || Path::new(given).is_dir() {
        return format!("; did you mean `{IDX}{given}`?");
    }
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', ' '], "");
    let likeness = |name: &str| strsim::jaro_winkler(&plain(given), &plain(name));
    Source::names()
        .into_iter()
        .map(|(name, _)| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["mnist", "fashion-mnist", "kmnist", "cifar10", "digits", "idx:some/folder"] {
            assert_eq!(name.parse::<Source>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn wrong_names_list_the_valid_ones_and_the_nearest() {
        let message = |given: &str| given.parse::<Source>().unwrap_err().to_string();
        assert_eq!(
            message("mnits"),
            "unknown dataset `mnits`; did you mean `mnist`? valid: mnist, fashion-mnist, kmnist, cifar10, \
             digits, idx:DIR"
        );
        for (given, meant) in [
            ("MNIST", "mnist"),
            ("fashion", "fashion-mnist"),
            ("FashionMNIST", "fashion-mnist"),
            ("fashion_mnist", "fashion-mnist"),
            ("K-MNIST", "kmnist"),
            ("CIFAR-10", "cifar10"),
            ("idx:", "idx:DIR"),
            ("./data", "idx:./data"),
            ("/data/letters", "idx:/data/letters"),
        ] {
            assert!(message(given).contains(&format!("did you mean `{meant}`?")), "{}", message(given));
        }
        assert!(!message("imagenet").contains("did you mean"));
        assert!(!message("").contains("did you mean"));
    }
}
