//! The mean of a network's weights over epochs (stochastic weight averaging, arXiv 1803.05407).

use std::sync::Arc;

use ff_backend::{Backend, Result};

use super::{Lent, Named, Network, Stored};

/// A tensor in the host's memory, row-major.
#[derive(Clone)]
struct OnHost(Arc<[f32]>);

/// The values of a network in the order of [`Network::values`].
type Values = Vec<OnHost>;

/// The mean of a network's values over epochs.
pub struct Average {
    mean: Values,
    /// What training goes on from, while the network holds the mean.
    trained: Option<Values>,
}

impl<B: Backend> Stored<B> for OnHost {
    fn fetch(&self, _: &B) -> Result<Vec<f32>> {
        Ok(self.0.to_vec())
    }

    fn copied(&self, _: &B) -> Result<Box<dyn Stored<B>>> {
        Ok(Box::new(self.clone()))
    }
}

impl<B: Backend> Network<B> {
    /// Puts the mean of the values after `epochs` epochs in their place, the one that ended among them:
    /// m ← m + (w − m) / epochs. [`Network::go_on_training`] undoes it.
    pub fn hold_average(&mut self, backend: &B, epochs: usize) -> Result<()> {
        let trained = self.fetch(backend)?;
        let mean = match self.average.take() {
            Some(Average { mean, .. }) => {
                mean.iter().zip(&trained).map(|(m, w)| toward(m, w, epochs)).collect()
            }
            None => trained.clone(),
        };
        self.fill(backend, &mean)?;
        self.average = Some(Average { mean, trained: Some(trained) });
        Ok(())
    }

    /// Takes what the network holds for the mean, and `trained` for what training goes on from.
    pub fn restore_average(&mut self, backend: &B, trained: Vec<Vec<f32>>) -> Result<()> {
        let trained = Some(trained.into_iter().map(|values| OnHost(values.into())).collect());
        self.average = Some(Average { mean: self.fetch(backend)?, trained });
        Ok(())
    }

    /// Puts what training goes on from in its place, if the mean is there.
    pub fn go_on_training(&mut self, backend: &B) -> Result<()> {
        let trained = self.average.as_mut().and_then(|average| average.trained.take());
        trained.map_or(Ok(()), |trained| self.fill(backend, &trained))
    }

    /// What training goes on from, under the names of what stands in its place; nothing where it is there itself.
    pub fn set_aside(&self) -> impl Iterator<Item = Lent<'_, B>> {
        let trained = self.average.iter().filter_map(|average| average.trained.as_ref()).flatten();
        let values = self.values().into_iter().zip(trained);
        values.map(|(value, trained)| Named {
            name: value.name,
            shape: value.shape,
            tensor: trained as &dyn Stored<B>,
        })
    }

    fn fetch(&self, backend: &B) -> Result<Values> {
        self.values()
            .iter()
            .map(|value| value.tensor.fetch(backend).map(|values| OnHost(values.into())))
            .collect()
    }

    fn fill(&mut self, backend: &B, values: &Values) -> Result<()> {
        self.values_mut()
            .into_iter()
            .zip(values)
            .try_for_each(|(value, values)| value.fill(backend, &values.0))
    }
}

fn toward(OnHost(mean): &OnHost, OnHost(values): &OnHost, epochs: usize) -> OnHost {
    OnHost(mean.iter().zip(values.iter()).map(|(m, w)| m + (w - m) / epochs as f32).collect())
}
