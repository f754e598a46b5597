//! Operands that do not fit must be refused with a shape error, before anything is touched.

use super::{Failure, Fault, Tolerance, Verdict};
use crate::{
    Along, Backend, BackendError, Delta, Fields, Goodness, Gradient, IndexSlice, Input, LabelCode,
    LabelFeatures, Loss, Normalization, Objective, Parameter, Peer, Result, Rule, Tally, Tensor, Weights,
};

/// A call that must fail, and what it returned.
type Attempt = (&'static str, Result<()>);

/// Tries every operation with operands that do not fit.
pub fn verdict<B: Backend>(backend: &B) -> Verdict {
    let reason = "operands that do not fit are errors";
    let mut verdict = Verdict {
        operation: "misfits",
        cases: 0,
        worst_relative_error: 0.0,
        tolerance_used: 0.0,
        tolerance: Tolerance { relative: 0.0, absolute: 0.0, reason },
        failure: None,
    };
    let attempts = [memory, inputs, forward, learning, labels, local].map(|group| group(backend));
    for attempts in attempts {
        match attempts {
            Ok(attempts) => {
                verdict.cases += attempts.len();
                let failure = attempts.into_iter().find_map(failure);
                verdict.failure = verdict.failure.or(failure);
            }
            Err(error) => {
                let fault = Fault::Refused { error: error.to_string() };
                verdict.failure = Some(Failure { case: "operands that fit".into(), fault });
            }
        }
    }
    verdict
}

fn failure((case, outcome): Attempt) -> Option<Failure> {
    let instead = match outcome {
        Err(BackendError::Shape { .. } | BackendError::Unsupported(_)) => return None,
        Err(error) => format!("the error is: {error}"),
        Ok(()) => "was accepted".into(),
    };
    Some(Failure { case: case.into(), fault: Fault::Accepted { instead } })
}

fn memory<B: Backend>(b: &B) -> Result<Vec<Attempt>> {
    let mut matrix = b.zeros(2, 3)?;
    let wide = b.zeros(3, 2)?;
    let [mut weight, tall] = [b.weight(2, 3)?, b.weight(3, 3)?];
    let mut list = b.indices(3)?;
    let values = b.download(&b.zeros(1, 7)?)?;
    Ok(vec![
        ("upload: 7 values to 2×3", b.upload(&mut matrix, &values)),
        ("upload: 1 value to 2×3", b.upload(&mut matrix, &values[..1])),
        ("upload_indices: 4 of 3", b.upload_indices(&mut list, &[1, 2, 3, 4])),
        ("images: 5 bytes of 2×2", b.images(&vec![0; 5].into(), 2, 2).map(|_| ())),
        ("copy: 3×2 to 2×3", b.copy(&wide, &mut matrix)),
        ("upload: 7 values to weights of 2×3", b.upload(&mut weight, &values)),
        ("copy: weights of 3×3 to 2×3", b.copy(&tall, &mut weight)),
    ])
}

fn inputs<B: Backend>(b: &B) -> Result<Vec<Attempt>> {
    let images = b.images(&vec![9; 12].into(), 2, 3)?;
    let list = b.indices(4)?;
    let rows = |offset| IndexSlice::<B> { indices: &list, offset };
    let [mut out, mut wide, mut odd] = [b.zeros(4, 6)?, b.zeros(4, 7)?, b.zeros(3, 6)?];
    let [mut squares, mut short] = [b.zeros(1, 4)?, b.zeros(1, 3)?];
    Ok(vec![
        ("gather: out too wide", b.gather(&images, rows(0), None, 0, &mut wide, &mut squares)),
        ("gather: skip not left out", b.gather(&images, rows(0), None, 1, &mut out, &mut squares)),
        ("gather: squares too short", b.gather(&images, rows(0), None, 0, &mut out, &mut short)),
        ("gather: rows run out", b.gather(&images, rows(1), None, 0, &mut out, &mut squares)),
        ("gather: shifts run out", b.gather(&images, rows(0), Some(rows(2)), 0, &mut out, &mut squares)),
        ("center: squares too short", b.center(&mut out, &mut short)),
        ("hybrid: an odd row", b.hybrid(&mut odd, &images, rows(0), &mut short)),
        ("hybrid: x wider than the masks", b.hybrid(&mut wide, &images, rows(0), &mut squares)),
        ("hybrid: masks run out", b.hybrid(&mut out, &images, rows(3), &mut squares)),
        ("hybrid: squares too short", b.hybrid(&mut out, &images, rows(0), &mut short)),
    ])
}

fn parameter<B: Backend, T: Tensor<B>>(b: &B, rows: usize, columns: usize) -> Result<Parameter<T>> {
    let zeros = || T::zeros(b, rows, columns);
    Ok(Parameter { value: zeros()?, first: zeros()?, second: Some(zeros()?) })
}

fn forward<B: Backend>(b: &B) -> Result<Vec<Attempt>> {
    let [features, squares, short] = [b.zeros(4, 5)?, b.zeros(1, 4)?, b.zeros(1, 3)?];
    let [mut out, mut odd, mut wide] = [b.zeros(4, 6)?, b.zeros(5, 6)?, b.zeros(4, 7)?];
    let [mut out_squares, mut odd_squares, mut other] = [b.zeros(1, 4)?, b.zeros(1, 5)?, b.zeros(1, 3)?];
    let product = b.zeros(4, 6)?;
    let labels = b.indices(4)?;
    let weights = Weights { weight: parameter(b, 5, 6)?, bias: Some(parameter(b, 1, 6)?) };
    let tall = Weights { weight: parameter(b, 8, 6)?, bias: None };
    let askew = Weights { weight: parameter(b, 5, 6)?, bias: Some(parameter(b, 1, 5)?) };
    let input = |squares, code| Input::<B> {
        features: &features,
        squares,
        normalization: Normalization::Unit,
        label: code,
    };
    let code = |code| Some(LabelFeatures::<B> { code, classes: 3, strength: 1.0, normalized: true });
    let plain = input(&squares, None);
    let late = input(&squares, code(LabelCode::Each(IndexSlice { indices: &labels, offset: 1 })));
    let unknown = input(&squares, code(LabelCode::Same(3)));
    let unfit = input(&short, None);
    let labelled = input(&squares, code(LabelCode::Neutral));
    let three = b.zeros(3, 5)?;
    let few =
        Input::<B> { features: &three, squares: &short, normalization: Normalization::Unit, label: None };
    let weight = &weights.weight.value;
    let top = |k| Goodness::TopK { k };
    Ok(vec![
        ("product: weight too short", b.product(&features, weight, 1, &mut out)),
        ("product: out too wide", b.product(&features, weight, 0, &mut wide)),
        ("product: out too tall", b.product(&features, weight, 0, &mut odd)),
        ("activate: rows not shared", b.activate(&product, &plain, &weights, &mut odd, &mut odd_squares)),
        ("activate: out too wide", b.activate(&product, &plain, &weights, &mut wide, &mut out_squares)),
        ("activate: squares too short", b.activate(&product, &plain, &weights, &mut out, &mut other)),
        ("activate: bias too short", b.activate(&product, &plain, &askew, &mut out, &mut out_squares)),
        ("activate: labels run out", b.activate(&product, &late, &tall, &mut out, &mut out_squares)),
        ("activate: no such label", b.activate(&product, &unknown, &tall, &mut out, &mut out_squares)),
        ("project: no rows for labels", b.project(&labelled, &weights, &mut out, &mut out_squares)),
        ("project: input squares too short", b.project(&unfit, &weights, &mut out, &mut out_squares)),
        ("project: out too tall", b.project(&plain, &weights, &mut odd, &mut odd_squares)),
        ("drive: label features", b.drive(&product, &labelled, &plain, &tall, &mut out, &mut out_squares)),
        ("drive: rows not shared", b.drive(&product, &plain, &few, &weights, &mut out, &mut out_squares)),
        (
            "drive: squares above too short",
            b.drive(&product, &plain, &unfit, &weights, &mut out, &mut out_squares),
        ),
        ("drive: product too wide", b.drive(&wide, &plain, &plain, &weights, &mut out, &mut out_squares)),
        ("drive: squares too short", b.drive(&product, &plain, &plain, &weights, &mut out, &mut other)),
        ("damp: computed too wide", b.damp(&product, 0.3, &mut wide, &mut out, &mut out_squares)),
        ("damp: state too tall", b.damp(&product, 0.3, &mut out, &mut odd, &mut out_squares)),
        ("damp: squares too short", b.damp(&product, 0.3, &mut out, &mut b.zeros(4, 6)?, &mut other)),
        ("dropout: squares too short", b.dropout(&mut out, 0.5, 1, &mut other)),
        ("measure: k of 0", b.measure(&features, top(0), &mut b.zeros(4, 5)?, &mut out_squares)),
        ("measure: k beyond the row", b.measure(&features, top(6), &mut b.zeros(4, 5)?, &mut out_squares)),
        ("measure: slopes too wide", b.measure(&features, top(2), &mut out, &mut out_squares)),
    ])
}

fn learning<B: Backend>(b: &B) -> Result<Vec<Attempt>> {
    let [features, squares, outputs] = [b.zeros(4, 5)?, b.zeros(1, 4)?, b.zeros(4, 6)?];
    let [coefficients, short, mean] = [b.zeros(1, 4)?, b.zeros(1, 3)?, b.zeros(1, 6)?];
    let gradient = |rows, columns, bias| {
        Ok(Gradient { weight: b.weight(rows, columns)?, bias: Some(b.zeros(1, bias)?) })
    };
    let [mut unbiased, mut narrow_bias] = [gradient(5, 6, 6)?, gradient(5, 6, 5)?];
    unbiased.bias = None;
    let [mut tall, fitting] = [gradient(6, 6, 6)?, gradient(5, 6, 6)?];
    let [mut out, mut sums, mut means] = [b.zeros(1, 4)?, b.zeros(4, 2)?, b.zeros(1, 5)?];
    let input = Input::<B> {
        features: &features,
        squares: &squares,
        normalization: Normalization::Unit,
        label: None,
    };
    let delta = |coefficients, peer| Delta::<B> { coefficients, outputs: &outputs, peer };
    let peer = |mean, rows| Some(Peer::<B> { mean, strength: 0.1, rows });
    let (plain, unfit) = (delta(&coefficients, None), delta(&short, None));
    let (crowded, narrow) = (delta(&coefficients, peer(&mean, 5)), delta(&coefficients, peer(&short, 2)));
    let rule = Rule::Momentum { rate: 0.1, momentum: 0.9, decay: 0.0 };
    let adam = Rule::Adam { rate: 0.1, step: 1, idle: 0 };
    let fits = || -> Result<Weights<B>> {
        Ok(Weights { weight: parameter(b, 5, 6)?, bias: Some(parameter(b, 1, 6)?) })
    };
    let [mut layer, mut forgetful, mut amnesic, mut askew] = [fits()?, fits()?, fits()?, fits()?];
    forgetful.weight.second = None;
    amnesic.bias.iter_mut().for_each(|bias| bias.second = None);
    askew.weight.first = b.weight(6, 5)?;
    let mut short_weight = Weights { weight: parameter(b, 4, 6)?, bias: None };
    let loss = Loss::Symba { alpha: 1.0 };
    let objective = Objective { loss, factor: 1.0, gradient_scales: [1.0, 1.0] };
    let mut tally = |squares, out: &mut B::Matrix, layer| {
        b.coefficients(squares, &objective, out, Tally { sums: &mut sums, layer })
    };
    Ok(vec![
        ("coefficients: an odd row", tally(&short, &mut out, 0)),
        ("coefficients: out too long", tally(&squares, &mut b.zeros(1, 5)?, 0)),
        ("coefficients: no such layer", tally(&squares, &mut out, 2)),
        ("running_mean: mean too short", b.running_mean(&outputs, 4, 0.9, &mut means)),
        ("running_mean: too many rows", b.running_mean(&features, 5, 0.9, &mut means)),
        ("running_mean: of no rows", b.running_mean(&features, 0, 0.9, &mut means)),
        ("gradient: weight too tall", b.gradient(&input, &plain, &mut tall)),
        ("gradient: bias too short", b.gradient(&input, &plain, &mut narrow_bias)),
        ("gradient: coefficients too short", b.gradient(&input, &unfit, &mut unbiased)),
        ("gradient: too many peer rows", b.gradient(&input, &crowded, &mut unbiased)),
        ("gradient: running mean too short", b.gradient(&input, &narrow, &mut unbiased)),
        ("update: gradient too tall", b.update(&mut layer, &tall, rule)),
        ("update: bias too short", b.update(&mut layer, &narrow_bias, rule)),
        ("update: no gradient of the bias", b.update(&mut layer, &unbiased, rule)),
        ("update: first moment askew", b.update(&mut askew, &fitting, rule)),
        ("update: Adam without a second moment", b.update(&mut forgetful, &fitting, adam)),
        ("update: Adam without the bias's second moment", b.update(&mut amnesic, &fitting, adam)),
        ("learn: weight too short", b.learn(&input, &plain, &mut short_weight, rule)),
        ("learn: Adam without a second moment", b.learn(&input, &plain, &mut forgetful, adam)),
    ])
}

fn labels<B: Backend>(b: &B) -> Result<Vec<Attempt>> {
    let [activities, squares, short] = [b.zeros(4, 5)?, b.zeros(1, 4)?, b.zeros(1, 3)?];
    let [weight, tall] = [b.weight(5, 3)?, b.weight(6, 3)?];
    let [mut logits, mut errors, mut wide] = [b.zeros(4, 3)?, b.zeros(4, 3)?, b.zeros(4, 4)?];
    let [mut cost, mut costs, mut back] = [b.zeros(1, 1)?, b.zeros(1, 2)?, b.zeros(4, 5)?];
    let (list, mut out, mut few) = (b.indices(4)?, b.indices(8)?, b.indices(7)?);
    let slice = |offset| IndexSlice::<B> { indices: &list, offset };
    let unit = Normalization::Unit;
    let mut found = vec![
        ("read_out: weight too tall", b.read_out(&activities, &squares, unit, &tall, &mut logits, false)),
        ("read_out: squares too short", b.read_out(&activities, &short, unit, &weight, &mut logits, true)),
        ("read_out: logits too wide", b.read_out(&activities, &squares, unit, &weight, &mut wide, false)),
        (
            "back_project: weight too tall",
            b.back_project(&errors, &tall, &activities, &squares, unit, &mut back),
        ),
        (
            "back_project: squares too short",
            b.back_project(&errors, &weight, &activities, &short, unit, &mut back),
        ),
        (
            "back_project: out too narrow",
            b.back_project(&errors, &weight, &activities, &squares, unit, &mut logits),
        ),
        (
            "back_project: errors too wide",
            b.back_project(&wide, &weight, &activities, &squares, unit, &mut back),
        ),
        (
            "match_similarities: slopes too narrow",
            b.match_similarities(&activities, slice(0), 3, Along::Rows, &mut logits, &mut cost),
        ),
        (
            "match_similarities: labels run out",
            b.match_similarities(&activities, slice(1), 3, Along::Rows, &mut back, &mut cost),
        ),
        ("softmax: labels run out", b.softmax(&logits, slice(1), 0.0, &mut errors, &mut cost)),
        ("softmax: errors too wide", b.softmax(&logits, slice(0), 0.0, &mut wide, &mut cost)),
        ("softmax: cost too long", b.softmax(&logits, slice(0), 0.0, &mut errors, &mut costs)),
        ("draw_labels: out too short", b.draw_labels(&errors, slice(0), slice(0), &mut few)),
        ("draw_labels: labels run out", b.draw_labels(&errors, slice(1), slice(0), &mut out)),
        ("draw_labels: uniforms run out", b.draw_labels(&errors, slice(0), slice(1), &mut out)),
        ("accumulate: no such column", b.accumulate(&squares, 1.0, &mut logits, 3)),
        ("accumulate: squares too short", b.accumulate(&short, 1.0, &mut logits, 0)),
    ];
    found.push(("argmax: out too short", b.argmax(&mut logits, &mut few, 4)));
    Ok(found)
}

/// Weights whose units do not see everything.
fn local<B: Backend>(b: &B) -> Result<Vec<Attempt>> {
    let lists = [vec![0, 1, 2], vec![2, 3, 4]];
    let fields = Fields::new(5, 3, &lists)?;
    let others = Fields::new(5, 3, &[vec![0, 1, 2], vec![1, 2, 3]])?;
    let [features, narrow, squares] = [b.zeros(4, 5)?, b.zeros(4, 3)?, b.zeros(1, 4)?];
    let [mut out, mut wide, coefficients] = [b.zeros(4, 6)?, b.zeros(4, 6)?, b.zeros(1, 4)?];
    let weight = b.local_weight(0, &fields)?;
    let mut strange = b.local_weight(0, &others)?;
    let mut dense = b.weight(3, 6)?;
    let normalization = Normalization::Unit;
    let input = Input::<B> { features: &features, squares: &squares, normalization, label: None };
    let small = Input::<B> { features: &narrow, ..input };
    let outputs = b.zeros(4, 6)?;
    let delta = Delta::<B> { coefficients: &coefficients, outputs: &outputs, peer: None };
    let rule = Rule::Momentum { rate: 0.1, momentum: 0.9, decay: 0.0 };
    let parameter = |first| -> Result<Weights<B>> {
        let weight = Parameter { value: b.local_weight(0, &fields)?, first, second: None };
        Ok(Weights { weight, bias: None })
    };
    let [mut askew, mut layer] = [parameter(b.weight(3, 6)?)?, parameter(b.local_weight(0, &fields)?)?];
    let gradient = Gradient { weight: b.local_weight(0, &others)?, bias: None };
    let mut found = vec![
        ("fields: a list that descends", Fields::new(5, 3, &[vec![1, 0]]).map(drop)),
        ("fields: a feature twice", Fields::new(5, 3, &[vec![1, 1]]).map(drop)),
        ("fields: no such feature", Fields::new(5, 3, &[vec![4, 5]]).map(drop)),
        ("copy: local weights to dense ones", b.copy(&weight, &mut dense)),
        ("copy: local weights to others", b.copy(&weight, &mut strange)),
        ("product: as many features as a field", b.product(&narrow, &weight, 0, &mut out)),
        ("learn: as many features as a field", b.learn(&small, &delta, &mut layer, rule)),
        ("learn: moments that are dense", b.learn(&input, &delta, &mut askew, rule)),
        ("update: a gradient of other fields", b.update(&mut layer, &gradient, rule)),
    ];
    let backward = b.back_project(&out, &weight, &narrow, &squares, normalization, &mut b.zeros(4, 3)?);
    found.push(("back_project: as many features as a field", backward));
    let read_out = b.read_out(&narrow, &squares, normalization, &weight, &mut out, false);
    found.push(("read_out: local weights", read_out));
    let backward = b.back_project(&out, &weight, &features, &squares, normalization, &mut wide);
    found.push(("back_project: out too wide", backward));
    Ok(found)
}
