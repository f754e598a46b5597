//! How kernels are cut to a device.

use ff_backend::{BackendError, Result};

use crate::{Candidate, Kind};

/// Work-items of a work-group of the tiled products.
const TEAM: usize = 256;

/// Which kernels make the products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelPath {
    /// One work-item a tile, panels packed for its cache: CPU devices.
    Portable,
    /// Tiles in local memory, shared by a work-group: GPUs.
    Tiled,
    /// The same on NVIDIA's tensor cores, in tf32.
    TensorCores,
    /// The same with the tensor cores' instruction emulated: slow, checks the kernels on any device.
    EmulatedTensorCores,
}

impl KernelPath {
    /// Whether products round their operands to tf32.
    pub fn is_tf32(self) -> bool {
        matches!(self, KernelPath::TensorCores | KernelPath::EmulatedTensorCores)
    }
}

/// One tile of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Rows of the tile.
    pub rows: usize,
    /// Columns of the tile.
    pub columns: usize,
    /// How much of the sum is in local memory at once.
    pub depth: usize,
}

/// The numbers that kernels are compiled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Which kernels make the products.
    pub path: KernelPath,
    /// Columns a work-item takes at once in what is not a product: 16 or 1.
    pub vector: usize,
    /// Work-items that share a row.
    pub items: usize,
    /// Work-items of kernels that are one work-group; a power of two.
    pub group: usize,
    /// Neighbouring columns, and slices of rows, of the work-groups that sum columns.
    pub lanes: (usize, usize),
    /// Tile of `project`.
    pub project: Tile,
    /// Tile of `learn`.
    pub learn: Tile,
    /// Most registers of a work-item of the products, on NVIDIA; 0 leaves them to the compiler.
    pub registers: usize,
}

impl Tuning {
    /// For devices whose work-items are fast alone.
    pub const CPU: Tuning = Tuning {
        path: KernelPath::Portable,
        vector: 16,
        items: 1,
        group: 64,
        lanes: (1, 1),
        project: Tile { rows: 64, columns: 128, depth: 256 },
        learn: Tile { rows: 64, columns: 128, depth: 256 },
        registers: 0,
    };

    /// For devices whose work-groups are fast together.
    pub const GPU: Tuning = Tuning {
        path: KernelPath::Tiled,
        vector: 1,
        items: 256,
        group: 256,
        lanes: (32, 8),
        project: Tile { rows: 64, columns: 64, depth: 32 },
        learn: Tile { rows: 128, columns: 128, depth: 16 },
        registers: 0,
    };

    /// For GPUs with 32 KiB of local memory a work-group, and work-groups of at most 256.
    pub const SMALL_GPU: Tuning = Tuning {
        project: Tile { rows: 64, columns: 64, depth: 16 },
        learn: Tile { rows: 64, columns: 64, depth: 16 },
        ..Tuning::GPU
    };

    /// What to try on a device, the best first.
    pub fn defaults_for(candidate: &Candidate) -> Vec<Tuning> {
        match candidate.kind {
            Kind::Gpu => vec![Tuning::GPU, Tuning::SMALL_GPU, Tuning::CPU],
            Kind::Cpu | Kind::Accelerator => vec![Tuning::CPU],
        }
    }

    /// What a device starts from: the first default that fits it.
    pub fn default_for(candidate: &Candidate) -> Tuning {
        let fits = |tuning: &Tuning| tuning.check(candidate).is_ok();
        Tuning::defaults_for(candidate).into_iter().find(fits).unwrap_or(Tuning::CPU)
    }

    /// Largest work-group of the kernels that are not products.
    pub(crate) fn small_items(&self) -> usize {
        self.items.max(self.group).max(self.lanes.0 * self.lanes.1)
    }

    /// The same with work-groups of at most `limit` > 0 work-items for what is not a product.
    pub(crate) fn with_items(self, limit: usize) -> Tuning {
        let power = |items: usize| if items <= limit { items } else { 1 << limit.ilog2() };
        let lanes = power(self.lanes.0);
        let slices = power(self.lanes.0 * self.lanes.1) / lanes;
        Tuning { items: power(self.items), group: power(self.group), lanes: (lanes, slices.max(1)), ..self }
    }

    /// The numbers of a forced path.
    pub fn of_path(path: KernelPath) -> Tuning {
        match path {
            KernelPath::Portable => Tuning::CPU,
            _ => Tuning { path, ..Tuning::GPU },
        }
    }

    /// Fails unless the kernels can be cut this way and the device can hold them.
    pub fn check(&self, candidate: &Candidate) -> Result<()> {
        let portable = self.path == KernelPath::Portable;
        let fits = |tile: Tile| match self.path {
            KernelPath::Portable => {
                let [rows, columns] = [(tile.rows, 8), (tile.columns, 32)];
                [rows, columns].iter().all(|(size, unit)| *size > 0 && size % unit == 0) && tile.depth > 0
            }
            _ => {
                let sides = [tile.rows, tile.columns].iter().all(|side| [64, 128].contains(side));
                // Tensor cores take eight steps of the sum at once.
                let share = tile.depth * tile.rows * tile.columns / (64 * TEAM);
                sides && [16, 32].contains(&tile.depth) && (!self.path.is_tf32() || share >= 8)
            }
        };
        let vectors = [1, 16].contains(&self.vector) && (self.vector == 1 || self.items == 1);
        let groups = [self.items, self.group].iter().all(|items| items.is_power_of_two());
        if !(fits(self.project) && fits(self.learn) && vectors && groups) {
            return Err(BackendError::Unsupported(format!("kernels cannot be cut to {self:?}")));
        }
        let items = self.product_items()[0];
        let wanted = self.local_bytes(self.project).max(self.local_bytes(self.learn));
        if candidate.largest_group < items || candidate.local_bytes < wanted as u64 {
            return Err(BackendError::Unsupported(format!(
                "{candidate} has work-groups of {} with {} bytes; {} kernels need {items} with {wanted}",
                candidate.largest_group,
                candidate.local_bytes,
                if portable { "portable" } else { "tiled" }
            )));
        }
        Ok(())
    }

    /// Bytes of local memory that a product needs, or a little more.
    fn local_bytes(&self, tile: Tile) -> usize {
        let Tile { rows, columns, depth } = tile;
        let floats = match self.path {
            KernelPath::Portable => (depth + rows) * columns + 8 * depth,
            path => {
                // Two stages of both operands with the padding of mma.cl; later a quarter of the sums of each slice.
                let stages = 2 * (depth * (rows + columns + 16) + 4 * rows);
                let sums = (TEAM * 64 / (rows * columns)) * rows / 4 * (columns + 8);
                // Scales and sums of squares of `project`, or the table of rows of `learn`.
                let rest = (rows + rows * columns / 16).max(3 * TEAM + 2 * (1 + depth));
                let exchange = if path == KernelPath::EmulatedTensorCores { 8 * 192 } else { 1 };
                stages.max(sums) + rest + exchange
            }
        };
        floats * size_of::<f32>()
    }

    /// Work-items of a work-group of the products.
    pub(crate) fn product_items(&self) -> [usize; 2] {
        match self.path {
            KernelPath::Portable => [1, 1],
            _ => [TEAM, 1],
        }
    }

    /// Options that the small kernels are compiled with.
    pub(crate) fn small_options(&self) -> String {
        self.defines(self.vector)
    }

    /// Options that the products are compiled with.
    pub(crate) fn product_options(&self) -> String {
        self.defines(if self.path == KernelPath::Portable { 16 } else { 4 })
    }

    /// The option that limits the registers of a work-item to `most` > 0, where the device's compiler knows it.
    pub(crate) fn register_limit(candidate: &Candidate, most: usize) -> String {
        if most > 0 && candidate.is_nvidia() { format!(" -cl-nv-maxrregcount={most}") } else { String::new() }
    }

    fn defines(&self, vector: usize) -> String {
        let numbers = [
            ("VEC", vector),
            ("ITEMS", self.items),
            ("GROUP", self.group),
            ("LANES", self.lanes.0),
            ("SLICES", self.lanes.1),
            ("PROJECT_ROWS", self.project.rows),
            ("PROJECT_COLUMNS", self.project.columns),
            ("PROJECT_DEPTH", self.project.depth),
            ("LEARN_ROWS", self.learn.rows),
            ("LEARN_COLUMNS", self.learn.columns),
            ("LEARN_DEPTH", self.learn.depth),
        ];
        let defines: String = numbers.iter().map(|(name, value)| format!(" -D{name}={value}")).collect();
        // A CPU's numbers are the CPU backend's.
        if self.path == KernelPath::Portable { defines + " -DREFERENCE -DPREPARED" } else { defines }
    }
}
