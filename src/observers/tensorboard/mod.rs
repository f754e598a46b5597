//! TensorBoard event files, written directly: no TensorFlow needed.

mod histogram;
mod hparams;
mod images;
mod layout;
mod proto;
mod raster;
mod record;

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

pub use hparams::{HParam, SessionStatus};
pub use images::receptive_fields;
pub use layout::{ChartCategory, Patterns};
use proto::{
    Event, Image, Payload, PluginData, SessionLog, Summary, SummaryMetadata, TensorProto, TensorShapeProto,
    TensorType, Value, What,
};
pub use raster::{Color, RgbImage};

use crate::files::FileError;

/// How logging ends; an error names the event file.
pub type Logged<T = ()> = Result<T, FileError>;

/// What the name of every event file begins with.
pub const EVENTS: &str = "events.out.tfevents.";
/// Records beyond this many bytes are handed to the file without being asked to.
const BUFFER: usize = 1 << 20;

/// Appends events to one file of a run directory.
///
/// Only whole records go to the file: a run that is killed leaves a file that readers take as it is,
/// at worst with a cut last record, which they ignore. A run that goes on writes a new file beside
/// it, see [`resume_at`](Self::resume_at); TensorBoard shows them as one.
///
/// Every method fails as writing to the file does, and names the file; what is logged is written at the latest by
/// [`flush`](Self::flush) or when the writer is dropped.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
    /// Bytes of whole records in the file.
    written: u64,
    /// Whole records that are not in the file yet.
    pending: Vec<u8>,
}

impl EventWriter {
    /// Makes `events.out.tfevents.SECONDS.HOST.PID` + `suffix` in `dir`, which is made if missing.
    ///
    /// # Errors
    /// The directory or file cannot be made or written to.
    pub fn create(dir: &Path, suffix: &str) -> Logged<Self> {
        fs::create_dir_all(dir).map_err(FileError::on(dir))?;
        let (host, pid) = (host_name(), process::id());
        let mut seconds = now() as u64;
        let (path, file) = loop {
            let path = dir.join(format!("{EVENTS}{seconds:010}.{host}.{pid}{suffix}"));
            match File::options().append(true).create_new(true).open(&path) {
                // A second writer within a second: its name has to be another one, and sort later.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => seconds += 1,
                Err(error) => return Err(FileError::new(path, error)),
                Ok(file) => break (path, file),
            }
        };
        let mut writer = Self { path, file, written: 0, pending: Vec::new() };
        writer.event(0, What::FileVersion("brain.Event:2".to_owned()))?;
        writer.flush()?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a run that goes on: readers forget what earlier files of the directory hold from
    /// `step` on, since these steps are about to be logged again.
    pub fn resume_at(&mut self, step: i64) -> Logged {
        self.event(step, What::SessionLog(SessionLog { status: 1 }))
    }

    /// Logs one number, kept as an `f32` as TensorBoard's scalars are.
    pub fn scalar(&mut self, tag: &str, step: i64, value: f64) -> Logged {
        self.value(tag, step, Payload::SimpleValue(value as f32))
    }

    /// The same, and says what the number is; readers show what is said with the first number of a tag.
    pub fn described_scalar(&mut self, tag: &str, step: i64, value: f64, description: &str) -> Logged {
        let plugin = PluginData { plugin_name: "scalars".to_owned(), content: Vec::new() };
        let metadata =
            SummaryMetadata { plugin_data: Some(plugin), summary_description: description.to_owned() };
        let payload = Some(Payload::SimpleValue(value as f32));
        self.summary(step, Value { tag: tag.to_owned(), metadata: Some(metadata), payload })
    }

    /// Logs which scalars the custom-scalars tab shows in one chart: categories of charts, each with a title and
    /// patterns of tags.
    pub fn layout(&mut self, categories: &[ChartCategory]) -> Logged {
        self.summary(0, layout::layout(categories))
    }

    /// Logs the distribution of `values`; those that are not finite are left out.
    pub fn histogram(&mut self, tag: &str, step: i64, values: &[f32]) -> Logged {
        self.value(tag, step, Payload::Histo(histogram::histogram(values)))
    }

    /// Logs a picture; fails too if it is not one, as [`RgbImage::png`] does.
    pub fn image(&mut self, tag: &str, step: i64, image: &RgbImage) -> Logged {
        let side = |length: usize| i32::try_from(length).map_err(io::Error::other);
        let encoded = || Ok(((side(image.width)?, side(image.height)?), image.png()?));
        let (size, png) = encoded().map_err(FileError::on(&self.path))?;
        self.png(tag, step, size, png)
    }

    /// Logs a picture that is a PNG already, of so many pixels across and down.
    pub fn png(&mut self, tag: &str, step: i64, (width, height): (i32, i32), png: Vec<u8>) -> Logged {
        let image = Image { height, width, colorspace: 3, encoded_image_string: png };
        self.value(tag, step, Payload::Image(image))
    }

    /// Logs a text in Markdown.
    pub fn text(&mut self, tag: &str, step: i64, markdown: &str) -> Logged {
        let metadata = SummaryMetadata {
            plugin_data: Some(PluginData { plugin_name: "text".to_owned(), content: Vec::new() }),
            ..SummaryMetadata::default()
        };
        let tensor = TensorProto {
            dtype: TensorType::String.into(),
            tensor_shape: Some(TensorShapeProto { dim: Vec::new() }),
            string_val: vec![markdown.as_bytes().to_vec()],
        };
        let value =
            Value { tag: tag.to_owned(), metadata: Some(metadata), payload: Some(Payload::Tensor(tensor)) };
        self.summary(step, value)
    }

    /// Logs what the run was started with: one row of TensorBoard's HParams tab.
    ///
    /// `first` are the names of those that are shown first. `metrics` are tags of scalars, whose last values are shown
    /// in that row. Runs of the same `group` are shown as repeats of one session; empty: the run is a group by itself.
    pub fn hparams(
        &mut self,
        params: &[(&str, HParam)],
        first: &[&str],
        metrics: &[&str],
        group: &str,
    ) -> Logged {
        self.summary(0, hparams::experiment(params, first, metrics, now()))?;
        self.summary(0, hparams::session_start(params, group, now()))
    }

    /// Logs how the run ended after epoch `step`, for the row that [`hparams`](Self::hparams) began.
    pub fn session_end(&mut self, step: i64, status: SessionStatus) -> Logged {
        self.summary(step, hparams::session_end(status, now()))
    }

    /// Hands everything logged so far to the operating system, so that it outlives this process.
    ///
    /// After a failure the records are kept, and the file ends with a whole record again if it can
    /// still be cut: flushing once more is safe.
    pub fn flush(&mut self) -> Logged {
        if let Err(error) = self.file.write_all(&self.pending) {
            self.file.set_len(self.written).map_err(FileError::on(&self.path))?;
            return Err(FileError::new(&self.path, error));
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn value(&mut self, tag: &str, step: i64, payload: Payload) -> Logged {
        let value = Value { tag: tag.to_owned(), metadata: None, payload: Some(payload) };
        self.summary(step, value)
    }

    fn summary(&mut self, step: i64, value: Value) -> Logged {
        self.event(step, What::Summary(Summary { value: vec![value] }))
    }

    fn event(&mut self, step: i64, what: What) -> Logged {
        let event = Event { wall_time: now(), step, what: Some(what) };
        record::append(&mut self.pending, &event.encode_to_vec());
        if self.pending.len() > BUFFER {
            self.flush()?;
        }
        Ok(())
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; who cares flushes before.
        let _ = self.flush();
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

/// This machine's name as far as it fits in a file name.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| env::var("HOSTNAME"))
        .or_else(|_| env::var("COMPUTERNAME"))
        .unwrap_or_default();
    let fits = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.trim().chars().filter(fits).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
