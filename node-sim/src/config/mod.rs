//! Limits of the process. Imports nothing of this crate.

pub(crate) mod limits;
