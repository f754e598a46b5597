//! What only the data decide.

use crate::config::{Config, Invalid, resolve_label};
use crate::data::{DataError, DataShape, Source, Split};

/// Decides where the label enters, if that is still `auto`, and checks the config against the data.
///
/// # Errors
/// The knob that these data cannot be trained with: a batch or a validation set that is too large, or labels
/// that would cover the whole image, or local layers that do not fit its shape.
pub fn resolve(config: &mut Config, data: &DataShape) -> Result<(), Invalid> {
    resolve_label(config, data.blank_under_label);
    config.check_map(data.image.height, data.image.width)?;
    config.check_against(data.train, data.classes, data.image.values())
}

/// Whether the rows that the config holds out leave training some of every class.
///
/// # Errors
/// The knob that takes them all.
pub fn check_held_out(config: &Config, train: &Split) -> Result<(), Invalid> {
    let size = config.data.validation_size;
    if size == 0 {
        return Ok(());
    }
    train.held_out_rows(size, config.training.seed).map(drop).map_err(|error| Invalid {
        knob: "data.validation_size",
        with: Some("training.seed"),
        reason: match error {
            DataError::HoldOutClass { seed, class, images, .. } => format!(
                "is {size}, which under seed {seed} holds out all {images} training images of class {class}; hold \
                 out fewer rows, or take another seed"
            ),
            other => other.to_string(),
        },
    })
}

/// Makes the folders of data absolute: a run is read from other folders than it was trained in.
pub fn make_absolute(config: &mut Config) {
    if let Ok(Source::Idx(folder)) = config.data.dataset.parse()
        && let Ok(whole) = std::path::absolute(folder)
    {
        config.data.dataset = Source::Idx(whole).to_string();
    }
    // Empty: wherever the machine keeps its data.
    let folder = &mut config.data.data_dir;
    if let Some(whole) =
        std::path::absolute(&folder).ok().and_then(|whole| whole.into_os_string().into_string().ok())
    {
        *folder = whole;
    }
}
