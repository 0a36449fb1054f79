//! Parts of the lab that tests use too.

pub mod control;
pub mod https;
pub mod persona;
