//! What a run goes on from: its checkpoint, checked against what is asked for. The text files beside it are not
//! trusted; they are repaired from it.

use super::TrainError;
use crate::checkpoint::{Checkpoint, CheckpointError, Newest, Progress, read_newest};
use crate::config::{Config, first_difference};
use crate::data::{Source, Splits};
use crate::run::{RunDirectory, RunError, Seconds};

/// A state to go on from.
pub struct Saved {
    /// Weights and the optimizer's state.
    pub checkpoint: Checkpoint,
    /// Where the run stands.
    pub progress: Progress,
    /// What there is to tell: a damaged file, changed data.
    warnings: Vec<String>,
    /// The last checkpoint is damaged or gone, and this is the one before.
    is_previous: bool,
    /// Epochs of the whole run.
    num_epochs: usize,
}

impl Saved {
    /// The newest whole checkpoint of a run. The config in it must be the run's that is asked for, but for what a
    /// resumed run may change, and its data the same unless `accept_changed_data`. Nothing is written.
    pub fn find(
        directory: &RunDirectory,
        config: &Config,
        splits: &Splits,
        accept_changed_data: bool,
    ) -> Result<Saved, TrainError> {
        let path = || directory.path().to_path_buf();
        let newest = read_newest(directory.path())?;
        let newest = newest.ok_or_else(|| RunError::NothingToResume { path: path() })?;
        let Newest { checkpoint, warning } = newest;
        let is_previous = warning.is_some();
        let mut warnings: Vec<String> = warning.into_iter().collect();
        let mismatch = |reason| CheckpointError::Mismatch { path: checkpoint.path().into(), reason };
        let Some((mut saved, mut progress)) = checkpoint.described()? else {
            return Err(mismatch("its metadata does not say where its run stood".into()).into());
        };
        let now = &splits.data_sha256;
        let same_data = progress.data_sha256.as_ref().map(|then| then == now);
        if same_data == Some(true) && is_folder(&saved.data.dataset) && is_folder(&config.data.dataset) {
            // The same data in another folder.
            saved.data.dataset.clone_from(&config.data.dataset);
        }
        if let Some(knob) = first_difference(&saved, config) {
            return Err(RunError::Changed { path: path(), checkpoint: checkpoint.path().into(), knob }.into());
        }
        if same_data == Some(false) {
            let dataset = config.data.dataset.clone();
            if !accept_changed_data {
                return Err(RunError::DataChanged { path: path(), dataset }.into());
            }
            warnings.push(format!("the data of `{dataset}` are not those that the run was begun on"));
        }
        progress.data_sha256 = Some(now.clone());
        let (finished, asked) = (progress.epoch, config.training.num_epochs);
        if finished > asked {
            let reason = format!("{finished} epochs are finished, more than num_epochs = {asked}");
            return Err(mismatch(reason).into());
        }
        Ok(Saved { checkpoint, progress, warnings, is_previous, num_epochs: asked })
    }

    /// Brings the files of the directory to the state of the checkpoint: a damaged last checkpoint is replaced by
    /// the one before, and metrics.jsonl holds the lines of its epochs. The time that they took, and what there is
    /// to tell.
    pub fn restore(self, directory: &RunDirectory) -> Result<(Progress, Seconds, Vec<String>), TrainError> {
        let Saved { progress, mut warnings, is_previous, num_epochs, .. } = self;
        if is_previous {
            directory.fall_back()?;
        }
        let repaired = directory.repair_metrics(progress.epoch)?;
        warnings.extend(repaired.warning);
        warnings.extend(trained_again(progress.epoch, repaired.cut_at.min(num_epochs)));
        let mut seconds = Seconds::default();
        for record in repaired.records {
            seconds.train += record.seconds.train;
            seconds.eval += record.seconds.eval;
        }
        Ok((progress, seconds, warnings))
    }
}

/// What to tell of epochs up to `ended` of which the last `saved` one is in a checkpoint.
fn trained_again(saved: usize, ended: usize) -> Option<String> {
    let again = match ended.checked_sub(saved)? {
        0 => return None,
        1 => format!("epoch {ended} is"),
        _ => format!("epochs {} to {ended} are", saved + 1),
    };
    Some(format!("{again} trained again: the last checkpoint is that of epoch {saved}"))
}

/// Whether a data set is named by the folder that it lies in.
fn is_folder(dataset: &str) -> bool {
    matches!(dataset.parse(), Ok(Source::Idx(_)))
}
