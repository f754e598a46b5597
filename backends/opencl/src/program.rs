//! From kernel sources to kernels.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use ff_backend::{BackendError, Result};

use crate::codes::name_of;
use crate::driver::{Context, Kernel, Program};
use crate::{Candidate, KernelPath, Tuning};

const COMMON: &str = include_str!("../kernels/common.cl");
const OPTIMIZER: &str = include_str!("../kernels/optimizer.cl");
const DELTA: &str = include_str!("../kernels/delta.cl");
const SMALL: [&str; 8] = [
    COMMON,
    include_str!("../kernels/inputs.cl"),
    include_str!("../kernels/layer.cl"),
    include_str!("../kernels/recurrence.cl"),
    include_str!("../kernels/objective.cl"),
    include_str!("../kernels/head.cl"),
    OPTIMIZER,
    include_str!("../kernels/update.cl"),
];
/// What every program is compiled with.
const STANDARD: &str = "-cl-std=CL1.2";
const PORTABLE: [&str; 1] = [include_str!("../kernels/portable.cl")];
const TEAM: &str = include_str!("../kernels/team.cl");
const MMA: &str = include_str!("../kernels/mma.cl");
const TILES: &str = include_str!("../kernels/tiles.cl");
const LISTS: [&str; 3] = [
    include_str!("../kernels/marks.cl"),
    include_str!("../kernels/project_lists.cl"),
    include_str!("../kernels/learn_lists.cl"),
];
const TILED: [&str; 3] = [TEAM, include_str!("../kernels/fma.cl"), TILES];
const TENSOR_CORES: [&str; 4] = [TEAM, include_str!("../kernels/mma_ptx.cl"), MMA, TILES];
const EMULATED: [&str; 4] = [TEAM, include_str!("../kernels/mma_emulated.cl"), MMA, TILES];

macro_rules! kernels {
    ($(#[$about:meta])* $set:ident: $($name:ident)*) => {
        $(#[$about])*
        pub(crate) struct $set {
            $(pub(crate) $name: Kernel,)*
        }

        impl $set {
            fn of(program: &Program) -> Result<Self> {
                Ok($set { $($name: program.kernel(stringify!($name))?,)* })
            }

            /// Most work-items of a work-group that all of these kernels, as compiled, can have.
            pub(crate) fn largest_group(&self, candidate: &Candidate) -> usize {
                let each = [$(self.$name.largest_group(candidate.id)),*];
                each.into_iter().flatten().min().unwrap_or(candidate.largest_group)
            }
        }
    };
}

kernels!(
    /// Everything that is not a product.
    Small: gather center hybrid activate drive damp see unsee row_squares add_parts dropout measure coefficients running_mean
    pull_row prepare update read_out transpose way_back centre excess mix_slopes softmax draw_labels accumulate argmax
);
kernels!(
    /// The products and what is fused to them. Every path has the same two kernels with the same parameters.
    Products: project learn
);
kernels!(
    /// The same two by lists of what is not 0, and what notes it.
    Lists: mark project_by_lists learn_by_lists
);

/// A program as it is handed to a device's compiler.
#[derive(Clone, Debug)]
pub struct Source {
    /// `small`, or the path of the products.
    pub name: &'static str,
    /// OpenCL C.
    pub text: String,
    /// Options of the compiler.
    pub options: String,
}

impl Source {
    /// The programs of a tuning: what is not a product, the products, and on a GPU those by lists.
    pub fn of(tuning: &Tuning) -> Vec<Source> {
        let lists = (tuning.path != KernelPath::Portable).then(|| Source::lists(tuning));
        [Source::small(tuning), Source::products(tuning, "")].into_iter().chain(lists).collect()
    }

    fn lists(tuning: &Tuning) -> Source {
        let text = [&[COMMON, OPTIMIZER, DELTA, TEAM][..], &LISTS].concat().concat();
        Source { name: "lists", text, options: format!("{STANDARD}{}", tuning.product_options()) }
    }

    fn small(tuning: &Tuning) -> Source {
        Source {
            name: "small",
            text: SMALL.concat(),
            options: format!("{STANDARD}{}", tuning.small_options()),
        }
    }

    fn products(tuning: &Tuning, limits: &str) -> Source {
        let (name, sources): (_, &[&str]) = match tuning.path {
            KernelPath::Portable => ("portable", &PORTABLE),
            KernelPath::Tiled => ("tiled", &TILED),
            KernelPath::TensorCores => ("tensor-cores", &TENSOR_CORES),
            KernelPath::EmulatedTensorCores => ("emulated-tensor-cores", &EMULATED),
        };
        let text = [&[COMMON, OPTIMIZER, DELTA], sources].concat().concat();
        Source { name, text, options: format!("{STANDARD}{}{limits}", tuning.product_options()) }
    }
}

impl Small {
    pub(crate) fn new(context: &Context, candidate: &Candidate, tuning: &Tuning) -> Result<Self> {
        Small::of(&build(context, candidate, &Source::small(tuning))?)
    }
}

impl Products {
    pub(crate) fn new(context: &Context, candidate: &Candidate, tuning: &Tuning) -> Result<Self> {
        let source = Source::products(tuning, &Tuning::register_limit(candidate, tuning.registers));
        Products::of(&build(context, candidate, &source)?)
    }
}

impl Lists {
    /// None where the device, once they are compiled, cannot run them in work-groups as large as they need.
    pub(crate) fn new(context: &Context, candidate: &Candidate, tuning: &Tuning) -> Result<Option<Self>> {
        // Three work-groups share a multiprocessor then; a few registers are spilled outside of the loops.
        let mut source = Source::lists(tuning);
        source.options += &Tuning::register_limit(candidate, 80);
        let lists = Lists::of(&build(context, candidate, &source)?)?;
        Ok((lists.largest_group(candidate) >= tuning.product_items()[0]).then_some(lists))
    }
}

/// Compiles a program. With `FF_OPENCL_LOGS=DIR` in the environment, DIR gets its source, its options with the
/// compiler's words, and what came out (`.bin`: PTX on NVIDIA).
fn build(context: &Context, candidate: &Candidate, source: &Source) -> Result<Program> {
    let Source { text, options, .. } = source;
    let program = context.program(text)?;
    let built = program.build(candidate.id, options);
    let log = || {
        format!(
            "{candidate}\ndriver {}, {}\noptions {options}\n{}\n\n{}\n",
            candidate.driver,
            candidate.version,
            built.err().map_or_else(|| "built".to_owned(), |code| format!("error {}", name_of(code))),
            program.log(candidate.id)
        )
    };
    if let Some(folder) = std::env::var_os("FF_OPENCL_LOGS").map(PathBuf::from) {
        // What cannot be written is missed by who set the variable, not by the work.
        let name = format!("program-{}", next_number());
        let _ = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(format!("{name}.log")), log()))
            .and_then(|()| std::fs::write(folder.join(format!("{name}.cl")), text))
            .and_then(|()| std::fs::write(folder.join(format!("{name}.bin")), program.binary()));
    }
    match built {
        Ok(()) => Ok(program),
        Err(_) => Err(BackendError::Build { device: candidate.name.clone(), log: keep(&log()) }),
    }
}

/// Numbers the programs of this process.
fn next_number() -> usize {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Writes a log where the user can read it; its path, or the log itself if that fails.
fn keep(log: &str) -> String {
    let (process, number) = (std::process::id(), next_number());
    let path = std::env::temp_dir().join(format!("ff-opencl-build-{process}-{number}.log"));
    match std::fs::write(&path, log) {
        Ok(()) => path.display().to_string(),
        Err(_) => log.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::devices;

    #[test]
    fn a_kernel_that_does_not_compile_leaves_the_compilers_log() {
        let Some(candidate) = devices().ok().and_then(|found| found.into_iter().next()) else {
            println!("skipped: no OpenCL platform");
            return;
        };
        let context = Context::new(candidate.id).unwrap();
        let source = Source { name: "broken", text: "kernel void broken(".into(), options: STANDARD.into() };
        let Err(BackendError::Build { log, .. }) = build(&context, &candidate, &source) else {
            panic!("half a kernel was built");
        };
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.contains(&candidate.name) && text.contains("error"), "{text}");
        std::fs::remove_file(log).unwrap();
    }
}
