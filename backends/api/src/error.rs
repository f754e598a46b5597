//! What can go wrong on a device, as values.

/// The result of every backend operation.
pub type Result<T> = std::result::Result<T, BackendError>;

/// Why a backend could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// Two operands do not fit together.
    #[error("{operation}: {what}: {left:?} does not fit {right:?}")]
    Shape {
        /// The operation that was asked for.
        operation: &'static str,
        /// Which operands disagree.
        what: &'static str,
        /// Rows and columns of the first operand.
        left: (usize, usize),
        /// Rows and columns that were expected of it.
        right: (usize, usize),
    },
    /// No driver is installed.
    #[error("no {backend} platform was found: {hint}")]
    NoPlatform {
        /// The backend that was asked for.
        backend: &'static str,
        /// What would help.
        hint: String,
    },
    /// A driver is installed but the device that was asked for does not exist.
    #[error("no such device: {0}")]
    NoDevice(String),
    /// An allocation failed.
    #[error(
        "out of device memory: {wanted_bytes} bytes for {what} do not fit beside {held_bytes} bytes \
         held on {device}; a smaller batch_size, evaluation.batch_size or layer width would"
    )]
    OutOfMemory {
        /// What was being allocated.
        what: String,
        /// Its size in bytes.
        wanted_bytes: usize,
        /// Bytes this backend already holds.
        held_bytes: usize,
        /// The device's name.
        device: String,
    },
    /// The device's compiler refused a kernel.
    #[error("kernels could not be built for {device}: the compiler's log is in {log}")]
    Build {
        /// The device's name.
        device: String,
        /// Path of a file with the compiler's whole log.
        log: String,
    },
    /// The device went away in the middle of the work.
    #[error("device lost: {0}")]
    DeviceLost(String),
    /// The system refused to start threads.
    #[error("threads could not be started: {0}; fewer may do: --threads 1")]
    Threads(String),
    /// The device lacks something that was asked for.
    #[error("{0}")]
    Unsupported(String),
    /// Any other failure the driver reports.
    #[error("{operation}: {message}")]
    Driver {
        /// The operation that failed.
        operation: &'static str,
        /// The driver's own words.
        message: String,
    },
}
