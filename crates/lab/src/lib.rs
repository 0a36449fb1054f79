//! Parts of the lab that tests use too.

pub mod persona;
