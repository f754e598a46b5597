//! Fetches a published file: several mirrors, a checksum, then one atomic move.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::DataError;
use super::published::{Published, PublishedFile};
use crate::files::home::expand_home;
use crate::files::temporary;

/// No published file is nearly this large, compressed or not.
const SIZE_LIMIT: u64 = 256 << 20;

/// Where data lies and is downloaded to: `data_dir`, else `FF_DATA_DIR`, else the platform's cache.
pub fn folder(data_dir: &str) -> Result<PathBuf, DataError> {
    if !data_dir.is_empty() {
        return Ok(data_dir.into());
    }
    match env::var_os("FF_DATA_DIR") {
        Some(folder) if folder.as_encoded_bytes().starts_with(b"~") => {
            let path = folder.to_string_lossy();
            expand_home(&path).map(PathBuf::from).map_err(|reason| DataError::Content {
                path: "FF_DATA_DIR".into(),
                problem: format!("{path} {reason}"),
            })
        }
        Some(folder) if !folder.is_empty() => Ok(folder.into()),
        _ => directories::ProjectDirs::from("", "", "forward-forward")
            .map(|platform| platform.cache_dir().to_owned())
            .ok_or(DataError::NoFolder),
    }
}

/// Addresses to try for a data set, those under `FF_MIRROR` first.
pub fn mirrors(set: &Published) -> Vec<String> {
    mirrors_after(&env::var("FF_MIRROR").unwrap_or_default(), set)
}

fn mirrors_after(own: &str, set: &Published) -> Vec<String> {
    let own = own.trim_end_matches('/');
    let mut mirrors = Vec::new();
    if !own.is_empty() {
        mirrors.extend([format!("{own}/{}", set.name), own.to_owned()]);
    }
    mirrors.extend(set.mirrors.iter().map(|&known| known.to_owned()));
    mirrors
}

/// Downloads a file of the set `set` into `folder` from the first mirror that serves it unharmed.
/// What is not whole and right never gets the file's name.
pub fn fetch(
    set: &str,
    file: &PublishedFile,
    mirrors: &[String],
    folder: &Path,
    progress: bool,
) -> Result<PathBuf, DataError> {
    let failed = |source| DataError::Io { path: folder.to_owned(), source };
    let name = format!("{}.gz", file.stem);
    let mut tried = Vec::new();
    for mirror in mirrors {
        let url = format!("{mirror}/{name}");
        let body = match request(&url) {
            Ok(body) => body,
            Err(reason) => {
                tried.push(format!("{url}: {reason}"));
                continue;
            }
        };
        // Only now, so that where there is no network nothing is written.
        fs::create_dir_all(folder).map_err(failed)?;
        temporary::remove_abandoned(folder);
        // In the target folder, so that the move at the end stays on one disk.
        let mut part = temporary::new_in(folder).map_err(failed)?;
        let bar = bar(&name, body.content_length(), progress);
        let arrived =
            save(body, part.as_file_mut(), &bar).and_then(|()| file.checksum.verify(part.path(), SIZE_LIMIT));
        bar.finish_and_clear();
        match arrived {
            Ok(()) => {
                let path = folder.join(&name);
                part.persist(&path).map_err(|error| failed(error.error))?;
                return Ok(path);
            }
            Err(reason) => tried.push(format!("{url}: {reason}")),
        }
    }
    Err(DataError::Download {
        file: name,
        tried: tried.join("; "),
        set: set.to_owned(),
        folder: folder.to_owned(),
    })
}

/// Asks for a file over https, which redirections do not leave; a server on this machine may do without.
fn request(url: &str) -> Result<ureq::Body, String> {
    const HERE: [&str; 3] = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    let here = HERE.iter().any(|here| url.starts_with(here));
    if !here && !url.starts_with("https://") {
        return Err("is no https address".to_owned());
    }
    let agent = ureq::Agent::config_builder()
        .https_only(!here)
        .timeout_resolve(Some(Duration::from_secs(10)))
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(Duration::from_secs(20)))
        .timeout_per_read(Some(Duration::from_secs(30)))
        .timeout_global(Some(Duration::from_secs(1800)))
        .build()
        .new_agent();
    let response = agent.get(url).call().map_err(one_line)?;
    Ok(response.into_body())
}

fn save(body: ureq::Body, target: &mut File, bar: &ProgressBar) -> Result<(), String> {
    let body = body.into_with_config().limit(SIZE_LIMIT).reader();
    io::copy(&mut bar.wrap_read(body), target).and_then(|_| target.sync_all()).map_err(one_line)
}

fn bar(name: &str, length: Option<u64>, progress: bool) -> ProgressBar {
    if !progress {
        return ProgressBar::hidden();
    }
    let bar = match length {
        Some(length) => ProgressBar::new(length),
        None => ProgressBar::new_spinner(),
    };
    // A template that does not parse leaves the default look.
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar.with_message(name.to_owned())
}

fn one_line(error: impl ToString) -> String {
    error.to_string().replace('\n', " ")
}

#[cfg(test)]
mod tests;
