//! Different ways to the same numbers: exact shortcuts, layer schedules, idle steps, backends.
// Whole runs are compared where there are backends to compare.
#![cfg_attr(not(all(feature = "openblas", feature = "opencl")), allow(unused_imports, dead_code))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ff_backend::{Backend, Gradient, Parameter, Real, Rule, Tensor};
use ff_backend_cpu::{Cpu, InstructionSet, Scalar};
use forward_forward::batching::EpochPlan;
use forward_forward::config::ConfigBuilder;
use forward_forward::data::{Dataset, Source, Splits};
use forward_forward::network::Network;
use forward_forward::run::{EpochRecord, RunDirectory};
use forward_forward::spec::{self, Spec};
use forward_forward::training::{self, Stepper};

/// A network, and steps on the embedded digits.
struct Run<'b, B: Backend> {
    backend: &'b B,
    spec: Spec,
    network: Network<B>,
    stepper: Stepper<B>,
    images: B::Images,
    plan: EpochPlan<B>,
}

impl<'b, B: Backend> Run<'b, B> {
    fn new(backend: &'b B, sets: &[&str]) -> Self {
        let kinds = sets.iter().any(|set| set.starts_with("layers="));
        let sizes = (!kinds).then_some("layer_sizes=[200, 150, 100]");
        let sets = sizes.into_iter().chain(["training.batch_size=50"]).chain(sets.iter().copied());
        let mut config = sets.fold(ConfigBuilder::new(), ConfigBuilder::set).build().unwrap();
        let splits =
            Splits::new(Dataset::load(&Source::Digits, "", false).unwrap(), 0, config.training.seed).unwrap();
        spec::resolve(&mut config, &splits.shape()).unwrap();
        let spec = Spec::new(&config, splits.image, splits.classes);
        let stepper = Stepper::new(backend, &spec).unwrap();
        let planned = stepper.plan(&splits.train.labels, 1);
        let (height, width) = (splits.image.height, splits.image.width);
        Run {
            stepper,
            network: Network::new(backend, spec.clone()).unwrap(),
            images: backend.images(&splits.train.pixels, height, width).unwrap(),
            plan: EpochPlan::new(backend, &planned, spec.batch_size).unwrap(),
            backend,
            spec,
        }
    }

    fn rule(&self, batch: usize) -> Rule {
        self.spec.layer_rule(1, batch as u64)
    }

    fn step(&mut self, batch: usize, layers: Rule) {
        let head = self.spec.head_rule(1, batch as u64);
        let Run { backend, network, stepper, images, plan, .. } = self;
        stepper.step(*backend, network, images, &plan.batch(batch), layers, head).unwrap();
    }

    fn steps(mut self, count: usize) -> Self {
        (0..count).for_each(|batch| self.step(batch, self.rule(batch)));
        self
    }

    /// What training leaves in layer `l`, by name.
    fn layer(&self, l: usize) -> Vec<(String, Vec<f64>)> {
        let layer = self.network.layers[l].tensors();
        let bias = layer.weights.bias.as_ref().unwrap();
        let mut all = self.parameter(&format!("layer {l}: weights"), &layer.weights.weight);
        all.extend(self.parameter(&format!("layer {l}: biases"), bias));
        if let Some(top_down) = &layer.top_down {
            all.extend(self.parameter(&format!("layer {l}: weights from above"), &top_down.weight));
        }
        if let Some(map) = &layer.similarity_map {
            all.extend(self.parameter(&format!("layer {l}: map of activities"), &map.weight));
        }
        all.push((format!("layer {l}: running mean"), fetch(self.backend, &layer.running_mean)));
        all
    }

    fn parameter<T: Tensor<B>>(&self, name: &str, parameter: &Parameter<T>) -> Vec<(String, Vec<f64>)> {
        let parts = [("", Some(&parameter.value)), (", first moment", Some(&parameter.first))];
        let parts = parts.into_iter().chain([(", second moment", parameter.second.as_ref())]);
        parts
            .filter_map(|(part, matrix)| Some((format!("{name}{part}"), fetch(self.backend, matrix?))))
            .collect()
    }

    /// What training leaves everywhere.
    fn everything(&self) -> Vec<(String, Vec<f64>)> {
        let layers = (0..self.network.layers.len()).flat_map(|l| self.layer(l));
        let head = self.network.head.iter().flatten();
        let head =
            head.flat_map(|part| self.parameter(&format!("head {}", part.layer), &part.weights.weight));
        layers.chain(head).collect()
    }

    /// Takes over the weights of the layers below `l`.
    fn stand_on(&mut self, other: &Self, l: usize) {
        for (mine, theirs) in self.network.layers.iter_mut().zip(&other.network.layers).take(l) {
            let weights = (&mut mine.tensors_mut().weights, &theirs.tensors().weights);
            self.backend.copy(&weights.1.weight.value, &mut weights.0.weight.value).unwrap();
            let biases = (weights.0.bias.as_mut().unwrap(), weights.1.bias.as_ref().unwrap());
            self.backend.copy(&biases.1.value, &mut biases.0.value).unwrap();
        }
    }
}

fn fetch<B: Backend>(backend: &B, source: &impl Tensor<B>) -> Vec<f64> {
    backend.download(source).unwrap().into_iter().map(Real::to_f64).collect()
}

/// The largest ‖x − y‖ / ‖y‖ of all tensors, and whose it is.
fn distance(ours: &[(String, Vec<f64>)], theirs: &[(String, Vec<f64>)]) -> (f64, String) {
    assert_eq!(ours.len(), theirs.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let relative = ours.iter().zip(theirs).map(|((name, x), (_, y))| {
        let apart = norm(&mut x.iter().zip(y).map(|(x, y)| x - y));
        let error = if apart == 0.0 { 0.0 } else { apart / norm(&mut y.iter().copied()) };
        (error, name.clone())
    });
    // A NaN is the largest.
    relative.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs())).unwrap()
}

fn agree(ours: &[(String, Vec<f64>)], theirs: &[(String, Vec<f64>)], tolerance: f64, what: &str) {
    let (error, name) = distance(ours, theirs);
    println!("{what}: {error:.1e} ({name})");
    assert!(error <= tolerance, "{what}: {name} differs by {error:.1e}");
}

#[test]
fn exact_shortcuts_change_no_bit() {
    fn check<T: Scalar>(recipe: &str) {
        let recipe = format!("recipe={recipe}");
        let cpu = |on| Cpu::<T>::new(0).unwrap().with_exact_shortcuts(on);
        let (quick, slow) = (cpu(true), cpu(false));
        let with = Run::new(&quick, &[&recipe, "exact_shortcuts=true"]).steps(10);
        let without = Run::new(&slow, &[&recipe, "exact_shortcuts=false"]).steps(10);
        let what = format!("{recipe} in {}", quick.device().precision);
        agree(&with.everything(), &without.everything(), 0.0, &what);
    }
    for recipe in ["baseline", "hinton", "contrast", "best", "original", "unsupervised", "pred", "backprop"] {
        check::<f64>(recipe);
        check::<f32>(recipe);
    }
}

/// Layer l of a greedy step learns what it would in a simultaneous one on layers that have learned.
#[test]
fn greedy_layers_learn_from_layers_that_have_learned() {
    let backend = Cpu::<f64>::new(0).unwrap();
    for recipe in ["recipe=baseline", "recipe=hinton", "recipe=contrast"] {
        for shortcuts in ["exact_shortcuts=true", "exact_shortcuts=false"] {
            let sets = [recipe, shortcuts];
            // Hard negatives depend on the layers below, which are to differ here.
            let fixed = [&sets[..], &["negatives=random"]].concat();
            let greedy = Run::new(&backend, &[&fixed[..], &["layer_schedule=greedy"]].concat()).steps(1);
            for l in 0..greedy.network.layers.len() {
                let mut simultaneous = Run::new(&backend, &fixed);
                simultaneous.stand_on(&greedy, l);
                let simultaneous = simultaneous.steps(1);
                agree(&greedy.layer(l), &simultaneous.layer(l), 1e-12, &format!("{recipe}, {shortcuts}"));
            }
            let simultaneous = Run::new(&backend, &fixed).steps(1);
            agree(&greedy.layer(0), &simultaneous.layer(0), 1e-12, "the first layer learns alike");
            let (difference, _) = distance(&greedy.layer(1), &simultaneous.layer(1));
            assert!(difference > 1e-6, "the second layer should not learn alike: {difference:.1e}");
        }
    }
}

/// Without momentum, what a batch teaches is what its positive and its negative rows teach apart.
#[test]
fn sleep_parts_what_a_batch_teaches() {
    let backend = Cpu::<f64>::new(0).unwrap();
    for recipe in ["recipe=baseline", "recipe=contrast"] {
        let plain = [recipe, "optimizer=momentum", "momentum=0", "negatives=random", "sleep_every=1"];
        let weights = |phase: Option<usize>| {
            let mut run = Run::new(&backend, if phase.is_some() { &plain } else { &plain[..4] });
            let (layers, head) = (run.rule(0), run.spec.head_rule(1, 0));
            let Run { network, stepper, images, plan, .. } = &mut run;
            let mut batch = plan.batch(0);
            batch.index = phase.unwrap_or(0);
            stepper.step(&backend, network, images, &batch, layers, head).unwrap();
            run.layer(1).swap_remove(0).1
        };
        let before = Run::new(&backend, &plain).layer(1).swap_remove(0).1;
        let [both, awake, asleep] = [None, Some(0), Some(1)].map(weights);
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
        let taught = |after: &[f64]| norm(&mut after.iter().zip(&before).map(|(a, b)| a - b));
        assert!(taught(&awake) > 0.0 && taught(&asleep) > 0.0, "{recipe}");
        let sum = awake.iter().zip(&asleep).zip(&before).map(|((a, s), b)| a + s - b);
        let apart = norm(&mut sum.zip(&both).map(|(sum, both)| sum - both));
        assert!(apart < 1e-9 * taught(&both), "{recipe}: {apart:.1e} of {:.1e}", taught(&both));
    }
}

#[test]
fn idle_steps_are_steps_on_a_zero_gradient() {
    fn check<B: Backend>(backend: &B, tolerance: f64) {
        const IDLE: usize = 3;
        let fused = Run::new(backend, &[&format!("idle_steps={IDLE}")]).steps(4);
        let mut explicit = Run::new(backend, &["idle_steps=0"]);
        for batch in 0..4 {
            let rate = explicit.spec.learning_rate_factor(1) * explicit.spec.optimizer.learning_rate();
            let adam = |k: usize| Rule::Adam { rate, step: (batch * (1 + IDLE) + k + 1) as u64, idle: 0 };
            explicit.step(batch, adam(0));
            for layer in &mut explicit.network.layers {
                let weights = &mut layer.tensors_mut().weights;
                let bias = weights.bias.as_ref().map(|bias| bias.value.like(backend).unwrap());
                let nothing = Gradient { weight: weights.weight.value.like(backend).unwrap(), bias };
                (1..=IDLE).for_each(|k| backend.update(weights, &nothing, adam(k)).unwrap());
            }
        }
        let what = format!("idle steps in {}", backend.device().precision);
        agree(&fused.everything(), &explicit.everything(), tolerance, &what);
    }
    check(&Cpu::<f64>::new(0).unwrap(), 1e-12);
    check(&Cpu::<f32>::new(0).unwrap(), 1e-5);
}

/// An OpenCL device that is a CPU; with `FF_REQUIRE_OPENCL=1` there must be one.
#[cfg(feature = "opencl")]
fn opencl_cpu() -> Option<ff_backend_opencl::Candidate> {
    use ff_backend_opencl::{Kind, devices};

    let found = devices().unwrap_or_default().into_iter().find(|device| device.kind == Kind::Cpu);
    if found.is_none() {
        let required = std::env::var("FF_REQUIRE_OPENCL").is_ok_and(|value| value == "1");
        assert!(!required, "FF_REQUIRE_OPENCL=1, but no OpenCL device is a CPU");
        println!("skipped: no OpenCL device is a CPU");
    }
    found
}

/// An OpenCL device that is a CPU computes what the CPU backend does, to the bit.
#[cfg(feature = "opencl")]
#[test]
fn a_cpu_gives_the_same_bits_through_opencl() {
    use ff_backend_opencl::{OpenCl, Options};

    let Some(device) = opencl_cpu() else { return };
    let cpu = Cpu::<f32>::new(2).unwrap();
    if InstructionSet::detect() == InstructionSet::Portable {
        return println!("SKIPPED: without FMA this processor rounds each term twice");
    }
    let opencl = OpenCl::new(device, Options::default()).unwrap();
    let variants: [&[&str]; 27] = [
        &["recipe=original"],
        &["recipe=baseline"],
        &["recipe=hinton"],
        &["recipe=hinton", "data.jitter=2", "training.dropout=0.2", "training.input_dropout=0.1"],
        &["recipe=hinton", "first_layer=1"],
        &["recipe=contrast", "exact_shortcuts=false"],
        &["recipe=unsupervised"],
        &["recipe=hinton", "goodness.sign=minimize"],
        &["recipe=contrast", "loss=margin", "margin=0.5"],
        &["recipe=hinton", "goodness.function=l1", "training.dropout=0.2"],
        &["recipe=pred"],
        &["recipe=pred", "label_smoothing=0.1"],
        &["recipe=sim", "training.dropout=0.2"],
        &["recipe=sim", "similarity_map=false"],
        &["recipe=predsim"],
        &["recipe=predsim", "similarity_map=true", LOCAL],
        &["recipe=backprop", "training.dropout=0.2"],
        &["recipe=backprop", "network.normalization=unit", "data.jitter=1"],
        &["recipe=baseline", LOCAL],
        &["recipe=hinton", LOCAL, "label=every-layer"],
        &["recipe=unsupervised", LOCAL, "peer_normalization=0.03"],
        &["recipe=backprop", LOCAL],
        &["recipe=baseline", "top_down=true"],
        &["recipe=hinton", "top_down=true", "data.jitter=2"],
        &["recipe=contrast", "top_down=true", LOCAL],
        &["recipe=hinton", "center_images=true", "data.jitter=1"],
        &["recipe=unsupervised", "center_images=true"],
    ];
    for sets in variants {
        let ours = Run::new(&cpu, sets).steps(20).everything();
        let theirs = Run::new(&opencl, sets).steps(20).everything();
        agree(&ours, &theirs, 0.0, &format!("{sets:?}"));
    }
}

/// A launch takes a GPU about 5 µs, whatever it does: the steps of four layers keep to these numbers.
#[cfg(feature = "opencl")]
#[test]
fn a_step_is_few_launches_on_a_gpu() {
    use ff_backend_opencl::{OpenCl, Options, Tuning, devices};

    let Some(device) = devices().ok().and_then(|found| found.into_iter().next()) else {
        return println!("skipped: no OpenCL device");
    };
    // By tiles, and by lists, for which a batch's images and what `activate` writes have to be marked.
    for (exact_shortcuts, [baseline, hinton]) in [(false, [14, 34]), (true, [16, 38])] {
        let options = Options { exact_shortcuts, tuning: Some(Tuning::GPU), ..Options::default() };
        let backend = OpenCl::new(device.clone(), options).unwrap();
        for (recipe, launches) in [("baseline", baseline), ("hinton", hinton)] {
            // Wider than a tile: sums of squares come in parts.
            let sets = [&format!("recipe={recipe}"), "layer_sizes=[200, 200, 200, 200]"];
            let mut run = Run::new(&backend, &sets).steps(2);
            let before = backend.launches();
            run.step(2, run.rule(2));
            let after = backend.launches();
            let counted = (after.0 - before.0, after.1 - before.1);
            println!("{recipe}: {} launches and {} arguments set for them a step", counted.0, counted.1);
            assert_eq!(counted.0, launches, "{recipe}, lists {exact_shortcuts}");
        }
    }
}

/// Products by lists change no bit of any recipe: never, where they are faster, or always.
#[test]
fn lists_of_active_units_change_no_bit() {
    let recipes = ["original", "baseline", "hinton", "contrast", "unsupervised", "predsim", "backprop"];
    let recipes = recipes.map(|name| format!("recipe={name}"));
    let dense = recipes.iter().map(|recipe| vec![recipe.as_str()]);
    let local = recipes.iter().map(|recipe| vec![recipe.as_str(), LOCAL]);
    let steps = recipes[2..4].iter().flat_map(|recipe| {
        [vec![recipe.as_str(), "top_down=true"], vec![recipe.as_str(), "top_down=true", LOCAL]]
    });
    for sets in dense.chain(local).chain(steps) {
        let run = |break_even: Option<f64>, threads: usize| {
            let cpu = Cpu::<f32>::new(threads).unwrap();
            let cpu = break_even.into_iter().fold(cpu, Cpu::with_break_even);
            Run::new(&cpu, &sets).steps(25).everything()
        };
        let never = run(Some(0.0), 2);
        for (how, break_even, threads) in [("where they are faster", None, 1), ("always", Some(1.0), 3)] {
            agree(&run(break_even, threads), &never, 0.0, &format!("{sets:?}, lists {how}"));
        }
    }
}

/// Local layers on the digits of 8 × 8 pixels, widths of which none is a multiple of a vector; then a dense one.
const LOCAL: &str = "layers=[{kind='local',grid=[3,3],stride=2,field=4,channels=21},\
                     {kind='local',grid=[2,2],stride=1,field=2,channels=37},{kind='dense',units=90}]";

/// Local layers of one place whose fields are the whole image and the whole layer below are dense layers, to the bit.
#[test]
fn a_field_of_everything_is_a_dense_layer() {
    const WHOLE: &str = "layers=[{kind='local',grid=[1,1],stride=1,field=8,channels=200},\
                         {kind='local',grid=[1,1],stride=1,field=1,channels=150},\
                         {kind='local',grid=[1,1],stride=3,field=1,channels=100}]";
    fn check<B: Backend>(backend: &B, sets: &[&str]) {
        let dense = Run::new(backend, sets).steps(20).everything();
        let local = Run::new(backend, &[sets, &[WHOLE]].concat()).steps(20).everything();
        agree(&local, &dense, 0.0, &format!("{sets:?} on {}", backend.device().backend));
    }
    let variants: [&[&str]; 9] = [
        &["recipe=hinton", "top_down=true"],
        &["recipe=baseline"],
        &["recipe=baseline", "label=overlay"],
        &["recipe=hinton", "label=every-layer"],
        &["recipe=contrast", "data.jitter=1", "training.dropout=0.2", "training.input_dropout=0.2"],
        &["recipe=unsupervised"],
        &["recipe=predsim"],
        &["recipe=backprop"],
        &["recipe=hinton", "exact_shortcuts=false"],
    ];
    for sets in variants {
        check(&Cpu::<f32>::new(2).unwrap(), sets);
        check(&Cpu::<f32>::new(2).unwrap().with_break_even(1.0), sets);
        #[cfg(feature = "openblas")]
        check(&ff_backend_openblas::OpenBlas::<f32>::new(), sets);
    }
}

/// All backends, held to each other by whole runs.
#[cfg(feature = "openblas")]
mod on_mnist {
    use ff_backend_openblas::OpenBlas;
    use safetensors::SafeTensors;

    use super::*;

    /// What a run of three epochs leaves: a record of each epoch, and the last checkpoint.
    struct Outcome {
        name: String,
        records: Vec<EpochRecord>,
        checkpoint: Vec<u8>,
    }

    impl Outcome {
        fn of<B: Backend>(backend: &B, splits: &Splits) -> Self {
            let sets =
                ["layer_sizes=[128, 96, 64]", "num_epochs=3", "training.seed=7", "logging.figures=false"];
            let config = sets.into_iter().fold(ConfigBuilder::new(), ConfigBuilder::set).build().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let directory = RunDirectory::claim(&folder.path().join("run")).unwrap();
            training::run(backend, &config, splits, &directory, training::Options::default()).unwrap();
            Outcome {
                name: backend.device().backend,
                records: RunDirectory::read_metrics(directory.path()).unwrap(),
                checkpoint: std::fs::read(directory.last_checkpoint()).unwrap(),
            }
        }

        /// The losses of each epoch, those of layers included, and its accuracy.
        fn figures(&self) -> Vec<(Vec<f64>, f64)> {
            let figures = |record: &EpochRecord| {
                let layers = record.layers.iter().flat_map(|layer| [layer.train_loss, layer.val_loss]);
                let losses = [record.train_loss, record.val_loss].into_iter().chain(layers).collect();
                (losses, record.accuracy)
            };
            self.records.iter().map(figures).collect()
        }

        /// Losses within 1e-5, accuracies within 0.1 points.
        fn agrees_with(&self, other: &Outcome) {
            let names = format!("{} and {}", self.name, other.name);
            let (ours, theirs) = (self.figures(), other.figures());
            assert_eq!((ours.len(), theirs.len()), (3, 3), "{names}");
            for (epoch, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                for (a, b) in ours.0.iter().zip(&theirs.0) {
                    assert!((a - b).abs() <= 1e-5 * a.abs(), "{names}, epoch {}: {a} and {b}", epoch + 1);
                }
                let (a, b) = (ours.1, theirs.1);
                assert!((a - b).abs() <= 0.001, "{names}, epoch {}: {a} and {b}", epoch + 1);
            }
        }

        /// All tensors, to the bit; the config in the file's header names the backend.
        fn has_the_bits_of(&self, other: &Outcome) -> bool {
            let [ours, theirs] =
                [self, other].map(|outcome| SafeTensors::deserialize(&outcome.checkpoint).unwrap());
            let names = ours.names();
            names.len() == theirs.names().len()
                && names
                    .iter()
                    .all(|name| ours.tensor(name).unwrap().data() == theirs.tensor(name).unwrap().data())
        }
    }

    /// The first `train` and `test` images of MNIST, if they are there.
    fn mnist(train: usize, test: usize) -> Option<Splits> {
        let folder = std::env::var("FF_DATA_DIR").ok().filter(|folder| !folder.is_empty())?;
        let mut dataset = Dataset::load(&"mnist".parse().unwrap(), &folder, false).unwrap();
        let pixels = dataset.features();
        for (split, rows) in [(&mut dataset.train, train), (&mut dataset.test, test)] {
            split.labels.truncate(rows);
            split.pixels.truncate(rows * pixels);
        }
        Some(Splits::new(dataset, 0, 7).unwrap())
    }

    fn all_agree(train: usize, test: usize) {
        let Some(splits) = mnist(train, test) else {
            return println!("skipped: FF_DATA_DIR is not set, and whole runs need MNIST");
        };
        let cpu = Outcome::of(&Cpu::<f32>::new(2).unwrap(), &splits);
        let openblas = Outcome::of(&OpenBlas::<f32>::new(), &splits);
        openblas.agrees_with(&cpu);
        assert!(!openblas.has_the_bits_of(&cpu), "one of the two did the other's work");
        let again = Outcome::of(&OpenBlas::<f32>::new(), &splits);
        assert!(openblas.has_the_bits_of(&again), "the same seed gave other bits");
        #[cfg(feature = "opencl")]
        if let Some(device) = opencl_cpu() {
            use ff_backend_opencl::{OpenCl, Options};
            let opencl = Outcome::of(&OpenCl::new(device, Options::default()).unwrap(), &splits);
            opencl.agrees_with(&openblas);
            opencl.agrees_with(&cpu);
            let fused = InstructionSet::detect() != InstructionSet::Portable;
            assert!(!fused || opencl.has_the_bits_of(&cpu), "cpu and opencl differ");
        }
    }

    #[test]
    fn all_backends_agree_on_a_twentieth_of_mnist() {
        all_agree(3000, 1000);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn all_backends_agree_on_mnist() {
        all_agree(60_000, 10_000);
    }
}
