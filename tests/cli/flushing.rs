//! Moments of silent units end at 0, not among the subnormal numbers that slow a processor down.

use ff_backend::FLUSH_BELOW;
use safetensors::SafeTensors;

use crate::place::Place;

/// Long enough for Adam's first moment to decay from 1e-3 to 1e-38: 0.9⁸⁰⁰ is 1e-37.
#[test]
fn long_training_leaves_nothing_subnormal() {
    for recipe in ["original", "baseline", "contrast"] {
        let place = Place::new();
        place.done(&format!(
            "train 64 64 --dataset digits --recipe {recipe} --batch-size 16 --num-epochs 12 --backend cpu \
             --set logging.figures=false --set logging.tensorboard=false --log-dir run"
        ));
        let bytes = place.bytes("run/checkpoints/last.safetensors");
        let mut flushed = 0;
        for (name, tensor) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
            for value in tensor.data().as_chunks().0 {
                let value = f64::from(f32::from_le_bytes(*value));
                assert!(value == 0.0 || value.abs() >= FLUSH_BELOW, "{recipe}: {value} in {name}");
                flushed += usize::from(value == 0.0 && name.ends_with(".first"));
            }
        }
        assert!(flushed > 10, "{recipe}: only {flushed} moments have decayed to 0");
    }
}
