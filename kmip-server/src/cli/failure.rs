//! Why the program ends, and with which status.

use crate::config::WrongSetting;
use crate::net::tls::WrongFile;

/// Why the program ends with a failure.
pub(super) enum Failure {
    /// A setting is wrong: status 2, as for a wrong flag.
    Setting(String),
    /// Anything else: status 1.
    Other(String),
}

impl From<WrongSetting> for Failure {
    fn from(why: WrongSetting) -> Self {
        Self::Setting(why.to_string())
    }
}

impl From<WrongFile> for Failure {
    fn from(why: WrongFile) -> Self {
        Self::Setting(why.to_string())
    }
}
