//! The arguments of a launch, in the order of the kernel's parameters.

use ff_backend::{BackendError, IndexSlice, Input, LabelCode, Normalization, Result, Rule};

use crate::OpenCl;
use crate::driver::Arg;
use crate::memory::{Buffer, Matrix};

/// Most steps of Adam in one launch: as many pairs of corrections as `float16 numbers` holds.
pub(crate) const STEPS_AT_ONCE: usize = 8;

/// How a rule's gradient is used: `rule`, `steps` and `numbers` of optimizer.cl.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) rule: i32,
    pub(crate) steps: usize,
    pub(crate) numbers: [f32; 16],
}

impl Steps {
    /// The gradient is stored.
    pub(crate) const STORE: Steps = Steps { rule: 0, steps: 0, numbers: [0.0; 16] };
    const ADAM: i32 = 1;
    const MOMENTUM: i32 = 2;
    const IDLE: i32 = 3;

    /// One step of `rule`, then launches of idle steps if there are many.
    pub(crate) fn of(rule: Rule) -> Vec<Steps> {
        match rule {
            Rule::Momentum { rate, momentum, decay } => {
                let mut numbers = [0.0; 16];
                let given = [rate, momentum, 1.0 - momentum, decay];
                for (number, value) in numbers.iter_mut().zip(given) {
                    *number = value as f32;
                }
                vec![Steps { rule: Steps::MOMENTUM, steps: 1, numbers }]
            }
            Rule::Adam { rate, step, idle } => {
                let all: Vec<u64> = (0..=u64::from(idle)).map(|k| step + k).collect();
                let kinds = std::iter::once(Steps::ADAM).chain(std::iter::repeat(Steps::IDLE));
                all.chunks(STEPS_AT_ONCE).zip(kinds).map(|(times, kind)| adam(rate, times, kind)).collect()
            }
        }
    }
}

/// Adam's bias corrections of consecutive steps.
fn adam(rate: f64, times: &[u64], rule: i32) -> Steps {
    let mut numbers = [0.0; 16];
    for (pair, &t) in numbers.chunks_exact_mut(2).zip(times) {
        let corrected =
            [rate / (1.0 - Rule::BETA1.powf(t as f64)), (1.0 - Rule::BETA2.powf(t as f64)).sqrt().recip()];
        for (number, value) in pair.iter_mut().zip(corrected) {
            *number = value as f32;
        }
    }
    Steps { rule, steps: times.len(), numbers }
}

/// Largest number that kernels count to: their `int`, less the work-items of a last work-group beyond the end.
const LARGEST_COUNT: usize = i32::MAX as usize - (1 << 16);

/// Arguments under construction. The first failure is told when they are taken.
pub(crate) struct Args<'a> {
    backend: &'a OpenCl,
    list: Vec<Arg>,
    failure: Option<BackendError>,
}

impl OpenCl {
    /// No arguments yet.
    pub(crate) fn args(&self) -> Args<'_> {
        Args { backend: self, list: Vec::with_capacity(48), failure: None }
    }
}

impl Args<'_> {
    /// The arguments, in the order of the kernel's parameters.
    pub(crate) fn take(self) -> Result<Vec<Arg>> {
        self.failure.map_or(Ok(self.list), Err)
    }

    fn push(mut self, arg: Arg) -> Self {
        self.list.push(arg);
        self
    }

    pub(crate) fn buffer(self, buffer: &Buffer) -> Self {
        self.push(buffer.memory.arg())
    }

    /// A matrix that is read, or added to. Sums of squares in parts are added up first.
    pub(crate) fn matrix(mut self, matrix: &Matrix) -> Self {
        if let Err(error) = self.backend.add_parts(matrix) {
            self.failure.get_or_insert(error);
        }
        self.buffer(&matrix.buffer)
    }

    /// A matrix that is written in full.
    pub(crate) fn out(self, matrix: &mut Matrix) -> Self {
        matrix.changed();
        self.buffer(&matrix.buffer)
    }

    /// A matrix that is read and written.
    pub(crate) fn changed(self, matrix: &mut Matrix) -> Self {
        let args = self.matrix(matrix);
        matrix.changed();
        args
    }

    /// SQUARES_ARGS: sums of squares, in parts or whole.
    pub(crate) fn squares(self, squares: &Matrix) -> Self {
        let (buffer, count) = squares.in_parts();
        self.buffer(buffer).count(count).count(squares.columns)
    }

    pub(crate) fn int(self, value: i32) -> Self {
        self.push(Arg::Int(value))
    }

    /// A size. One that kernels cannot count to is refused.
    pub(crate) fn count(mut self, value: usize) -> Self {
        if value > LARGEST_COUNT {
            let refused =
                format!("{value} elements are more than the {LARGEST_COUNT} that OpenCL kernels count to");
            self.failure.get_or_insert(BackendError::Unsupported(refused));
        }
        self.int(value as i32)
    }

    pub(crate) fn uint(self, value: u32) -> Self {
        self.push(Arg::Uint(value))
    }

    pub(crate) fn flag(self, value: bool) -> Self {
        self.int(i32::from(value))
    }

    pub(crate) fn float(self, value: f64) -> Self {
        self.push(Arg::Float((value as f32).to_bits()))
    }

    /// A list and where it begins.
    pub(crate) fn slice(self, slice: &IndexSlice<OpenCl>) -> Self {
        self.buffer(&slice.indices.buffer).count(slice.offset)
    }

    /// SCALE_ARGS.
    pub(crate) fn scale(self, normalization: Normalization, code_square: f64, width: usize) -> Self {
        let code = match normalization {
            Normalization::None => 0,
            Normalization::Unit => 1,
            Normalization::Rms => 2,
        };
        self.int(code).float(code_square).float(width as f64)
    }

    /// SCALE_ARGS of a layer's input.
    pub(crate) fn input_scale(self, input: &Input<OpenCl>) -> Self {
        self.scale(input.normalization, input.code_square(), input.width())
    }

    /// LABEL_ARGS. `rows` are the weights, whose first rows belong to the labels; a gradient does not read them.
    pub(crate) fn label(self, input: &Input<OpenCl>, rows: &Matrix) -> Self {
        let (unlabelled, each, same, neutral) = (0, 1, 2, 3);
        let rows = &rows.buffer;
        let code = input.label.map(|label| label.code);
        let args = match &code {
            Some(LabelCode::Each(labels)) => self.buffer(rows).slice(labels).int(0).int(each),
            Some(LabelCode::Same(label)) => {
                self.buffer(rows).buffer(rows).int(0).count(*label as usize).int(same)
            }
            Some(LabelCode::Neutral) => self.buffer(rows).buffer(rows).int(0).int(0).int(neutral),
            None => self.buffer(rows).buffer(rows).int(0).int(0).int(unlabelled),
        };
        let (at_zero, at_one) = (input.label_scale(0.0), input.label_scale(1.0));
        args.count(input.classes()).float(at_zero).float(at_one - at_zero)
    }

    /// RULE_ARGS.
    pub(crate) fn rule(self, steps: &Steps) -> Self {
        self.int(steps.rule).count(steps.steps).push(Arg::Float16(steps.numbers.map(f32::to_bits)))
    }
}
