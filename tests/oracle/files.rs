//! safetensors files of reference numbers.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use ff_backend::{Backend, Real, Tensor};
use safetensors::{Dtype, SafeTensors};

/// Tensors by name, and what the file says of itself.
pub struct File {
    pub path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
    pub metadata: HashMap<String, String>,
}

/// All files that have a tensor of this name.
pub fn having(mark: &str) -> Vec<File> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let mut files: Vec<File> = in_folder(&here).into_iter().filter(|file| file.has(mark)).collect();
    assert!(!files.is_empty(), "no file of this kind in {}", here.display());
    match std::env::var_os("FF_ORACLE_DIR") {
        Some(folder) => {
            let others = in_folder(Path::new(&folder));
            assert!(!others.is_empty(), "no safetensors files in FF_ORACLE_DIR={}", folder.display());
            files.extend(others.into_iter().filter(|file| file.has(mark)));
        }
        None => notice("skipped: files beyond tests/oracle, FF_ORACLE_DIR is not set"),
    }
    files
}

/// Says something even where the output of passing tests is hidden.
fn notice(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn in_folder(folder: &Path) -> Vec<File> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    paths.sort();
    let files: Vec<File> = paths.into_iter().map(File::read).collect();
    for file in &files {
        if !file.has(crate::original::MARK) && !file.has(crate::official::MARK) {
            notice(&format!("skipped: {} is of neither kind", file.path.display()));
        }
    }
    files
}

impl File {
    fn read(path: PathBuf) -> File {
        let bytes = std::fs::read(&path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let content = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = content.iter().map(|(name, view)| {
            let values: Vec<f64> = match view.dtype() {
                Dtype::F32 => {
                    view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect()
                }
                Dtype::I64 => {
                    view.data().as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect()
                }
                other => panic!("{}: {name} is {other:?}", path.display()),
            };
            (name.to_owned(), (view.shape().to_vec(), values))
        });
        let tensors = tensors.collect();
        File { path, tensors, metadata: header.metadata().clone().unwrap_or_default() }
    }

    /// Whether it is part of this repository.
    pub fn is_committed(&self) -> bool {
        self.path.starts_with(env!("CARGO_MANIFEST_DIR"))
    }

    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn tensor(&self, name: &str) -> &(Vec<usize>, Vec<f64>) {
        self.tensors.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.path.display()))
    }

    pub fn shape(&self, name: &str) -> &[usize] {
        &self.tensor(name).0
    }

    pub fn values(&self, name: &str) -> &[f64] {
        &self.tensor(name).1
    }

    pub fn indices(&self, name: &str) -> Vec<u32> {
        self.values(name).iter().map(|&x| x as u32).collect()
    }

    /// Widths of the layers whose biases are `{prefix}layers.{l}.bias`.
    pub fn widths(&self, prefix: &str) -> Vec<usize> {
        let names = (0..).map(|l| format!("{prefix}layers.{l}.bias"));
        names.take_while(|name| self.has(name)).map(|name| self.values(&name).len()).collect()
    }

    /// Sends a tensor down.
    pub fn load<B: Backend>(&self, backend: &B, name: &str, target: &mut impl Tensor<B>) {
        send(backend, target, self.values(name));
    }
}

/// Sends values down in the backend's precision.
pub fn send<B: Backend>(backend: &B, target: &mut impl Tensor<B>, values: &[f64]) {
    let values: Vec<B::Real> = values.iter().map(|&x| B::Real::from_f64(x)).collect();
    backend.upload(target, &values).unwrap();
}

/// Brings values up.
pub fn fetch<B: Backend>(backend: &B, source: &impl Tensor<B>) -> Vec<f64> {
    backend.download(source).unwrap().into_iter().map(Real::to_f64).collect()
}
