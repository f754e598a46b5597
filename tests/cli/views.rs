//! Test-time augmentation: `--test-time-jitter` and `--test-time-flips` of `ff eval` and `ff predict`.

use serde_json::Value;

use crate::idx::{self, write_set};
use crate::place::Place;

const SIDE: usize = 12;
const HEADER: usize = 16;

/// An image moved down and right, with nothing where it came from; turned left to right before, if at all.
fn view(image: &[u8], down: i64, right: i64, turned: bool) -> Vec<u8> {
    let from = |at: usize, by: i64| usize::try_from(at as i64 - by).ok().filter(|&at| at < SIDE);
    let column = |column: usize| if turned { SIDE - 1 - column } else { column };
    let pixel = |y, x| Some(image[from(y, down)? * SIDE + column(from(x, right)?)]);
    (0..SIDE * SIDE).map(|at| pixel(at / SIDE, at % SIDE).unwrap_or(0)).collect()
}

fn scores(predictions: &Value) -> Vec<Vec<f64>> {
    let of = |prediction: &Value| serde_json::from_value(prediction["scores"].clone()).unwrap();
    predictions.as_array().unwrap().iter().map(of).collect()
}

/// What the program makes of views that it makes is the mean of what it makes of views that are made here.
#[test]
fn scores_are_means_over_views_made_by_hand() {
    for (recipe, by) in [("contrast", "energy"), ("contrast", "ensemble"), ("pred", "head")] {
        let place = Place::new();
        write_set(&place.at("set"), SIDE, 4, 200, 40);
        place.done(&format!(
            "train 24 16 --dataset idx:set --recipe {recipe} --num-epochs 2 --backend cpu --log-dir run"
        ));
        let images = place.bytes("set/t10k-images-idx3-ubyte");
        let images: Vec<&[u8]> = images[HEADER..].chunks(SIDE * SIDE).collect();
        for (flags, reach, sides) in [
            ("--test-time-jitter 1 --test-time-flips", 1, [false, true].as_slice()),
            ("--test-time-flips", 0, &[false, true]),
        ] {
            let mut sums = vec![vec![0.0; 4]; images.len()];
            let mut views = 0;
            for &turned in sides {
                for (down, right) in (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (y, x))) {
                    let pixels: Vec<u8> =
                        images.iter().flat_map(|image| view(image, down, right, turned)).collect();
                    let size = SIDE as u32;
                    place.write("view", idx::file(&[images.len() as u32, size, size], &pixels));
                    let of = scores(&place.json(&format!("predict run view --predict {by} --json")));
                    sums.iter_mut().flatten().zip(of.iter().flatten()).for_each(|(sum, score)| *sum += score);
                    views += 1;
                }
            }
            let asked = format!("--predict {by} {flags} --json");
            let found = scores(&place.json(&format!("predict run set/t10k-images-idx3-ubyte {asked}")));
            let pairs = || found.iter().flatten().zip(sums.iter().flatten());
            assert!(pairs().count() == 160, "{flags}");
            let far = |(found, sum): (&f64, &f64)| (found - sum / f64::from(views)).abs();
            let worst = pairs().map(far).fold(0.0, f64::max);
            assert!(worst < 1e-5, "{recipe} by {by} {flags}: {worst}");

            let largest = |row: &[f64]| (0..4).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            let right = found.iter().enumerate().filter(|(image, row)| largest(row) == image % 4).count();
            let report = place.json(&format!("eval run {asked}"));
            assert_eq!(report["correct"], right, "{recipe} by {by} {flags}");
            assert_eq!(report["views"], views);
        }
        let text = place.done("eval run --test-time-jitter 1").stdout;
        assert!(text.contains("over 9 views"), "{text}");
    }
}

/// One view is none: the report is that of an image as it is.
#[test]
fn no_reach_is_no_view() {
    let place = Place::new();
    write_set(&place.at("set"), SIDE, 4, 200, 40);
    place.done("train 24 16 --dataset idx:set --num-epochs 2 --backend cpu --log-dir run");
    assert_eq!(place.json("eval run --json --test-time-jitter 0"), place.json("eval run --json"));
    let message = place.refused("eval run --test-time-jitter 17");
    assert!(message.contains("--test-time-jitter"), "{message}");
}
