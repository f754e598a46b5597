//! Files that others may have made, and files that must outlive a crash: read with care, replaced whole or not at
//! all, synced with their folder, locked; every error names its path.

mod atomic;
mod error;
mod folder;
pub mod home;
mod lines;
mod lock;
mod logs;
pub mod reading;
pub mod temporary;
pub mod tensors;
pub mod text;

pub use atomic::{Placed, Staged, write_atomically};
pub use error::{FileError, is_of_environment};
pub use folder::{create_folder, is_there, read_if_there, sync_folder};
pub use lines::{Lines, append_line, read_lines, sync_file};
pub use lock::{Lock, is_locked};
pub use logs::{Logs, is_vacant};
