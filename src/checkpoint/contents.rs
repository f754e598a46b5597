//! What a checkpoint holds: a network's tensors under their names.

use ff_backend::{Backend, Parameter, Tensor, Weights};

use crate::network::{Lent, Named, Network, Tensors, matrix};

/// What goes into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Weights, biases and head.
    Weights,
    /// Those and the optimizer's state.
    Training,
}

/// The tensors of a network in the order of their names.
pub(super) fn tensors_of<B: Backend>(network: &Network<B>, contents: Contents) -> Vec<Lent<'_, B>> {
    let mut all = network.values();
    if contents == Contents::Training {
        all.extend(network.set_aside().map(|value| Named { name: set_aside(&value.name), ..value }));
        for (l, layer) in network.layers.iter().enumerate() {
            let Tensors { weights, top_down, similarity_map, running_mean } = layer.tensors();
            all.extend(moments(&format!("layers.{l}.weight"), &weights.weight));
            if let Some(top_down) = top_down {
                all.extend(moments(&format!("layers.{l}.top_down.weight"), &top_down.weight));
            }
            if let Some(bias) = &weights.bias {
                all.extend(moments(&format!("layers.{l}.bias"), bias));
            }
            if let Some(Weights { weight, .. }) = similarity_map {
                all.push(matrix(format!("optimizer.{}", map_of(l)), &weight.value));
                all.extend(moments(&map_of(l), weight));
            }
            all.push(matrix(format!("optimizer.layers.{l}.running_mean"), running_mean));
        }
        for part in network.head.iter().flatten() {
            all.extend(moments(&format!("head.{}.weight", part.layer), &part.weights.weight));
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// What training goes on from, where a mean over epochs has the name.
pub(super) fn set_aside(name: &str) -> String {
    format!("optimizer.{name}.trained")
}

/// The map of a layer's activities is a part of training's state, so that no reader of weights meets it.
pub(super) fn map_of(l: usize) -> String {
    format!("layers.{l}.similarity_map")
}

fn moments<'a, B: Backend, T: Tensor<B> + 'static>(
    name: &str,
    parameter: &'a Parameter<T>,
) -> impl Iterator<Item = Lent<'a, B>> {
    let first = matrix(format!("optimizer.{name}.first"), &parameter.first);
    let second = |second| matrix(format!("optimizer.{name}.second"), second);
    [first].into_iter().chain(parameter.second.as_ref().map(second))
}
