//! Sockets: listener, connections, frames. Nothing is decided here.

mod connection;
mod exchange_queue;
mod frame;
mod idle;
mod limits;
mod listener;

pub(crate) use limits::Limits;
pub(crate) use listener::Proxy;
