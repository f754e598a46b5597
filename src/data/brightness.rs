//! How bright the images of a set are: enough to tell a picture that is unlike them.

use serde::{Deserialize, Serialize};

use super::Split;

/// Mean and standard deviation, over images, of an image's mean pixel; 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Brightness {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

/// How a picture differs from images that a network was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlike {
    /// With light and dark swapped it would be nearer to them.
    Inverted,
    /// It is lighter or darker than nearly all of them.
    Far,
}

impl Brightness {
    /// Of the images of a split.
    pub fn of(split: &Split) -> Brightness {
        let rows = split.len().max(1) as f64;
        let means: Vec<f64> = (0..split.len()).filter_map(|row| split.image(row)).map(mean).collect();
        let mean = means.iter().sum::<f64>() / rows;
        let variance = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows;
        Brightness { mean, deviation: variance.sqrt() }
    }

    /// How an image of this mean pixel differs, if it is more than four standard deviations off, and an eighth of
    /// full brightness.
    pub fn judge(&self, mean: f64) -> Option<Unlike> {
        let distance = |mean: f64| (mean - self.mean).abs();
        let far = distance(mean) > (4.0 * self.deviation).max(32.0);
        let inverted = distance(255.0 - mean) < distance(mean);
        far.then_some(if inverted { Unlike::Inverted } else { Unlike::Far })
    }
}

fn mean(image: &[u8]) -> f64 {
    // Parts whose sums fit into 32 bits are added up much faster.
    let part = |pixels: &[u8]| u64::from(pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>());
    image.chunks(1 << 16).map(part).sum::<u64>() as f64 / image.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_of_means() {
        let split = Split { pixels: vec![10, 30, 40, 60].into(), labels: vec![0, 1] };
        assert_eq!(Brightness::of(&split), Brightness { mean: 35.0, deviation: 15.0 });
        assert_eq!(Brightness::of(&Split::default()), Brightness::default());
    }

    #[test]
    fn a_page_is_not_ink() {
        let digits = Brightness { mean: 33.0, deviation: 11.0 };
        assert_eq!(digits.judge(33.0), None);
        assert_eq!(digits.judge(70.0), None);
        assert_eq!(digits.judge(220.0), Some(Unlike::Inverted));
        assert_eq!(digits.judge(120.0), Some(Unlike::Far));
    }
}
