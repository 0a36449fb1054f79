//! Messages as trees of items: what a rule does not change stays as it came.

mod batch_item;
mod envelope;
mod item;

pub(crate) use batch_item::{BatchItem, is_identifier};
pub(crate) use envelope::{Envelope, Kind};
pub(crate) use item::{Content, Item, position};
