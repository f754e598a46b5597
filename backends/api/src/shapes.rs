//! What fits what: one check per operation, called first by every backend, so that kernels may assume it.

use crate::{
    Backend, BackendError, Connected, Delta, Goodness, Gradient, IndexSlice, Input, LabelCode, Parameter,
    Result, Rule, Shape, TALLY_ROWS, Tally, Weights,
};

/// Fails unless `left` has the shape `rows × columns`.
pub fn expect(
    operation: &'static str,
    what: &'static str,
    left: &impl Shape,
    rows: usize,
    columns: usize,
) -> Result<()> {
    fits(operation, what, (left.rows(), left.columns()), (rows, columns))
}

fn fits(
    operation: &'static str,
    what: &'static str,
    left: (usize, usize),
    right: (usize, usize),
) -> Result<()> {
    if left == right { Ok(()) } else { Err(BackendError::Shape { operation, what, left, right }) }
}

/// Fails unless the slice has `count` entries.
pub fn slice<B: Backend>(operation: &'static str, slice: &IndexSlice<B>, count: usize) -> Result<()> {
    let (there, needed) = (slice.indices.columns(), slice.offset.saturating_add(count));
    if there >= needed { Ok(()) } else { fits(operation, "indices", (1, there), (1, needed)) }
}

/// Checks an upload of `count` values.
pub fn upload(target: &impl Shape, count: usize) -> Result<()> {
    fits("upload", "values", (count, 1), (target.elements(), 1))
}

/// Checks an upload of `count` indices: no more than there is room for.
pub fn upload_indices(target: &impl Shape, count: usize) -> Result<()> {
    fits("upload_indices", "values", (count.max(target.columns()), 1), (target.columns(), 1))
}

/// Checks the bytes of images.
pub fn images(bytes: usize, height: usize, width: usize) -> Result<usize> {
    let pixels = height * width;
    let count = bytes.checked_div(pixels).unwrap_or(0);
    fits("images", "bytes", (bytes, 1), (count * pixels, 1))?;
    Ok(count)
}

/// Checks `copy`.
pub fn copy(source: &impl Shape, target: &impl Shape) -> Result<()> {
    expect("copy", "target", target, source.rows(), source.columns())
}

/// Checks `copy` of weights: they are of the same fields.
pub fn copy_weight(source: &impl Connected, target: &impl Connected) -> Result<()> {
    copy(source, target)?;
    same_fields("copy", "fields of the target", source, target)
}

/// Fails unless the units of both see the same features.
fn same_fields(
    operation: &'static str,
    what: &'static str,
    left: &impl Connected,
    right: &impl Connected,
) -> Result<()> {
    let extent = |weight: &dyn Connected| weight.fields().map_or((0, 0), |f| (f.places(), f.features()));
    if left.fields() == right.fields() {
        return Ok(());
    }
    Err(BackendError::Shape { operation, what, left: extent(left), right: extent(right) })
}

/// Fails unless the weight is for so many features, behind `first_row` rows for labels.
fn reads(operation: &'static str, weight: &impl Connected, first_row: usize, features: usize) -> Result<()> {
    if let Some(fields) = weight.fields() {
        fits(operation, "features of the fields", (features, 1), (fields.features(), 1))?;
    }
    expect(operation, "weight", weight, first_row + weight.rows_for(features), weight.columns())
}

/// Checks `gather`.
pub fn gather<B: Backend>(
    images: &B::Images,
    rows: &IndexSlice<B>,
    shifts: Option<&IndexSlice<B>>,
    skip: usize,
    out: &B::Matrix,
    squares: &B::Matrix,
) -> Result<()> {
    expect("gather", "out", out, out.rows(), images.columns().saturating_sub(skip))?;
    expect("gather", "squares", squares, 1, out.rows())?;
    slice("gather", rows, out.rows())?;
    shifts.map_or(Ok(()), |shifts| slice("gather", shifts, out.rows()))
}

/// Checks `center`.
pub fn center(x: &impl Shape, squares: &impl Shape) -> Result<()> {
    expect("center", "squares", squares, 1, x.rows())
}

/// Checks `hybrid`.
pub fn hybrid<B: Backend>(
    x: &B::Matrix,
    masks: &B::Images,
    which: &IndexSlice<B>,
    squares: &B::Matrix,
) -> Result<()> {
    expect("hybrid", "x", x, x.rows() / 2 * 2, masks.columns())?;
    expect("hybrid", "squares", squares, 1, x.rows())?;
    slice("hybrid", which, x.rows() / 2)
}

/// Checks `product`.
pub fn product<B: Backend>(
    input: &B::Matrix,
    weight: &B::Weight,
    first_row: usize,
    out: &B::Matrix,
) -> Result<()> {
    reads("product", weight, first_row, input.columns())?;
    expect("product", "out", out, input.rows(), weight.columns())
}

fn input<B: Backend>(
    operation: &'static str,
    input: &Input<B>,
    weight: &B::Weight,
    rows: usize,
) -> Result<()> {
    let n = input.features.rows();
    expect(operation, "squares of the input", input.squares, 1, n)?;
    reads(operation, weight, input.classes(), input.features.columns())?;
    if let Some(label) = input.label {
        match label.code {
            LabelCode::Each(labels) => slice(operation, &labels, rows)?,
            LabelCode::Same(index) if index as usize >= label.classes => {
                let (left, right) = ((index as usize, 1), (label.classes, 1));
                return Err(BackendError::Shape { operation, what: "label", left, right });
            }
            _ => {}
        }
    }
    shared(operation, n, rows)
}

/// Fails unless each of n rows of features serves as many of so many rows.
fn shared(operation: &'static str, n: usize, rows: usize) -> Result<()> {
    let whole = rows.checked_rem(n).map_or(rows == 0, |rest| rest == 0);
    if whole { Ok(()) } else { fits(operation, "rows", (rows, 1), (n, 1)) }
}

fn layer<B: Backend>(operation: &'static str, layer: &Weights<B>) -> Result<()> {
    let (rows, columns) = (layer.weight.value.rows(), layer.weight.value.columns());
    moments(operation, &layer.weight, rows, columns)?;
    let Parameter { value, first, second } = &layer.weight;
    for moment in std::iter::once(first).chain(second) {
        same_fields(operation, "fields of a moment", moment, value)?;
    }
    layer.bias.as_ref().map_or(Ok(()), |bias| moments(operation, bias, 1, columns))
}

/// Fails unless there are the moments that the rule needs.
fn memory_of<B: Backend>(rule: Rule, weights: &Weights<B>) -> Result<()> {
    let bias = weights.bias.as_ref().is_none_or(|bias| bias.second.is_some());
    if matches!(rule, Rule::Adam { .. }) && !(bias && weights.weight.second.is_some()) {
        return Err(BackendError::Unsupported("Adam needs a second moment".into()));
    }
    Ok(())
}

fn moments<T: Shape>(
    operation: &'static str,
    parameter: &Parameter<T>,
    rows: usize,
    columns: usize,
) -> Result<()> {
    expect(operation, "parameter", &parameter.value, rows, columns)?;
    expect(operation, "first moment", &parameter.first, rows, columns)?;
    parameter
        .second
        .as_ref()
        .map_or(Ok(()), |second| expect(operation, "second moment", second, rows, columns))
}

/// Checks `activate`.
pub fn activate<B: Backend>(
    product: &B::Matrix,
    source: &Input<B>,
    weights: &Weights<B>,
    out: &B::Matrix,
    squares: &B::Matrix,
) -> Result<()> {
    layer("activate", weights)?;
    input("activate", source, &weights.weight.value, out.rows())?;
    expect("activate", "product", product, source.features.rows(), weights.weight.value.columns())?;
    expect("activate", "out", out, out.rows(), product.columns())?;
    expect("activate", "squares", squares, 1, out.rows())
}

/// Checks `project`.
pub fn project<B: Backend>(
    source: &Input<B>,
    weights: &Weights<B>,
    out: &B::Matrix,
    squares: &B::Matrix,
) -> Result<()> {
    layer("project", weights)?;
    input("project", source, &weights.weight.value, out.rows())?;
    expect("project", "out", out, source.features.rows(), weights.weight.value.columns())?;
    expect("project", "squares", squares, 1, out.rows())
}

/// Checks `drive`.
pub fn drive<B: Backend>(
    product: &B::Matrix,
    source: &Input<B>,
    above: &Input<B>,
    weights: &Weights<B>,
    out: &B::Matrix,
    squares: &B::Matrix,
) -> Result<()> {
    layer("drive", weights)?;
    let classes = source.classes() + above.classes();
    fits("drive", "label features", (classes, 1), (0, 1))?;
    input("drive", source, &weights.weight.value, out.rows())?;
    expect("drive", "product", product, source.features.rows(), weights.weight.value.columns())?;
    expect("drive", "squares above", above.squares, 1, above.features.rows())?;
    shared("drive", above.features.rows(), out.rows())?;
    expect("drive", "out", out, out.rows(), product.columns())?;
    expect("drive", "squares", squares, 1, out.rows())
}

/// Checks `damp`.
pub fn damp(
    before: &impl Shape,
    computed: &impl Shape,
    state: &impl Shape,
    squares: &impl Shape,
) -> Result<()> {
    expect("damp", "computed", computed, before.rows(), before.columns())?;
    expect("damp", "state", state, before.rows(), before.columns())?;
    expect("damp", "squares", squares, 1, before.rows())
}

/// Checks `dropout`.
pub fn dropout(activities: &impl Shape, squares: &impl Shape) -> Result<()> {
    expect("dropout", "squares", squares, 1, activities.rows())
}

/// Checks `measure`.
pub fn measure(
    activities: &impl Shape,
    goodness: Goodness,
    slopes: &impl Shape,
    sums: &impl Shape,
) -> Result<()> {
    let units = goodness.least_units();
    let limit = units.clamp(1.min(activities.columns()), activities.columns());
    fits("measure", "units", (units, 1), (limit, 1))?;
    expect("measure", "slopes", slopes, activities.rows(), activities.columns())?;
    expect("measure", "sums", sums, 1, activities.rows())
}

/// Checks `coefficients`.
pub fn coefficients<B: Backend>(
    squares: &B::Matrix,
    coefficients: &B::Matrix,
    tally: &Tally<B>,
) -> Result<()> {
    let rows = squares.columns() / 2 * 2;
    expect("coefficients", "squares", squares, 1, rows)?;
    expect("coefficients", "coefficients", coefficients, 1, rows)?;
    expect("coefficients", "tally", tally.sums, TALLY_ROWS, tally.sums.columns().max(tally.layer + 1))
}

/// Checks `running_mean`.
pub fn running_mean(activities: &impl Shape, rows: usize, mean: &impl Shape) -> Result<()> {
    fits("running_mean", "rows", (rows, 1), (rows.clamp(1.min(activities.rows()), activities.rows()), 1))?;
    expect("running_mean", "mean", mean, 1, activities.columns())
}

fn delta<B: Backend>(
    operation: &'static str,
    source: &Input<B>,
    delta: &Delta<B>,
    weight: &B::Weight,
) -> Result<()> {
    input(operation, source, weight, delta.outputs.rows())?;
    expect(operation, "outputs", delta.outputs, delta.outputs.rows(), weight.columns())?;
    expect(operation, "coefficients", delta.coefficients, 1, delta.outputs.rows())?;
    delta.peer.map_or(Ok(()), |peer| {
        let rows = peer.rows.min(source.features.rows());
        fits(operation, "peer rows", (peer.rows, 1), (rows, 1))?;
        expect(operation, "running mean", peer.mean, 1, weight.columns())
    })
}

/// Checks `gradient`.
pub fn gradient<B: Backend>(source: &Input<B>, change: &Delta<B>, gradient: &Gradient<B>) -> Result<()> {
    delta("gradient", source, change, &gradient.weight)?;
    let columns = gradient.weight.columns();
    gradient.bias.as_ref().map_or(Ok(()), |bias| expect("gradient", "bias", bias, 1, columns))
}

/// Checks `update`.
pub fn update<B: Backend>(weights: &Weights<B>, gradient: &Gradient<B>, rule: Rule) -> Result<()> {
    layer("update", weights)?;
    memory_of(rule, weights)?;
    let (rows, columns) = (weights.weight.value.rows(), weights.weight.value.columns());
    expect("update", "gradient of the weight", &gradient.weight, rows, columns)?;
    same_fields("update", "fields of the gradient", &gradient.weight, &weights.weight.value)?;
    let shape = |bias: Option<&B::Matrix>| bias.map_or((0, 0), |bias| (bias.rows(), bias.columns()));
    let (given, needed) = (gradient.bias.as_ref(), weights.bias.as_ref().map(|bias| &bias.value));
    fits("update", "gradient of the bias", shape(given), shape(needed))
}

/// Checks `learn`.
pub fn learn<B: Backend>(
    source: &Input<B>,
    change: &Delta<B>,
    weights: &Weights<B>,
    rule: Rule,
) -> Result<()> {
    layer("learn", weights)?;
    memory_of(rule, weights)?;
    delta("learn", source, change, &weights.weight.value)
}

/// Checks `read_out`.
pub fn read_out(
    activities: &impl Shape,
    squares: &impl Shape,
    weight: &impl Connected,
    logits: &impl Shape,
) -> Result<()> {
    expect("read_out", "squares", squares, 1, activities.rows())?;
    expect("read_out", "weight", weight, activities.columns(), weight.columns())?;
    let places = weight.fields().map_or(0, |fields| fields.places());
    fits("read_out", "places of a dense weight", (places, 1), (0, 1))?;
    expect("read_out", "logits", logits, activities.rows(), weight.columns())
}

/// Checks `back_project`.
pub fn back_project(
    errors: &impl Shape,
    weight: &impl Connected,
    activities: &impl Shape,
    squares: &impl Shape,
    out: &impl Shape,
) -> Result<()> {
    expect("back_project", "squares", squares, 1, activities.rows())?;
    expect("back_project", "errors", errors, activities.rows(), weight.columns())?;
    reads("back_project", weight, 0, activities.columns())?;
    expect("back_project", "out", out, activities.rows(), activities.columns())
}

/// Checks `match_similarities`.
pub fn match_similarities<B: Backend>(
    activities: &B::Matrix,
    labels: &IndexSlice<B>,
    slopes: &B::Matrix,
    cost: &B::Matrix,
) -> Result<()> {
    slice("match_similarities", labels, activities.rows())?;
    expect("match_similarities", "slopes", slopes, activities.rows(), activities.columns())?;
    expect("match_similarities", "cost", cost, 1, 1)
}

/// Checks `softmax`.
pub fn softmax<B: Backend>(
    logits: &B::Matrix,
    labels: &IndexSlice<B>,
    errors: &B::Matrix,
    cost: &B::Matrix,
) -> Result<()> {
    slice("softmax", labels, logits.rows())?;
    expect("softmax", "errors", errors, logits.rows(), logits.columns())?;
    expect("softmax", "cost", cost, 1, 1)
}

/// Checks `draw_labels`.
pub fn draw_labels<B: Backend>(
    errors: &B::Matrix,
    labels: &IndexSlice<B>,
    uniforms: &IndexSlice<B>,
    out: &B::Indices,
) -> Result<()> {
    slice("draw_labels", labels, errors.rows())?;
    slice("draw_labels", uniforms, errors.rows())?;
    expect("draw_labels", "out", out, 1, 2 * errors.rows())
}

/// Checks `accumulate`.
pub fn accumulate(squares: &impl Shape, scores: &impl Shape, column: usize) -> Result<()> {
    expect("accumulate", "scores", scores, squares.columns(), scores.columns().max(column + 1))
}

/// Checks `argmax`.
pub fn argmax(scores: &impl Shape, out: &impl Shape, offset: usize) -> Result<()> {
    let needed = offset.saturating_add(scores.rows());
    fits("argmax", "out", (1, out.columns()), (1, out.columns().max(needed)))
}
