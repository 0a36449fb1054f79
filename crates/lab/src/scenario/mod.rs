//! Scenarios: demonstrations with narration that are tests too.
//!
//! ```text
//! file (crates/lab/scenarios/*.toml) -> play -> the cluster's APIs, and /lab/v1 through it
//!                                        |
//!                                        `-> outcome -> report (HTML)
//! ```

mod facts;
pub mod file;
pub mod outcome;
pub mod play;
pub mod report;

pub use file::Scenario;
pub use outcome::Outcome;
