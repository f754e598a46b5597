//! Receptive fields: the first layer's weights as images, of color images in color.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Look};
use super::legend;
use super::numbers::significant;
use super::palette::{ABSENT, FAINT, signed};
use super::results::Run;

use super::caption::counted;
use super::weights::Weights;
use crate::config::LayerKind;
use crate::data::ImageShape;
use crate::spec::FieldPictures;

const COLUMNS: usize = 10;
const MOST: usize = 60;

/// Weights of the most active units, where an evaluation says which these are, else of the first, on one color scale;
/// `None` if no image shape fits the weights.
pub fn draw(run: &Run, weights: &Weights, look: Look) -> Option<Canvas> {
    let pictures = pictures(run, weights.fan_in)?;
    let (order, sorted) = by_activity(run, weights.fan_out);
    let shown = match order.get(..MOST) {
        _ if !sorted => pictures.shown(weights.fan_out, MOST),
        most => most.unwrap_or(&order).to_vec(),
    };
    let units = shown.len();
    if units == 0 {
        return None;
    }
    let fields: Vec<Vec<Option<f32>>> = shown.iter().map(|unit| field(weights, &pictures, *unit)).collect();
    let limit = limit(fields.iter().flatten().filter_map(|weight| *weight));
    let rows = units.div_ceil(COLUMNS);
    let mut canvas = look.canvas(150.0 + 118.0 * rows.max(2) as f64);
    let mut facts = vec![
        run.progress(),
        format!("weights into {units} of {}", counted(weights.fan_out, "first-layer unit")),
    ];
    if sorted {
        facts.push("the most active first".to_owned());
    }
    if fields.iter().flatten().any(Option::is_none) {
        facts.push("gray: pixels of the label".to_owned());
    }
    let body = canvas.heading("Receptive fields", &run.description(), &facts);
    let marks = [
        (0.0, format!("≤ {}", significant(-limit, 2))),
        (0.5, "0".to_owned()),
        (1.0, format!("≥ {}", significant(limit, 2))),
    ];
    let bar = body.inset(0.0, 14.0, 0.0, 14.0);
    let colored = pictures.channels() > 1;
    let shade = |f: f64| if colored { blend([2.0 * f - 1.0; 3]) } else { signed(2.0 * f - 1.0) };
    let title = if colored { "Weight of red, green, blue" } else { "Weight" };
    let rest = legend::color_bar(&mut canvas, bar, title, shade, &marks);
    let grid = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    for (index, field) in fields.iter().enumerate() {
        let slot = grid.cell(index, COLUMNS, rows.max(2), 10.0);
        let scale = (slot.width / pictures.width() as f64).min(slot.height / pictures.height() as f64);
        let mut area = slot;
        area.width = pictures.width() as f64 * scale;
        area.height = pictures.height() as f64 * scale;
        let strength = |weight: f32| f64::from(weight) / limit;
        let color = |weights: &[Option<f32>]| match *weights {
            [Some(weight)] => signed(strength(weight)),
            [Some(red), Some(green), Some(blue), ..] => blend([red, green, blue].map(strength)),
            _ => ABSENT,
        };
        canvas.frame(area, FAINT, 3.0);
        let pixels: Vec<RGBColor> = field.chunks_exact(pictures.channels()).map(color).collect();
        canvas.image(area, pictures.width(), pixels);
    }
    Some(canvas)
}

/// Units of the first layer in the order they are shown in, and whether that is the order of their activity: of equals
/// the first.
fn by_activity(run: &Run, units: usize) -> (Vec<usize>, bool) {
    let mut order: Vec<usize> = (0..units).collect();
    let activity = run.evaluation.as_ref().map(|evaluation| evaluation.activity.as_slice());
    let Some(activity) = activity.filter(|activity| activity.len() == units) else { return (order, false) };
    let of = |unit: &usize| activity.get(*unit).copied().flatten().unwrap_or(0.0);
    order.sort_by(|a, b| of(b).total_cmp(&of(a)));
    (order, true)
}

/// Rows of the input that are pixels, as the saved image size tells, else by guessing a square.
fn pictures(run: &Run, fan_in: usize) -> Option<FieldPictures> {
    let classes = run.classes().unwrap_or(0);
    let square = |pixels: usize| {
        let side = pixels.isqrt();
        (side > 0 && side * side == pixels).then_some((side, side, 1))
    };
    let (height, width, channels) = run
        .evaluation
        .as_ref()
        .map(|evaluation| (evaluation.height, evaluation.width, evaluation.channels))
        .filter(|(height, width, _)| *height > 0 && *width > 0)
        .or_else(|| square(fan_in))
        .or_else(|| square(fan_in.checked_sub(classes)?))?;
    let image = ImageShape { height, width, channels };
    let values = height.checked_mul(width)?.checked_mul(channels)?;
    if let Some(&LayerKind::Local(local)) = run.config.network.layers.first() {
        if local.field > height.min(width) {
            return None;
        }
        let seen = local.field * local.field * channels;
        let covered = if run.config.network.label.as_deref() == Some("overlay") { classes } else { 0 };
        // Where all places have pixels under the label, none has rows for its whole field.
        let label_rows = fan_in.checked_sub(seen).filter(|rows| *rows >= covered).unwrap_or(covered);
        return Some(FieldPictures::new(image, label_rows, covered, Some(local)));
    }
    let before = fan_in.checked_sub(values)?;
    let covers = before == 0 && run.config.network.label.as_deref() != Some("auto");
    let (label_rows, covered) = if covers { (classes, classes) } else { (before, 0) };
    Some(FieldPictures::new(image, label_rows, covered, None))
}

/// The weight of each channel of each pixel.
fn field(weights: &Weights, pictures: &FieldPictures, unit: usize) -> Vec<Option<f32>> {
    (0..pictures.values())
        .map(|value| {
            let row = pictures.row(unit, value)?;
            let weight = weights.values.get(row.checked_mul(weights.fan_out)? + unit).copied();
            weight.filter(|weight| weight.is_finite())
        })
        .collect()
}

/// Three weights as a color around the gray that is 0; ± 1 is full.
fn blend(strengths: [f64; 3]) -> RGBColor {
    let [red, green, blue] =
        strengths.map(|strength| (127.5 * (1.0 + strength.clamp(-1.0, 1.0))).round() as u8);
    RGBColor(red, green, blue)
}

/// All but the largest half percent of weights lie within ± this.
fn limit(weights: impl Iterator<Item = f32>) -> f64 {
    let mut sizes: Vec<f32> = weights.map(f32::abs).collect();
    sizes.sort_by(f32::total_cmp);
    let place = sizes.len().saturating_sub(1) * 995 / 1000;
    let limit = sizes.get(place).copied().map_or(0.0, f64::from);
    if limit > 0.0 { limit } else { 1.0 }
}
