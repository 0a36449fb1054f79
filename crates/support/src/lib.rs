//! Mechanisms that the programs share. No policy: what is kept, where and why is the caller's.

pub mod durable_fs;
