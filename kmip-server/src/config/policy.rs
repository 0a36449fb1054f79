//! What the settings let operations do: the same for every request, as long as the program runs.

use std::time::Duration;

use kmip::Interval;

use crate::config::disabled_algorithms::DisabledAlgorithms;
use crate::config::{
    HELD_BYTES_MAX, HELD_BYTES_PER_CLIENT_MAX, LEASE_S, MESSAGE_WORK_MAX_MS, Names,
    RESPONSE_LEN_MAX, RngSeed, Settings,
};

/// The rules of one server.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether objects of one client may share a Name.
    pub names: Names,
    /// The Lease Time of a new object, and the longest that Obtain Lease gives; zero for no limit
    /// (1.4, 3.20; 2.1, 4.30).
    pub lease_time: Interval,
    /// Is the operation Interop there? It must not be on a server in use (2.1, 6.1.26).
    pub interop: bool,
    /// How much of what a client sends with RNG Seed is used (1.4, 4.36; 2.1, 6.1.50).
    pub rng_seed: RngSeed,
    /// What no key is made for, and no key is used with.
    pub disabled: DisabledAlgorithms,
    /// Processor time that one message may take.
    pub message_work: Duration,
    /// The longest response, in bytes, in whatever form.
    pub response_len_max: usize,
    /// The most bytes of long requests and responses under way: of all clients.
    pub held_bytes_max: usize,
    /// The same of one client.
    pub held_bytes_per_client_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            names: Names::Unique,
            lease_time: Interval(LEASE_S),
            interop: false,
            rng_seed: RngSeed::All,
            disabled: DisabledAlgorithms::default(),
            message_work: Duration::from_millis(MESSAGE_WORK_MAX_MS),
            response_len_max: RESPONSE_LEN_MAX,
            held_bytes_max: HELD_BYTES_MAX,
            held_bytes_per_client_max: HELD_BYTES_PER_CLIENT_MAX,
        }
    }
}

impl From<&Settings> for Policy {
    fn from(settings: &Settings) -> Self {
        Self {
            names: settings.names,
            lease_time: Interval(settings.lease_s),
            interop: settings.interop,
            rng_seed: settings.rng_seed,
            disabled: settings.disabled_algorithms.clone().unwrap_or_default(),
            message_work: Duration::from_millis(settings.message_work_max_ms),
            response_len_max: settings.response_len_max,
            held_bytes_max: settings.held_bytes_max,
            held_bytes_per_client_max: settings.held_bytes_per_client_max,
        }
    }
}
