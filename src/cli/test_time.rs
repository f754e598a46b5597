//! Flags of test-time augmentation.

use clap::Args;

use crate::evaluation::Views;

/// From how many sides each image is read.
#[derive(Args, Clone, Copy)]
pub struct TestTime {
    /// Test-time augmentation: average the scores of each image over its (2N + 1)² shifts by up to N pixels down and right
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u8).range(0..=16))]
    test_time_jitter: u8,
    /// Test-time augmentation: average the scores of each image and of it turned left to right, shifted or not
    #[arg(long)]
    test_time_flips: bool,
}

impl TestTime {
    /// The views of an image that are asked for.
    pub fn views(self) -> Views {
        Views { jitter: self.test_time_jitter.into(), flips: self.test_time_flips }
    }
}
