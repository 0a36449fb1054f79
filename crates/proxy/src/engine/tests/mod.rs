//! Rules on conversations with a server in memory: each action in each version, and each example
//! of the reference.

mod batches;
mod examples;
mod objects;
mod server;
mod single_actions;
