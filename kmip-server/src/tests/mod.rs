//! Tests of whole messages: a key server without a socket, over a store in memory.

mod encryption;
mod harness;
mod interop;
mod known_answers;
mod sessions;
