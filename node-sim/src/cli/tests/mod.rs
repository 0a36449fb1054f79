//! The program in this process: real sockets, with key servers in memory.

#![allow(clippy::arithmetic_side_effects, reason = "a test stops at what overflows")]

mod damaged_blocks;
mod element;
mod harness;
mod listener;
mod listener_certificate;
mod simulator_api;
