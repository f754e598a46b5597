//! Fetches a published file: several mirrors, a checksum, then one atomic move. A download that was cut off goes on.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::DataError;
use super::checksum::Checksum;
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

/// Addresses to try for the data set `set`, those under `FF_MIRROR` before the `known` ones.
pub fn mirrors(set: &str, known: &[&str]) -> Vec<String> {
    mirrors_after(&env::var("FF_MIRROR").unwrap_or_default(), set, known)
}

fn mirrors_after(own: &str, set: &str, known: &[&str]) -> Vec<String> {
    let own = own.trim_end_matches('/');
    let mut mirrors = Vec::new();
    if !own.is_empty() {
        mirrors.extend([format!("{own}/{set}"), own.to_owned()]);
    }
    mirrors.extend(known.iter().map(|&known| known.to_owned()));
    mirrors
}

/// A file to download, and what to say where that fails.
pub struct Wanted<'a> {
    /// What it is called there and here.
    pub name: String,
    /// What tells it from any other file.
    pub checksum: Checksum<'a>,
    /// What to put into the folder by hand instead.
    pub by_hand: String,
}

/// Downloads a file into `folder` from the first mirror that serves it unharmed. What is not whole and right never gets
/// the file's name; what has arrived when a connection breaks stays beside it, and the next try goes on from there.
pub fn fetch(
    wanted: &Wanted,
    mirrors: &[String],
    folder: &Path,
    progress: bool,
) -> Result<PathBuf, DataError> {
    let path = folder.join(&wanted.name);
    let mut tried = Vec::new();
    for mirror in mirrors {
        let url = format!("{mirror}/{}", wanted.name);
        let mut arrived = from_mirror(wanted, &url, &path, progress)?;
        if matches!(arrived, Err(Failure::WrongBeginning(_))) {
            arrived = from_mirror(wanted, &url, &path, progress)?;
        }
        match arrived {
            Ok(()) => return Ok(path),
            Err(Failure::Other(reason) | Failure::WrongBeginning(reason)) => {
                tried.push(format!("{url}: {reason}"));
            }
        }
    }
    Err(DataError::Download {
        file: wanted.name.clone(),
        tried: tried.join("; "),
        by_hand: wanted.by_hand.clone(),
        folder: folder.to_owned(),
    })
}

/// Why a mirror gave no file.
enum Failure {
    /// The file is not right, and what was there before may be why; it is gone now.
    WrongBeginning(String),
    /// Anything else.
    Other(String),
}

/// Downloads a file to `path` from one address.
fn from_mirror(
    wanted: &Wanted,
    url: &str,
    path: &Path,
    progress: bool,
) -> Result<Result<(), Failure>, DataError> {
    let folder = path.parent().unwrap_or(path);
    let failed = |source| DataError::Io { path: folder.to_owned(), source };
    let begun = Part::begun(path).map_err(failed)?;
    let there = begun.as_ref().map_or(0, |part| part.length);
    let (from, body) = match request(url, there) {
        Ok(answer) => answer,
        Err(reason) => return Ok(Err(Failure::Other(reason))),
    };
    let part = match begun {
        Some(part) => part,
        // Only now, so that where there is no network nothing is written.
        None => {
            fs::create_dir_all(folder).map_err(failed)?;
            temporary::remove_abandoned(folder);
            Part::open(path).map_err(failed)?
        }
    };
    // Another process was faster.
    if fs::exists(path).map_err(failed)? {
        return Ok(Ok(()));
    }
    let bar = bar(&wanted.name, body.content_length().map(|length| from + length), progress);
    bar.set_position(from);
    let received = part.receive(from, body, &bar);
    bar.finish_and_clear();
    Ok(received.map_err(Failure::Other).and_then(|()| {
        part.place(wanted.checksum, path).map_err(|reason| match from {
            0 => Failure::Other(reason),
            _ => Failure::WrongBeginning(reason),
        })
    }))
}

/// The beginning of a file that is being downloaded. It is locked: another process waits, and then goes on with it.
struct Part {
    path: PathBuf,
    file: File,
    /// Bytes of it when it was opened.
    length: u64,
}

impl Part {
    fn path(whole: &Path) -> PathBuf {
        let mut name = whole.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        whole.with_file_name(name)
    }

    /// What an earlier try left.
    fn begun(whole: &Path) -> io::Result<Option<Part>> {
        if fs::exists(Part::path(whole))? { Part::open(whole).map(Some) } else { Ok(None) }
    }

    fn open(whole: &Path) -> io::Result<Part> {
        let path = Part::path(whole);
        loop {
            let file = File::options().create(true).read(true).append(true).open(&path)?;
            // Where there are no locks, the checksum tells.
            let _ = file.lock();
            let metadata = file.metadata()?;
            // While this one waited, the other may have finished, and moved or removed it.
            let is_there = fs::metadata(&path).is_ok_and(|there| there.ino() == metadata.ino());
            if is_there || fs::exists(whole)? {
                return Ok(Part { path, file, length: metadata.len() });
            }
        }
    }

    /// Adds what arrives behind the first `from` bytes. Nothing stays where nothing arrived.
    fn receive(&self, from: u64, body: ureq::Body, bar: &ProgressBar) -> Result<(), String> {
        let body = body.into_with_config().limit(SIZE_LIMIT).reader();
        let received = self.file.set_len(from).and_then(|()| {
            io::copy(&mut bar.wrap_read(body), &mut &self.file)?;
            self.file.sync_all()
        });
        if received.is_err() && self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = fs::remove_file(&self.path);
        }
        received.map_err(one_line)
    }

    /// Gives it the file's name, if it is right; else removes it.
    fn place(&self, checksum: Checksum, whole: &Path) -> Result<(), String> {
        match checksum.verify(&self.path, SIZE_LIMIT) {
            Ok(()) => fs::rename(&self.path, whole).map_err(one_line),
            Err(reason) => {
                let _ = fs::remove_file(&self.path);
                Err(reason)
            }
        }
    }
}

/// Asks for a file over https, which redirections do not leave; a server on this machine may do without. Of a file of
/// which some bytes are there only the rest is asked for; answered is from which byte on it comes.
fn request(url: &str, there: u64) -> Result<(u64, ureq::Body), String> {
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
    if there > 0 {
        let rest = agent.get(url).header("Range", format!("bytes={there}-")).call();
        // A server that knows no ranges sends all; one that has no such bytes is asked for all below.
        if let Ok(response) = rest {
            let range = response.headers().get("Content-Range").and_then(|range| range.to_str().ok());
            let goes_on = range.is_some_and(|range| range.starts_with(&format!("bytes {there}-")));
            match response.status().as_u16() {
                206 if goes_on => return Ok((there, response.into_body())),
                200 => return Ok((0, response.into_body())),
                _ => {}
            }
        }
    }
    let response = agent.get(url).call().map_err(one_line)?;
    Ok((0, response.into_body()))
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
