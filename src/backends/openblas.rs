//! The reference backend. It has no shortcuts, and one thread.

use ff_backend::{Backend, Result};
use ff_backend_openblas::OpenBlas;

use super::settings::{Built, Listing, Remark, Settings, on_host};

pub(super) const BUILT: Built = on_host(devices);

fn devices() -> Listing {
    Listing { devices: vec![OpenBlas::<f32>::new().device()], failures: Vec::new() }
}

pub(super) fn make(_: &Settings, _: impl Fn(Remark)) -> Result<OpenBlas> {
    Ok(OpenBlas::new())
}
