//! A matrix that an operation changes is marked anew: a product by lists reads it as it is, not as it was.
#![allow(clippy::panic, clippy::unwrap_used)]

use ff_backend::{Backend, Goodness, IndexSlice, Input, Normalization, Parameter, Result, Weights};
use ff_backend_opencl::{KernelPath, Matrix, OpenCl, Options, devices};

/// Rows, half of them negative, of an image of 8×8 pixels each.
const ROWS: usize = 8;
const FEATURES: usize = 64;
const UNITS: usize = 33;

/// Every second value is 0: even features are, or odd ones.
fn striped(backend: &OpenCl, rows: usize, columns: usize, parity: usize) -> Matrix {
    let value =
        |at: usize| if at % columns % 2 == parity { 0.0 } else { 0.5 + (at * 7919 % 101) as f32 / 100.0 };
    let mut matrix = backend.zeros(rows, columns).unwrap();
    backend.upload(&mut matrix, &(0..rows * columns).map(value).collect::<Vec<_>>()).unwrap();
    matrix
}

/// What the operations read beside the matrix that they change.
struct Around {
    other: Matrix,
    above: Matrix,
    squares: Matrix,
    square: Weights<OpenCl>,
}

impl Around {
    fn new(backend: &OpenCl) -> Self {
        let mut value = backend.weight(FEATURES, FEATURES).unwrap();
        let shifted = |at: usize| f32::from(u8::from((at / FEATURES + 1) % FEATURES == at % FEATURES));
        backend.upload(&mut value, &(0..FEATURES * FEATURES).map(shifted).collect::<Vec<_>>()).unwrap();
        let first = backend.weight(FEATURES, FEATURES).unwrap();
        Self {
            other: striped(backend, ROWS, FEATURES, 0),
            above: striped(backend, ROWS, FEATURES, 1),
            squares: backend.zeros(1, ROWS).unwrap(),
            square: Weights { weight: Parameter { value, first, second: None }, bias: None },
        }
    }

    fn input<'a>(&'a self, features: &'a Matrix) -> Input<'a, OpenCl> {
        Input { features, squares: &self.squares, normalization: Normalization::None, label: None }
    }
}

type Change = fn(&OpenCl, &Around, &mut Matrix) -> Result<()>;

/// Operations after which features are on that were off: of x the odd ones are 0 before. Dropout only takes some away, which
/// old marks would not show.
const CHANGES: [(&str, Change); 11] = [
    ("upload", |backend, _, x| backend.upload(x, &[0.25; ROWS * FEATURES])),
    ("copy", |backend, around, x| backend.copy(&around.other, x)),
    ("gather", |backend, _, x| {
        let images = backend.images(&vec![200; FEATURES].into(), 8, 8)?;
        let rows = backend.indices(ROWS)?;
        let rows = IndexSlice { indices: &rows, offset: 0 };
        backend.gather(&images, rows, None, 0, x, &mut backend.zeros(1, ROWS)?)
    }),
    ("center", |backend, _, x| backend.center(x, &mut backend.zeros(1, ROWS)?)),
    ("hybrid", |backend, around, x| {
        let first: Vec<f32> = backend.download(&around.other)?;
        let mut pairs = backend.download(x)?;
        pairs[..ROWS / 2 * FEATURES].copy_from_slice(&first[..ROWS / 2 * FEATURES]);
        backend.upload(x, &pairs)?;
        product(backend, x)?;
        let masks = backend.images(&vec![100; FEATURES].into(), 8, 8)?;
        let which = backend.indices(ROWS / 2)?;
        let which = IndexSlice { indices: &which, offset: 0 };
        backend.hybrid(x, &masks, which, &mut backend.zeros(1, ROWS)?)
    }),
    ("product", |backend, around, x| backend.product(&around.above, &around.square.weight.value, 0, x)),
    ("activate", |backend, around, x| {
        let input = around.input(&around.other);
        backend.activate(&around.other, &input, &around.square, x, &mut backend.zeros(1, ROWS)?)
    }),
    ("project", |backend, around, x| {
        backend.project(&around.input(&around.above), &around.square, x, &mut backend.zeros(1, ROWS)?)
    }),
    ("drive", |backend, around, x| {
        let (input, above) = (around.input(&around.other), around.input(&around.above));
        backend.drive(&around.other, &input, &above, &around.square, x, &mut backend.zeros(1, ROWS)?)
    }),
    ("damp", |backend, around, x| {
        let mut computed = striped(backend, ROWS, FEATURES, 0);
        backend.damp(&around.above, 0.3, &mut computed, x, &mut backend.zeros(1, ROWS)?)
    }),
    ("measure", |backend, around, x| {
        backend.measure(&around.other, Goodness::L1, x, &mut backend.zeros(1, ROWS)?)
    }),
];

/// The matrix times weights that tell its features apart.
fn product(backend: &OpenCl, x: &Matrix) -> Result<Vec<f32>> {
    let mut weight = backend.weight(FEATURES, UNITS)?;
    let values: Vec<f32> =
        (0..FEATURES * UNITS).map(|at| (at * 104_729 % 1009) as f32 / 500.0 - 1.0).collect();
    backend.upload(&mut weight, &values)?;
    let mut out = backend.zeros(ROWS, UNITS)?;
    backend.product(x, &weight, 0, &mut out)?;
    backend.download(&out)
}

#[test]
fn a_changed_matrix_is_marked_anew() {
    let Some(candidate) = devices().ok().and_then(|found| found.into_iter().next()) else {
        println!("skipped: no OpenCL platform");
        return;
    };
    let options = Options { path: Some(KernelPath::Tiled), ..Options::default() };
    let backend = OpenCl::new(candidate, options).unwrap();
    let around = Around::new(&backend);
    for (name, change) in CHANGES {
        let mut x = striped(&backend, ROWS, FEATURES, 1);
        let before = product(&backend, &x).unwrap();
        change(&backend, &around, &mut x).unwrap_or_else(|error| panic!("{name}: {error}"));
        let values = backend.download(&x).unwrap();
        let mut fresh = backend.zeros(ROWS, FEATURES).unwrap();
        backend.upload(&mut fresh, &values).unwrap();
        let expected = product(&backend, &fresh).unwrap();
        assert!(expected != before, "{name} changed nothing");
        assert!(product(&backend, &x).unwrap() == expected, "{name}: the product is that of what was");
    }
}
