//! Finds the numbers that suit a device best, and remembers them.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ff_backend::{Backend, BackendError, Delta, Input, Normalization, Parameter, Result, Rule, Weights};

use crate::tensor_cores::available;
use crate::trial::agree;
use crate::{Candidate, KernelPath, Matrix, OpenCl, Options, Precision, Tile, Tuning};

/// A way to cut the kernels, and how it did.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneResult {
    /// The way.
    pub tuning: Tuning,
    /// Milliseconds of one layer's forward pass and learning step.
    pub milliseconds: f64,
}

/// Rows and width of the layer that is timed: a batch of 128 pairs on a layer of the baseline.
const ROWS: usize = 256;
const WIDTH: usize = 2000;
/// Best of this many rounds of this many steps.
const ROUNDS: usize = 3;
const STEPS: usize = 5;

/// Measures ways to cut the products to a device; the fastest first. Only ways whose products agree with those of the
/// device's own tuning in single precision count.
///
/// Tiles of `project` are tried first, with the best those of `learn`, with the best of both the limits of registers.
///
/// # Errors
/// [`BackendError::Unsupported`] for tf32 on a device without tensor cores, and the errors of [`OpenCl::new`].
pub fn tune(candidate: &Candidate, precision: Precision) -> Result<Vec<TuneResult>> {
    // Lists leave no product to tiles.
    let by_tiles = Options { exact_shortcuts: false, ..Options::default() };
    let plain = OpenCl::new(candidate.clone(), by_tiles)?;
    let expected = plain.trial()?;
    let mut start = *plain.tuning();
    drop(plain);
    if precision == Precision::Tf32 {
        available(candidate).map_err(BackendError::Unsupported)?;
        start = Tuning { path: KernelPath::TensorCores, ..Tuning::GPU };
    }
    let (projects, learns) = tiles(start.path);
    let limits: &[usize] = if candidate.is_nvidia() { &[0, 128, 96] } else { &[0] };
    let mut results = Vec::<TuneResult>::new();
    for part in [Part::Project(projects), Part::Learn(learns), Part::Registers(limits.to_vec())] {
        let best = results.first().map_or(start, |result| result.tuning);
        for tuning in part.ways(best) {
            if tuning.check(candidate).is_err() || results.iter().any(|result| result.tuning == tuning) {
                continue;
            }
            let options = Options { tuning: Some(tuning), ..by_tiles };
            let backend = match OpenCl::new(candidate.clone(), options) {
                Ok(backend) => backend,
                // A compiler may refuse one way and take the next.
                Err(BackendError::Build { .. } | BackendError::Unsupported(_)) => continue,
                Err(error) => return Err(error),
            };
            if agree(&backend.trial()?, &expected, precision).is_ok() {
                results.push(TuneResult { tuning, milliseconds: time(&backend)? });
            }
        }
        results.sort_by(|a, b| a.milliseconds.total_cmp(&b.milliseconds));
    }
    Ok(results)
}

/// What is tried together, while all else stays.
enum Part {
    Project(Vec<Tile>),
    Learn(Vec<Tile>),
    Registers(Vec<usize>),
}

impl Part {
    fn ways(&self, best: Tuning) -> Vec<Tuning> {
        match self {
            Part::Project(tiles) => tiles.iter().map(|&project| Tuning { project, ..best }).collect(),
            Part::Learn(tiles) => tiles.iter().map(|&learn| Tuning { learn, ..best }).collect(),
            // With 128 registers two work-groups of the tiled products share a multiprocessor.
            Part::Registers(most) => most.iter().map(|&registers| Tuning { registers, ..best }).collect(),
        }
    }
}

/// Tiles of `project` and of `learn` to try. Those that do not fit a device are left out there.
fn tiles(path: KernelPath) -> (Vec<Tile>, Vec<Tile>) {
    let tile = |rows, columns, depth| Tile { rows, columns, depth };
    match path {
        KernelPath::Portable => {
            (vec![tile(64, 128, 256), tile(128, 256, 128)], vec![tile(64, 128, 256), tile(128, 128, 256)])
        }
        _ => {
            let shapes = [(64, 64, 32), (64, 64, 16), (128, 64, 16), (64, 128, 16), (128, 128, 16)];
            let deep = [(128, 64, 32), (64, 128, 32), (128, 128, 32)];
            let all: Vec<Tile> = shapes.iter().chain(&deep).map(|&(r, c, d)| tile(r, c, d)).collect();
            (all.clone(), all)
        }
    }
}

/// Milliseconds of one layer's step.
fn time(backend: &OpenCl) -> Result<f64> {
    let filled = |rows: usize, columns: usize| -> Result<Matrix> {
        let mut matrix = backend.zeros(rows, columns)?;
        let values: Vec<f32> = (0..rows * columns).map(|i| (i % 251) as f32 / 251.0 - 0.5).collect();
        backend.upload(&mut matrix, &values)?;
        Ok(matrix)
    };
    let parameter = |rows, columns| -> Result<Parameter<Matrix>> {
        let second = Some(backend.zeros(rows, columns)?);
        Ok(Parameter { value: filled(rows, columns)?, first: backend.zeros(rows, columns)?, second })
    };
    let (features, coefficients) = (filled(ROWS, WIDTH)?, filled(1, ROWS)?);
    let mut input_squares = backend.zeros(1, ROWS)?;
    backend.upload(&mut input_squares, &[100.0; ROWS])?;
    let (mut out, mut squares) = (backend.zeros(ROWS, WIDTH)?, backend.zeros(1, ROWS)?);
    let mut layer = Weights { weight: parameter(WIDTH, WIDTH)?, bias: Some(parameter(1, WIDTH)?) };
    let normalization = Normalization::Unit;
    let input = Input { features: &features, squares: &input_squares, normalization, label: None };
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        backend.synchronize()?;
        let start = Instant::now();
        for step in 1..=STEPS as u64 {
            backend.project(&input, &layer, &mut out, &mut squares)?;
            let delta = Delta { coefficients: &coefficients, outputs: &out, peer: None };
            backend.learn(&input, &delta, &mut layer, Rule::Adam { rate: 1e-3, step, idle: 0 })?;
        }
        backend.synchronize()?;
        best = best.min(start.elapsed().as_secs_f64() / STEPS as f64);
    }
    Ok(1e3 * best)
}

/// Writes a device's tuning into `directory`, for [`recall`].
pub fn remember(directory: &Path, candidate: &Candidate, tuning: &Tuning) -> io::Result<()> {
    let tile = |tile: Tile| format!("{} {} {}", tile.rows, tile.columns, tile.depth);
    let mut text = head(candidate);
    let precision = precision_of(tuning.path);
    let _ = writeln!(text, "path {:?}", tuning.path);
    let _ = writeln!(text, "project {}", tile(tuning.project));
    let _ = writeln!(text, "learn {}", tile(tuning.learn));
    let _ = writeln!(text, "registers {}", tuning.registers);
    std::fs::create_dir_all(directory)?;
    std::fs::write(file(directory, candidate, precision), text)
}

/// The tuning for products of this precision that [`remember`] wrote for this device and driver, if it still fits them.
pub fn recall(directory: &Path, candidate: &Candidate, precision: Precision) -> Option<Tuning> {
    let text = std::fs::read_to_string(file(directory, candidate, precision)).ok()?;
    let numbers = text.strip_prefix(&head(candidate))?;
    let entry = |name: &str| numbers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let tile = |name| {
        let numbers: Vec<usize> = entry(name)?.split(' ').map_while(|n| n.parse().ok()).collect();
        match numbers[..] {
            [rows, columns, depth] => Some(Tile { rows, columns, depth }),
            _ => None,
        }
    };
    let paths = [KernelPath::Portable, KernelPath::Tiled, KernelPath::TensorCores];
    let paths = paths.into_iter().filter(|path| precision_of(*path) == precision);
    let path = paths.into_iter().find(|path| Some(format!("{path:?}").as_str()) == entry("path"))?;
    let (project, learn) = (tile("project")?, tile("learn")?);
    let registers = entry("registers")?.parse().ok()?;
    let tuning = Tuning { project, learn, registers, ..Tuning::of_path(path) };
    tuning.check(candidate).ok().map(|()| tuning)
}

/// What a remembered tuning holds for.
fn head(candidate: &Candidate) -> String {
    format!("device {}\ndriver {}\n", candidate.name, candidate.driver)
}

fn precision_of(path: KernelPath) -> Precision {
    if path.is_tf32() { Precision::Tf32 } else { Precision::Fp32 }
}

fn file(directory: &Path, candidate: &Candidate, precision: Precision) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name = candidate.name.chars().map(plain).collect::<String>();
    let suffix = if precision == Precision::Tf32 { "-tf32" } else { "" };
    directory.join(format!("opencl-{name}{suffix}.txt"))
}
