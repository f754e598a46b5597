//! Products on NVIDIA's tensor cores: only where there are some, and only if they agree with plain ones.

use crate::program::Products;
use crate::trial::agree;
use crate::{Candidate, KernelPath, OpenCl, Precision, Tuning};

/// First compute capability with tf32.
const FIRST_CAPABILITY: (u32, u32) = (8, 0);

impl OpenCl {
    /// Takes tensor cores for the products if they can be had, cut as `wanted`; else leaves a note why not.
    pub(crate) fn adopt_tensor_cores(&mut self, wanted: Option<Tuning>) {
        if let Err(reason) = self.try_tensor_cores(wanted) {
            self.notes.push(format!("tf32 cannot be had: {reason}; products are fp32"));
        }
    }

    fn try_tensor_cores(&mut self, wanted: Option<Tuning>) -> Result<(), String> {
        available(&self.candidate)?;
        if self.tuning.path != KernelPath::Tiled {
            return Err(format!("{} runs the portable kernels", self.candidate));
        }
        // What is not a product stays as it is compiled.
        let products_of = |Tuning { project, learn, registers, .. }| Tuning {
            path: KernelPath::TensorCores,
            project,
            learn,
            registers,
            ..self.tuning
        };
        let fits = |tuning: &Tuning| tuning.check(&self.candidate).is_ok();
        let tunings = wanted.into_iter().chain([self.tuning]).map(products_of);
        let tuning = tunings.into_iter().find(fits).unwrap_or(products_of(Tuning::GPU));
        tuning.check(&self.candidate).map_err(|error| error.to_string())?;
        let products =
            Products::new(&self.context, &self.candidate, &tuning).map_err(|error| error.to_string())?;
        // Lists would leave nothing to try.
        let lists = self.lists.take();
        let agrees = self.swap_products(products, tuning);
        self.lists = lists;
        agrees
    }

    /// Takes these products if they agree with the ones there are.
    fn swap_products(&mut self, products: Products, tuning: Tuning) -> Result<(), String> {
        let expected = self.trial().map_err(|error| error.to_string())?;
        let plain = (std::mem::replace(&mut self.products, products), self.tuning);
        self.tuning = tuning;
        let agrees = match self.trial() {
            Ok(values) => agree(&values, &expected, Precision::Tf32),
            Err(error) => Err(error.to_string()),
        };
        if agrees.is_err() {
            (self.products, self.tuning) = plain;
        }
        agrees
    }
}

/// Whether a device has tensor cores for tf32; if not, why.
pub(crate) fn available(candidate: &Candidate) -> Result<(), String> {
    match candidate.compute_capability {
        Some(capability) if capability >= FIRST_CAPABILITY => Ok(()),
        Some((major, minor)) => {
            Err(format!("{candidate} has compute capability {major}.{minor}, 8.0 is needed"))
        }
        None => Err(format!("{candidate} is not NVIDIA's")),
    }
}
