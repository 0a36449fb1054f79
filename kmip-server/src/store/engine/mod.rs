//! Storage engines.

pub(crate) mod memory;
pub(crate) mod sled;
