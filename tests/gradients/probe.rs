//! A small network and one batch, to ask for losses and gradients.

use ff_backend::{Backend, Delta, Gradient, Input, LabelCode, Rule, TALLY_ROWS, Tally, Tensor};
use forward_forward::batching::EpochPlan;
use forward_forward::config::ConfigBuilder;
use forward_forward::data::ImageShape;
use forward_forward::network::{Activities, ImageRows, Network, forward};
use forward_forward::spec::Spec;
use forward_forward::training::Stepper;

use crate::differences::{fetch, send};

pub const CLASSES: usize = 3;
const IMAGE: ImageShape = ImageShape::gray(3, 4);
const LABELS: [u32; 4] = [0, 2, 1, 2];

/// Leaves weights as they are and the negated gradient in the velocity.
const LOOK: Rule = Rule::Momentum { rate: 0.0, momentum: 0.0, decay: 0.0 };

pub struct Probe<'b, B: Backend> {
    pub backend: &'b B,
    pub network: Network<B>,
    /// The knob, which the spec's objective has multiplied with dropout's.
    pub gradient_scale: f64,
    pub images: B::Images,
    pub rows: ImageRows<B>,
    pub plan: EpochPlan<B>,
    pub stack: Activities<B>,
    coefficients: B::Matrix,
    sums: B::Matrix,
}

/// Numbers in −1..1 without order.
fn scattered(count: usize, seed: u32) -> Vec<f64> {
    let number =
        |i: u32| f64::from((i.wrapping_add(seed * 977)).wrapping_mul(2_654_435_761) >> 8) / 8_388_608.0;
    (1..=count as u32).map(|i| number(i) - 1.0).collect()
}

impl<'b, B: Backend> Probe<'b, B> {
    /// `sets` on top of two small layers, unless they say `layers`.
    pub fn new<S: AsRef<str>>(backend: &'b B, sets: &[S]) -> Self {
        let kinds = sets.iter().any(|set| set.as_ref().starts_with("layers="));
        let sizes = (!kinds).then_some("layer_sizes=[6, 5]");
        let base = sizes.into_iter().chain(["training.batch_size=4", "optimizer=momentum"]);
        let sets = base.chain(sets.iter().map(AsRef::as_ref));
        let config = sets.fold(ConfigBuilder::new(), |builder, set| builder.set(set)).build().unwrap();
        let spec = Spec::new(&config, IMAGE, CLASSES);
        let mut network = Network::new(backend, spec.clone()).unwrap();
        for (l, layer) in network.layers.iter_mut().enumerate() {
            let bias = layer.tensors_mut().weights.bias.as_mut().unwrap();
            let values: Vec<f64> =
                scattered(config.network.layer_sizes[l], 7).iter().map(|x| 0.2 * x).collect();
            send(backend, &mut bias.value, &values);
        }
        for part in network.head.iter_mut().flatten() {
            let values = scattered(config.network.layer_sizes[part.layer] * CLASSES, 11);
            send(backend, &mut part.weights.weight.value, &values);
        }
        let pixels: Vec<u8> =
            scattered(LABELS.len() * IMAGE.pixels(), 3).iter().map(|x| (x * 255.0) as u8).collect();
        let images = backend.images(&pixels.clone().into(), IMAGE.height, IMAGE.width).unwrap();
        let planned = Stepper::new(backend, &spec).unwrap().plan(&LABELS, 1);
        let plan = EpochPlan::new(backend, &planned, LABELS.len()).unwrap();
        let mut rows = ImageRows::new(backend, &spec, LABELS.len()).unwrap();
        rows.gather(backend, &images, plan.batch(0).rows, None).unwrap();
        Probe {
            rows,
            stack: Activities::new(backend, &spec, 2 * LABELS.len()).unwrap(),
            coefficients: backend.zeros(1, 2 * LABELS.len()).unwrap(),
            sums: backend.zeros(TALLY_ROWS, spec.depth()).unwrap(),
            backend,
            images,
            plan,
            network,
            gradient_scale: config.training.gradient_scale,
        }
    }

    /// The loss of layer `l`; leaves the activities up to there, and its coefficients.
    pub fn loss(&mut self, l: usize) -> f64 {
        let Probe { backend, network, stack, .. } = self;
        let batch = self.plan.batch(0);
        let code = LabelCode::Each(batch.labels);
        self.rows.multiply(*backend, network).unwrap();
        for at in 0..=l {
            forward(*backend, network, &self.rows, at, code, stack).unwrap();
            let rate = network.spec.dropout;
            if rate > 0.0 {
                let seed = batch.dropout_seed.wrapping_add(at as u32);
                backend.dropout(&mut stack.hidden[at], rate, seed, &mut stack.squares[at]).unwrap();
            }
            stack.measure(*backend, at).unwrap();
        }
        let depth = network.layers.len();
        send(*backend, &mut self.sums, &vec![0.0; TALLY_ROWS * depth]);
        let objective = &network.spec.layers[l].objective;
        let tally = Tally { sums: &mut self.sums, layer: l };
        backend.coefficients(stack.goodness(l), objective, &mut self.coefficients, tally).unwrap();
        fetch(*backend, &self.sums)[l]
    }

    /// What layer `l` reads, of the last pass.
    pub fn input(&self, l: usize) -> Input<'_, B> {
        let (features, squares) = match l {
            0 => (&self.rows.features, &self.rows.squares),
            _ => (&self.stack.hidden[l - 1], &self.stack.squares[l - 1]),
        };
        let code = LabelCode::Each(self.plan.batch(0).labels);
        self.network.spec.layers[l].input(features, squares, code)
    }

    /// Gradients of layer `l` for weights and biases, from the operation.
    pub fn gradient(&mut self, l: usize) -> [Vec<f64>; 2] {
        self.loss(l);
        let (backend, layer) = (self.backend, &self.network.spec.layers[l]);
        let outputs = self.stack.slopes(l);
        let delta = Delta { coefficients: &self.coefficients, outputs, peer: None };
        let weight = self.network.layers[l].tensors().weights.weight.value.like(backend).unwrap();
        let bias = Some(backend.zeros(1, layer.units).unwrap());
        let mut gradient = Gradient { weight, bias };
        backend.gradient(&self.input(l), &delta, &mut gradient).unwrap();
        [fetch(backend, &gradient.weight), fetch(backend, &gradient.bias.unwrap())]
    }

    /// A training step that changes no weights but leaves all negated gradients in the velocities.
    pub fn look(&mut self) {
        let mut stepper = Stepper::new(self.backend, &self.network.spec).unwrap();
        let batch = self.plan.batch(0);
        stepper.step(self.backend, &mut self.network, &self.images, &batch, LOOK, LOOK).unwrap();
    }

    /// Velocities of layer `l` for weights and biases.
    pub fn velocity(&self, l: usize) -> [Vec<f64>; 2] {
        let weights = &self.network.layers[l].tensors().weights;
        let bias = weights.bias.as_ref().unwrap();
        [fetch(self.backend, &weights.weight.first), fetch(self.backend, &bias.first)]
    }

    /// Slopes of layer `l`'s loss along its weights and biases.
    pub fn slopes(&mut self, l: usize) -> [Vec<f64>; 2] {
        let along = |probe: &mut Self, values: Vec<f64>, put: fn(&mut Self, usize, &[f64])| {
            let slopes = crate::differences::slopes(&values, |moved| {
                put(probe, l, moved);
                probe.loss(l)
            });
            put(probe, l, &values);
            slopes
        };
        let weights = &self.network.layers[l].tensors().weights;
        let weight = fetch(self.backend, &weights.weight.value);
        let bias = fetch(self.backend, &weights.bias.as_ref().unwrap().value);
        [
            along(self, weight, |probe, l, values| {
                let weights = &mut probe.network.layers[l].tensors_mut().weights;
                send(probe.backend, &mut weights.weight.value, values);
            }),
            along(self, bias, |probe, l, values| {
                let weights = &mut probe.network.layers[l].tensors_mut().weights;
                send(probe.backend, &mut weights.bias.as_mut().unwrap().value, values);
            }),
        ]
    }
}
