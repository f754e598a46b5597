//! `~` at the beginning of a path, which no shell expands after `=`, in a file or in an environment variable.

/// The path with the home folder in the place of `~`.
///
/// # Errors
/// `~name`, or no home folder: the end of a sentence that starts with what was given.
pub fn expand_home(path: &str) -> Result<String, String> {
    let Some(rest) = path.strip_prefix('~') else { return Ok(path.to_owned()) };
    match std::env::home_dir() {
        Some(home) if rest.is_empty() || rest.starts_with('/') => Ok(format!("{}{rest}", home.display())),
        _ => {
            Err(format!("begins with ~, which stands for no folder here: write the whole path, or ./{path}"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_tilde_of_ones_own_is_expanded() {
        let home = std::env::home_dir().unwrap().display().to_string();
        assert_eq!(expand_home("~").unwrap(), home);
        assert_eq!(expand_home("~/runs/x").unwrap(), format!("{home}/runs/x"));
        for path in ["runs/~", "./~", "", "/a/~b"] {
            assert_eq!(expand_home(path).unwrap(), path);
        }
        assert!(expand_home("~nobody/x").unwrap_err().contains("./~nobody/x"));
    }
}
