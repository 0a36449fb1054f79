//! The versions of the protocol.

use core::fmt;

/// A version of the protocol (1.4, 6.1; 2.1, 9.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The major number.
    pub major: i32,
    /// The minor number.
    pub minor: i32,
}

impl Version {
    /// KMIP 1.0.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// KMIP 1.1.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// KMIP 1.2.
    pub const V1_2: Self = Self { major: 1, minor: 2 };
    /// KMIP 1.3.
    pub const V1_3: Self = Self { major: 1, minor: 3 };
    /// KMIP 1.4.
    pub const V1_4: Self = Self { major: 1, minor: 4 };
    /// KMIP 2.0.
    pub const V2_0: Self = Self { major: 2, minor: 0 };
    /// KMIP 2.1.
    pub const V2_1: Self = Self { major: 2, minor: 1 };
    /// KMIP 3.0.
    pub const V3_0: Self = Self { major: 3, minor: 0 };

    /// The versions whose messages this crate reads and writes, the newest first.
    pub const SERVED: &[Self] =
        &[Self::V2_1, Self::V2_0, Self::V1_4, Self::V1_3, Self::V1_2, Self::V1_1, Self::V1_0];
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
