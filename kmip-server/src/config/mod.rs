//! Settings, limits and disabled algorithms.

pub(crate) mod disabled_algorithms;
pub(crate) mod limits;
pub(crate) mod policy;
pub(crate) mod push_targets;
mod settings;

pub use disabled_algorithms::{DisabledAlgorithms, DisabledName};
pub use policy::Policy;
pub use push_targets::PushTargets;
pub(crate) use settings::check_interval;
pub use settings::{
    CHECK_INTERVAL_H, CreateStore, Engine, FREE_SPACE_RESERVE_MIB, Given, HELD_BYTES_MAX,
    HELD_BYTES_PER_CLIENT_MAX, Identity, LEASE_S, LogFormat, MESSAGE_WORK_MAX_MS, Names,
    RESPONSE_LEN_MAX, RngSeed, Settings, StoreLocation, WrongSetting, parse, read, table,
};
