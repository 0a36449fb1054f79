//! Sockets: listener, connections, frames. Nothing is decided here.

mod connection;
mod exchange_queue;
mod frame;
mod listener;

pub(crate) use listener::{Limits, Proxy};
