//! Epochs: train, evaluate, write down, go on.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ff_backend::Backend;

use super::resume::Saved;
use super::samples::samples;
use super::saver::{Ended, Saver};
use super::step::TrainTally;
use super::{Limits, Stepper, TrainError};
use crate::batching::{EpochPlan, upload_images};
use crate::checkpoint::{self, Checkpoint};
use crate::config::{Config, PredictKind};
use crate::data::Splits;
use crate::evaluation::{Evaluator, ValidationLoss};
use crate::metrics::ConfusionMatrix;
use crate::network::{Network, download};
use crate::observers::{EpochReport, Observer, Start};
use crate::run::{
    EVALUATED, EpochRecord, EvaluationRecord, LayerGoodness, LayerLosses, RunDirectory, Seconds, Status,
    Summary,
};
use crate::spec::Spec;

/// Bins of the goodness figure.
const GOODNESS_BINS: usize = 30;

/// One run: a network, its data, and what it writes.
pub struct Trainer<'a, B: Backend> {
    backend: &'a B,
    config: &'a Config,
    splits: &'a Splits,
    directory: &'a RunDirectory,
    network: Network<B>,
    evaluator: Evaluator<B>,
    validation_loss: ValidationLoss<B>,
    best: checkpoint::Progress,
    seconds: Seconds,
    saver: Saver<'a, B>,
    /// What there is to tell at the end.
    warnings: Vec<String>,
}

impl<'a, B: Backend> Trainer<'a, B> {
    /// Puts a fresh network on the device, which with `copies` has memory for copies of it.
    pub fn new(
        backend: &'a B,
        config: &'a Config,
        splits: &'a Splits,
        directory: &'a RunDirectory,
        copies: bool,
    ) -> Result<Self, TrainError> {
        let spec = Spec::new(config, splits.image, splits.classes);
        let rows = spec.evaluation_rows;
        let network = Network::new(backend, spec)?;
        let held_out = splits.held_out();
        Ok(Trainer {
            evaluator: Evaluator::new(backend, &network, &held_out.pixels, rows)?,
            validation_loss: ValidationLoss::new(backend, &network.spec, held_out, rows)?,
            backend,
            config,
            splits,
            directory,
            network,
            best: checkpoint::Progress {
                epoch: 0,
                best_accuracy: 0.0,
                best_epoch: 0,
                image: splits.image,
                classes: splits.classes,
                class_names: splits.class_names.clone(),
                brightness: Some(splits.brightness),
                data_sha256: Some(splits.data_sha256.clone()),
            },
            seconds: Seconds::default(),
            saver: Saver::new(backend, config, directory, copies),
            warnings: Vec::new(),
        })
    }

    /// Goes on from the directory's last checkpoint; says what there is to tell. See [`Saved::find`].
    pub fn resume(&mut self, accept_changed_data: bool) -> Result<Vec<String>, TrainError> {
        let saved = Saved::find(self.directory, self.config, self.splits, accept_changed_data)?;
        saved.checkpoint.load_training(self.backend, &mut self.network)?;
        let (progress, seconds, warnings) = saved.restore(self.directory)?;
        self.saver.resume(progress.clone());
        (self.best, self.seconds) = (progress, seconds);
        Ok(warnings)
    }

    /// Trains to the end or to a limit. The summary on disk says how it went, whatever happens; with
    /// `keeps_test_set` it has no figures of the test set.
    pub fn run(
        mut self,
        observers: &mut [Box<dyn Observer + '_>],
        limits: &Limits,
        keeps_test_set: bool,
    ) -> Result<Summary, TrainError> {
        let result = self.epochs(observers, limits);
        let durable = self.saver.finish();
        let saved = self.saver.saved().map(|saved| saved.epoch);
        let result = result.and(durable).map_err(|error| error.beside_checkpoint(saved));
        let (status, error) = match &result {
            Ok(()) if self.best.epoch >= self.config.training.num_epochs => (Status::Done, None),
            Ok(()) => (Status::Interrupted, None),
            // It can go on when the machine can.
            Err(error) if error.is_of_environment() => (Status::Interrupted, Some(error.to_string())),
            Err(error) => (Status::Failed, Some(error.to_string())),
        };
        // An epoch that is not saved is not finished: it is trained again. Weights that diverge end what there is.
        let finished = match &result {
            Err(TrainError::Diverged { epoch, .. }) => epoch.saturating_sub(1),
            _ => saved.unwrap_or(0),
        };
        // Weights that are no numbers are found after the line of their epoch is written.
        let cut = match &result {
            Err(TrainError::Diverged { .. }) => self.directory.repair_metrics(finished).map(drop),
            _ => Ok(()),
        };
        let summary = cut
            .map_err(TrainError::from)
            .and_then(|()| self.summary(status, error, keeps_test_set, finished));
        let summary = summary.map_err(|error| error.beside_checkpoint(saved));
        for warning in &self.warnings {
            observers.iter_mut().for_each(|observer| observer.warned(warning));
        }
        let told = match &summary {
            Ok(summary) => observers.iter_mut().try_for_each(|observer| observer.ended(summary)),
            Err(_) => Ok(()),
        };
        // The first error is the one to tell.
        result?;
        let summary = summary?;
        told?;
        Ok(summary)
    }

    fn epochs(
        &mut self,
        observers: &mut [Box<dyn Observer + '_>],
        limits: &Limits,
    ) -> Result<(), TrainError> {
        let spec = self.network.spec.clone();
        let labels = &self.splits.train.labels;
        let mut stepper = Stepper::new(self.backend, &spec)?;
        let planned = stepper.plan(labels, self.best.epoch + 1);
        let mut plan = EpochPlan::new(self.backend, &planned, spec.batch_size)?;
        let images = upload_images(self.backend, &spec, &self.splits.train.pixels)?;
        let finished = self.best.epoch;
        let start = Start {
            config: self.config,
            spec: &spec,
            parameters: self.network.parameters(),
            class_names: &self.splits.class_names,
            finished_epochs: finished,
            batches: planned.batches,
            best_accuracy: self.best.best_accuracy,
        };
        for observer in observers.iter_mut() {
            observer.started(&start)?;
        }
        let last = spec.num_epochs.min(limits.until);
        for epoch in finished + 1..=last {
            let began = Instant::now();
            if epoch > finished + 1 {
                plan.upload(self.backend, &stepper.plan(labels, epoch))?;
            }
            self.network.go_on_training(self.backend)?;
            let before = (epoch - 1) as u64 * plan.batches as u64;
            for index in 0..plan.batches {
                let number = before + index as u64;
                let (layers, head) = (spec.layer_rule(epoch, number), spec.head_rule(epoch, number));
                stepper.step(self.backend, &mut self.network, &images, &plan.batch(index), layers, head)?;
                self.saver.step()?;
                observers.iter_mut().for_each(|observer| observer.step(epoch, index + 1));
            }
            let tally = stepper.take_tally(self.backend, plan.batches)?;
            refuse_divergence(epoch, &tally.losses)?;
            refuse_diverged_head(epoch, tally.head_cost)?;
            let active = stepper.active_fractions(self.backend)?;
            if let Some(epochs) = spec.averaged_epochs(epoch) {
                self.network.hold_average(self.backend, epochs)?;
            }
            let train_seconds = began.elapsed().as_secs_f64();
            let improved = self.finish_epoch(epoch, tally, active, train_seconds, observers)?;
            // Asked once: what ends here has to be saved here.
            let is_last = epoch == last || limits.stop.load(Ordering::Relaxed);
            let (network, progress, took) = (&self.network, &self.best, began.elapsed());
            self.saver.epoch(&Ended { network, progress, improved, took, is_last })?;
            for observer in observers.iter_mut() {
                observer.finished(epoch)?;
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// Evaluates, writes metrics, tells the observers; whether the epoch is the best so far.
    fn finish_epoch(
        &mut self,
        epoch: usize,
        tally: TrainTally,
        active: Vec<f64>,
        train_seconds: f64,
        observers: &mut [Box<dyn Observer + '_>],
    ) -> Result<bool, TrainError> {
        let began = Instant::now();
        let held_out = self.splits.held_out();
        let spec = &self.network.spec;
        let predict = spec.predict;
        let predictions = self.evaluator.predict(self.backend, &self.network, predict)?;
        let val_losses = self.validation_loss.measure(self.backend, &self.network)?;
        refuse_divergence(epoch, &val_losses)?;
        let eval_seconds = began.elapsed().as_secs_f64();

        let chosen = predictions.by(predict);
        let confusion = ConfusionMatrix::new(self.splits.classes, &held_out.labels, chosen);
        let accuracy = confusion.accuracy();
        let improved = accuracy > self.best.best_accuracy || self.best.epoch == 0;
        self.best.epoch = epoch;
        if improved {
            self.best.best_accuracy = accuracy;
            self.best.best_epoch = epoch;
        }
        // Where the head's loss is the only one, layers have none.
        let train_loss = match tally.losses.is_empty() {
            true => tally.head_cost.unwrap_or_default(),
            false => tally.losses.iter().sum(),
        };
        let losses = tally.losses.iter().zip(&val_losses);
        let goodness = tally.positive.iter().zip(&tally.negative);
        let record = EpochRecord {
            epoch,
            split: self.split().into(),
            train_loss,
            val_loss: val_losses.iter().sum(),
            layers: losses.map(|(&train_loss, &val_loss)| LayerLosses { train_loss, val_loss }).collect(),
            accuracy,
            best_accuracy: self.best.best_accuracy,
            class_accuracy: confusion.class_accuracy(),
            head_accuracy: predictions.head.as_ref().map(|head| share_right(&held_out.labels, head)),
            energy_accuracy: (predict == PredictKind::Ensemble && !predictions.energy.is_empty())
                .then(|| share_right(&held_out.labels, &predictions.energy)),
            head_loss: tally.head_cost,
            layer_accuracy: predictions
                .layers
                .iter()
                .map(|layer| share_right(&held_out.labels, layer))
                .collect(),
            goodness: goodness.map(|(&positive, &negative)| LayerGoodness { positive, negative }).collect(),
            pairwise_errors: tally.pairwise_errors,
            active,
            learning_rate: spec.learning_rate_factor(epoch) * spec.optimizer.learning_rate(),
            seconds: Seconds { train: train_seconds, eval: eval_seconds },
        };
        self.seconds.train += train_seconds;
        self.seconds.eval += eval_seconds;

        // A checkpoint is written last: it commits the epochs so far; resume truncates metrics beyond it.
        self.directory.append_metrics(&record)?;
        let (network, evaluator) = (&self.network, RefCell::new(&mut self.evaluator));
        let report = EpochReport {
            record: &record,
            num_epochs: self.config.training.num_epochs,
            confusion: &confusion,
            image: self.splits.image,
            samples: &|| samples(self.backend, network, &mut evaluator.borrow_mut(), held_out, chosen),
            weights: &|l| {
                let weights = &network.layers[l].tensors().weights;
                let bias =
                    weights.bias.as_ref().map(|bias| download(self.backend, &bias.value)).transpose()?;
                Ok((download(self.backend, &weights.weight.value)?, bias.unwrap_or_default()))
            },
        };
        for observer in observers.iter_mut() {
            observer.epoch(&report)?;
        }
        Ok(improved)
    }

    /// Measures the test set, unless it is kept, and writes summary.json and evaluation.json.
    fn summary(
        &mut self,
        status: Status,
        error: Option<String>,
        keeps_test_set: bool,
        finished: usize,
    ) -> Result<Summary, TrainError> {
        let records = RunDirectory::read_metrics(self.directory.path())?;
        let best_epoch = match self.best.best_epoch {
            best if best <= finished => best,
            _ => self.saver.saved().map_or(0, |saved| saved.best_epoch),
        };
        let last = records.iter().rfind(|record| record.epoch <= finished);
        let figure = |pick: fn(&EpochRecord) -> f64| last.map(pick);
        let device = self.backend.device();
        let mut summary = Summary {
            status,
            error,
            recipe: self.config.recipe.clone(),
            dataset: self.config.data.dataset.clone(),
            data_note: self.splits.note.clone(),
            classes: self.splits.classes,
            class_names: self.splits.class_names.clone(),
            layer_sizes: self.config.network.layer_sizes.clone(),
            parameters: self.network.parameters(),
            seed: self.config.training.seed,
            backend: device.backend,
            device: device.device,
            precision: device.precision,
            epochs: finished,
            num_epochs: self.config.training.num_epochs,
            split: self.split().into(),
            accuracy: figure(|record| record.accuracy),
            best_accuracy: figure(|record| record.best_accuracy),
            best_epoch,
            head_accuracy: last.and_then(|record| record.head_accuracy),
            test_accuracy: None,
            test_head_accuracy: None,
            train_loss: figure(|record| record.train_loss),
            val_loss: figure(|record| record.val_loss),
            layers: last.map_or(Vec::new(), |record| record.layers.clone()),
            evaluated_split: EVALUATED.into(),
            evaluated_epoch: None,
            class_accuracy: Vec::new(),
            confusion_matrix: ConfusionMatrix::new(self.splits.classes, &[], &[]),
            seconds: self.seconds,
            run_dir: self.directory.path().display().to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        if summary.error.is_none() && !keeps_test_set {
            self.measure_test_set(&mut summary)?;
        }
        self.directory.write_summary(&summary)?;
        Ok(summary)
    }

    /// The rows that accuracies and held-out losses of epochs are measured on.
    fn split(&self) -> &'static str {
        if self.splits.validation.is_some() { "validation" } else { "test" }
    }

    fn measure_test_set(&mut self, summary: &mut Summary) -> Result<(), TrainError> {
        let test = &self.splits.test;
        let predict = self.network.spec.predict;
        summary.evaluated_epoch = Some(self.best.epoch);
        if self.splits.validation.is_some() {
            // Chosen on validation rows, so the test set is looked at once, with that checkpoint.
            let read = Checkpoint::read(&self.directory.best_checkpoint());
            match read.and_then(|best| Ok((best.epoch()?, best))) {
                Ok((epoch, best)) if epoch == Some(self.best.best_epoch) => {
                    best.load_weights(self.backend, &mut self.network)?;
                    summary.evaluated_epoch = Some(self.best.best_epoch);
                }
                // Of an epoch that was lost and is yet to be trained again, or is none any more.
                Ok((_, best)) => self.warnings.push(format!(
                    "{}: does not hold epoch {}, the best; the test set is measured with the last weights",
                    best.path().display(),
                    self.best.best_epoch
                )),
                // Lost or damaged: no reason to fail for ever.
                Err(error) if error.is_damage() => {
                    self.warnings.push(format!("{error}; the test set is measured with the last weights"));
                }
                Err(error) => return Err(error.into()),
            }
            let rows = self.network.spec.evaluation_rows;
            self.evaluator = Evaluator::new(self.backend, &self.network, &test.pixels, rows)?;
        }
        let predictions = self.evaluator.predict(self.backend, &self.network, predict)?;
        let chosen = predictions.by(predict);
        let confusion = ConfusionMatrix::new(self.splits.classes, &test.labels, chosen);
        summary.test_accuracy = Some(confusion.accuracy());
        summary.test_head_accuracy = predictions.head.as_ref().map(|head| share_right(&test.labels, head));
        summary.class_accuracy = confusion.class_accuracy();
        summary.confusion_matrix = confusion;
        let goodness = self.validation_loss.histograms(self.backend, &self.network, GOODNESS_BINS)?;
        let activity = self.evaluator.first_activities(self.backend, &self.network)?;
        self.directory.write_evaluation(&EvaluationRecord {
            image: self.splits.image,
            images: test.labels.len(),
            errors: test.labels.len() - summary.confusion_matrix.correct() as usize,
            samples: samples(self.backend, &self.network, &mut self.evaluator, test, chosen)?,
            goodness,
            activity,
        })?;
        Ok(())
    }
}

fn share_right(labels: &[u32], predictions: &[u32]) -> f64 {
    let right = labels.iter().zip(predictions).filter(|(label, prediction)| label == prediction).count();
    right as f64 / labels.len().max(1) as f64
}

fn refuse_divergence(epoch: usize, losses: &[f64]) -> Result<(), TrainError> {
    match losses.iter().position(|loss| !loss.is_finite()) {
        Some(l) => {
            let what = format!("the loss of layer {l}");
            Err(TrainError::Diverged { epoch, what, value: losses[l], saved: None })
        }
        None => Ok(()),
    }
}

fn refuse_diverged_head(epoch: usize, cost: Option<f64>) -> Result<(), TrainError> {
    match cost.filter(|cost| !cost.is_finite()) {
        Some(value) => {
            let what = "the loss of the head".into();
            Err(TrainError::Diverged { epoch, what, value, saved: None })
        }
        None => Ok(()),
    }
}
