//! Changes of a message or of one batch item.

mod answer;
mod edit;
mod frame;
mod personality;
mod refusal;

pub(crate) use answer::{Recent, located_nothing, success};
pub(crate) use edit::{add_located, identifiers, key_bytes, leave_out, state, too_large};
pub(crate) use frame::corrupt_length;
pub(crate) use personality::{filter, refuses, version};
pub(crate) use refusal::{not_found, not_supported, unsupported_version};
