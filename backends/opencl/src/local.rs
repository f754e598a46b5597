//! Local weights: what the places of a layer see is laid out place by place, and multiplied as if each place were a layer
//! of its own.

use std::rc::Rc;

use ff_backend::{Backend, Connected, Fields, Result};

use crate::memory::Buffer;
use crate::scratch::Slot;
use crate::{Indices, Matrix, OpenCl};

/// The fields of local weights, on the device too.
pub(crate) struct Local {
    pub(crate) fields: Fields,
    /// The lists of all places, one after the other.
    seen: Indices,
    /// Where each feature's entries begin in `entries`, and where the last one's end.
    starts: Indices,
    /// For each feature, the entries of `seen` that name it, in ascending order.
    entries: Indices,
}

/// A product's left operand: `places` places of `depth` features in each row.
pub(crate) enum Seen<'a> {
    /// The features themselves.
    All(&'a Matrix),
    /// What each place sees of them.
    Laid(Rc<Buffer>),
}

impl Seen<'_> {
    pub(crate) fn buffer(&self) -> &Buffer {
        match self {
            Seen::All(matrix) => &matrix.buffer,
            Seen::Laid(buffer) => buffer,
        }
    }
}

/// Places of weights: 1 where they are dense.
pub(crate) fn places(weight: &Matrix) -> usize {
    weight.fields().map_or(1, Fields::places)
}

impl OpenCl {
    pub(crate) fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Matrix> {
        let weight = self.weight(labels + fields.rows(), fields.units())?;
        let mut by_feature = vec![Vec::new(); fields.features()];
        for (entry, &feature) in fields.lists().iter().enumerate() {
            if let Some(entries) = by_feature.get_mut(feature as usize) {
                entries.push(entry as u32);
            }
        }
        let mut starts = vec![0];
        for entries in &by_feature {
            starts.push(starts.last().copied().unwrap_or(0) + entries.len() as u32);
        }
        let local = Local {
            fields: fields.clone(),
            seen: self.listed(fields.lists())?,
            starts: self.listed(&starts)?,
            entries: self.listed(&by_feature.concat())?,
        };
        Ok(Matrix { local: Some(Rc::new(local)), ..weight })
    }

    fn listed(&self, values: &[u32]) -> Result<Indices> {
        let mut list = self.indices(values.len())?;
        self.upload_indices(&mut list, values)?;
        Ok(list)
    }

    /// What the places of a weight see of features, `[rows, places · depth]`.
    pub(crate) fn seen<'a>(&self, features: &'a Matrix, weight: &Matrix) -> Result<Seen<'a>> {
        self.add_parts(features)?;
        let Some(local) = &weight.local else { return Ok(Seen::All(features)) };
        let wide = local.fields.lists().len();
        let out = self.scratch(Slot::Seen, features.rows.saturating_mul(wide))?;
        let args =
            self.args().matrix(features).count(features.columns).buffer(&local.seen.buffer).count(wide);
        self.launch_rows(&self.small.see, features.rows, args.buffer(&out))?;
        Ok(Seen::Laid(out))
    }

    /// out = the sums of what the places of a local weight send back, `parts` `[rows, places · depth]`.
    pub(crate) fn add_up(&self, parts: &Buffer, local: &Local, out: &mut Matrix) -> Result<()> {
        let (rows, columns) = (out.rows, out.columns);
        let args = self
            .args()
            .buffer(parts)
            .count(local.fields.lists().len())
            .buffer(&local.starts.buffer)
            .buffer(&local.entries.buffer)
            .count(columns)
            .out(out);
        self.launch_rows(&self.small.unsee, rows, args)
    }
}
