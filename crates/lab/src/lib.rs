//! Parts of the lab that tests use too.

pub mod cluster;
pub mod control;
pub mod https;
pub mod persona;
pub mod scenario;
