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
    CHECK_INTERVAL_H, CreateStore, Engine, FREE_SPACE_RESERVE_MIB, Given, Identity, LEASE_S,
    LogFormat, Names, RngSeed, Settings, StoreLocation, WrongSetting, parse, read, table,
};
