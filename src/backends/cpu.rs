//! The fast CPU backend.

use ff_backend::{Backend, Result};
use ff_backend_cpu::Cpu;

use super::settings::{Built, Listing, Remark, Settings, on_host};

pub(super) const BUILT: Built = on_host(devices);

fn devices() -> Listing {
    match Cpu::<f32>::new(0) {
        Ok(cpu) => Listing { devices: vec![cpu.device()], failures: Vec::new() },
        Err(error) => Listing { devices: Vec::new(), failures: vec![format!("cpu: {error}")] },
    }
}

pub(super) fn make(settings: &Settings, _: impl Fn(Remark)) -> Result<Cpu> {
    Ok(Cpu::new(settings.threads)?.with_exact_shortcuts(settings.exact_shortcuts))
}
