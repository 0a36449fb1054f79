//! The versions of the API: the last part of an endpoint's path.

use std::fmt;
use std::str::FromStr;

/// A version, which orders as numbers do: 9.6 is older than 10.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ApiVersion {
    /// Before the point.
    pub(crate) major: u16,
    /// After it.
    pub(crate) minor: u16,
}

/// A version as a constant.
#[must_use]
pub(crate) const fn version(major: u16, minor: u16) -> ApiVersion {
    ApiVersion { major, minor }
}

/// The newest version, which `GetAPI` calls current. The official SDKs read it as a decimal
/// number, so it has two parts; they need 12.3 for software encryption at rest.
pub(crate) const CURRENT: ApiVersion = version(12, 3);

/// What the cluster calls the software that it runs.
pub(crate) const SOFTWARE_VERSION: &str = "12.3.0.203";

/// Every endpoint that answers: what Element 12.0 lists, then 12.2 and 12.3.
pub(crate) const SUPPORTED: &[ApiVersion] = &[
    version(1, 0),
    version(2, 0),
    version(3, 0),
    version(4, 0),
    version(5, 0),
    version(5, 1),
    version(6, 0),
    version(7, 0),
    version(7, 1),
    version(7, 2),
    version(7, 3),
    version(7, 4),
    version(8, 0),
    version(8, 1),
    version(8, 2),
    version(8, 3),
    version(8, 4),
    version(8, 5),
    version(8, 6),
    version(8, 7),
    version(9, 0),
    version(9, 1),
    version(9, 2),
    version(9, 3),
    version(9, 4),
    version(9, 5),
    version(9, 6),
    version(10, 0),
    version(10, 1),
    version(10, 2),
    version(10, 3),
    version(10, 4),
    version(10, 5),
    version(10, 6),
    version(10, 7),
    version(11, 0),
    version(11, 1),
    version(11, 3),
    version(11, 5),
    version(11, 7),
    version(11, 8),
    version(12, 0),
    version(12, 2),
    CURRENT,
];

impl fmt::Display for ApiVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// The text is not the path of a supported endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported;

impl FromStr for ApiVersion {
    type Err = Unsupported;

    /// Only a supported version, spelt as `GetAPI` lists it, is one.
    fn from_str(text: &str) -> Result<Self, Unsupported> {
        SUPPORTED.iter().copied().find(|known| known.to_string() == text).ok_or(Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiVersion, CURRENT, SUPPORTED, version};

    #[test]
    fn versions_are_in_order_and_only_listed_ones_are_endpoints() {
        assert!(SUPPORTED.is_sorted() && SUPPORTED.last() == Some(&CURRENT));
        assert_eq!("7.0".parse(), Ok(version(7, 0)));
        for text in ["", "12", "12.30", "7.9", "12.3.0.203", "+7.0", "07.0", "7.0 ", "latest"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }
}
