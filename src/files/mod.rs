//! Files that others may have made, and files that others must never lose: reading and writing, once.

pub mod reading;
pub mod temporary;
pub mod tensors;
pub mod text;
