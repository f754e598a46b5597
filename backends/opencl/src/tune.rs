//! Finds the numbers that suit a device best, and remembers them.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ff_backend::conformance::{self, Effort};
use ff_backend::{Backend, BackendError, Delta, Input, Normalization, Parameter, Result, Rule, Weights};

use crate::{Candidate, KernelPath, Matrix, OpenCl, Options, Tile, Tuning};

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

/// Measures ways to cut the kernels to a device: the fastest first, only such as pass the quick conformance suite.
pub fn tune(candidate: &Candidate) -> Result<Vec<TuneResult>> {
    let mut results = Vec::new();
    for tuning in ways(candidate) {
        if tuning.check(candidate).is_err() {
            continue;
        }
        let options = Options { tuning: Some(tuning), ..Options::default() };
        let backend = match OpenCl::new(candidate.clone(), options) {
            Ok(backend) => backend,
            // A compiler may refuse one way and take the next.
            Err(BackendError::Build { .. }) => continue,
            Err(error) => return Err(error),
        };
        if conformance::run(&backend, Effort::Quick).passed() {
            results.push(TuneResult { tuning, milliseconds: time(&backend)? });
        }
    }
    results.sort_by(|a, b| a.milliseconds.total_cmp(&b.milliseconds));
    Ok(results)
}

/// The ways to try, the device's own first.
fn ways(candidate: &Candidate) -> Vec<Tuning> {
    let start = Tuning::default_for(candidate);
    let tile = |rows, columns, depth| Tile { rows, columns, depth };
    let (projects, learns) = match start.path {
        KernelPath::Portable => {
            (vec![tile(64, 128, 256), tile(128, 256, 128)], vec![tile(64, 128, 256), tile(128, 128, 256)])
        }
        _ => (
            vec![tile(64, 64, 32), tile(128, 64, 32), tile(128, 128, 16)],
            vec![tile(128, 128, 16), tile(64, 128, 32), tile(64, 64, 32)],
        ),
    };
    // With 128 registers, two work-groups of the tiled products share a multiprocessor.
    let limits: &[usize] = if candidate.is_nvidia() { &[0, 128] } else { &[0] };
    let mut ways = Vec::new();
    for &project in &projects {
        for &learn in &learns {
            ways.extend(limits.iter().map(|&registers| Tuning { project, learn, registers, ..start }));
        }
    }
    ways
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
    let _ = writeln!(text, "path {:?}", tuning.path);
    let _ = writeln!(text, "project {}", tile(tuning.project));
    let _ = writeln!(text, "learn {}", tile(tuning.learn));
    let _ = writeln!(text, "registers {}", tuning.registers);
    std::fs::create_dir_all(directory)?;
    std::fs::write(file(directory, candidate), text)
}

/// The tuning that [`remember`] wrote for this device and driver, if it still fits them.
pub fn recall(directory: &Path, candidate: &Candidate) -> Option<Tuning> {
    let text = std::fs::read_to_string(file(directory, candidate)).ok()?;
    let numbers = text.strip_prefix(&head(candidate))?;
    let entry = |name: &str| numbers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let tile = |name| {
        let numbers: Vec<usize> = entry(name)?.split(' ').map_while(|n| n.parse().ok()).collect();
        match numbers[..] {
            [rows, columns, depth] => Some(Tile { rows, columns, depth }),
            _ => None,
        }
    };
    let paths = [KernelPath::Portable, KernelPath::Tiled];
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

fn file(directory: &Path, candidate: &Candidate) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    directory.join(format!("opencl-{}.txt", candidate.name.chars().map(plain).collect::<String>()))
}
