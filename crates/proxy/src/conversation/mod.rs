//! What is written of the conversation: one JSON object a message, in a file and in memory.

mod entry;
mod recorder;

pub(crate) use entry::{HexPolicy, Passage, Way};
pub(crate) use recorder::{Recorder, Sink};
