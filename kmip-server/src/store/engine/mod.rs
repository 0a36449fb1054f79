//! Storage engines.

pub mod memory;
pub mod sled;
