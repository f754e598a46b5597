//! What only the data decide.

use crate::config::{Config, Invalid, resolve_label};
use crate::data::{DataShape, Source};

/// Decides where the label enters, if that is still `auto`, and checks the config against the data.
///
/// # Errors
/// The knob that these data cannot be trained with: a batch or a validation set that is too large, or labels
/// that would cover the whole image.
pub fn resolve(config: &mut Config, data: &DataShape) -> Result<(), Invalid> {
    resolve_label(config, data.blank_under_label);
    config.check_against(data.train, data.classes, data.image.pixels())
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
