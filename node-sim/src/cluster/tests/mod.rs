//! The cluster on real folders, with key servers in memory.

#![allow(clippy::arithmetic_side_effects, reason = "a test stops at what overflows")]

mod agreement;
mod certificate_rules;
mod crash;
mod damaged_blocks;
mod damaged_files;
mod key_pair;
mod key_server_changes;
mod key_server_monitor;
mod key_servers;
mod keys_at_rest;
mod lab;
mod outage;
mod power;
mod proof;
mod rekey;
mod rekey_control;
mod vouching;
