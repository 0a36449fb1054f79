//! What turns rows of the vocabulary into types.

/// The rows of a list, as data, in the order of the numbers.
///
/// ```text
/// Name = number, first..=last version;
/// Name = number, V1_4..=V3_0, "Old" V1_4..=V1_4;   was spelt so in these versions
/// Name = number, V1_4..=V3_0, "Misprint";          read, and never written
/// ```
macro_rules! rows {
    ($($name:ident = $value:literal, $since:ident..=$until:ident
        $(, $alias:literal $($from:ident..=$to:ident)?)*;)*) => {
        &[$($crate::vocabulary::Row {
            value: $value,
            name: stringify!($name),
            since: $crate::Version::$since,
            until: $crate::Version::$until,
            aliases: &[$($crate::vocabulary::Alias {
                name: $alias,
                versions: rows!(@range $($from..=$to)?),
            }),*],
        },)*]
    };
    (@range) => { None };
    (@range $from:ident..=$to:ident) => { Some(($crate::Version::$from, $crate::Version::$to)) };
}

/// A type that holds one number, which stands on the wire as an `enumeration` or an `integer`.
macro_rules! number {
    ($type:ident, $kind:ident) => {
        impl $crate::codec::Encode for $type {
            #[inline]
            fn encode(&self, tag: ttlv::Tag, w: &mut ttlv::Writer, _: $crate::Version) {
                w.$kind(tag, self.0);
            }
        }

        impl $crate::codec::Decode for $type {
            #[inline]
            fn decode(
                tag: ttlv::Tag,
                r: &mut ttlv::Reader<'_>,
                _: $crate::Version,
            ) -> Result<Self, ttlv::Error> {
                r.$kind(tag).map(Self)
            }
        }
    };
}

/// Defines an enumeration: the number on the wire, with a name for each value that we know.
macro_rules! enumeration {
    (
        $(#[$doc:meta])* $type:ident {
            $($name:ident = $value:literal, $since:ident..=$until:ident
                $(, $alias:literal $($from:ident..=$to:ident)?)*;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub u32);

        #[allow(missing_docs, non_upper_case_globals, reason = "the names are the standard's")]
        impl $type {
            $(pub const $name: Self = Self($value);)*
        }

        impl $type {
            /// Every value that has a name.
            pub const ROWS: &[$crate::vocabulary::Row] =
                rows!($($name = $value, $since..=$until $(, $alias $($from..=$to)?)*;)*);

            /// The row of the value, if it has one.
            pub fn row(self) -> Option<&'static $crate::vocabulary::Row> {
                $crate::vocabulary::row_by_value(Self::ROWS, self.0)
            }

            /// The name of the value, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// The value of this name, of today or of before.
            pub fn from_name(name: &str) -> Option<Self> {
                $crate::vocabulary::row_by_name(Self::ROWS, name).map(|row| Self(row.value))
            }

            /// Does `version` have the value?
            pub fn exists_in(self, version: $crate::Version) -> bool {
                self.row().is_some_and(|row| row.exists_in(version))
            }

            /// The first version that has the value, if one has.
            pub fn since(self) -> Option<$crate::Version> {
                self.row().map(|row| row.since)
            }

            /// The last version that has the value, if one has.
            pub fn until(self) -> Option<$crate::Version> {
                self.row().map(|row| row.until)
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:08X}", self.0),
                }
            }
        }

        impl core::fmt::Display for $type {
            /// The name with the spelling of other standards: `X.509`, `PKCS#8`.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => $crate::vocabulary::write_name(name, f),
                    None => core::fmt::Debug::fmt(self, f),
                }
            }
        }

        number!($type, enumeration);
    };
}

/// Defines a mask: a number whose bits have names.
macro_rules! mask {
    (
        $(#[$doc:meta])* $type:ident {
            $($name:ident = $value:literal, $since:ident..=$until:ident
                $(, $alias:literal $($from:ident..=$to:ident)?)*;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub i32);

        #[allow(missing_docs, non_upper_case_globals, reason = "the names are the standard's")]
        impl $type {
            $(pub const $name: Self = Self($value);)*
        }

        impl $type {
            /// Every bit that has a name.
            pub const ROWS: &[$crate::vocabulary::Row] =
                rows!($($name = $value, $since..=$until $(, $alias $($from..=$to)?)*;)*);

            /// Has it all the bits of `other`?
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The bits of both.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// The names of the bits that have one, in the order of the bits.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                $crate::vocabulary::MaskNames { rows: Self::ROWS, bits: self.0.cast_unsigned() }
                    .names()
            }
        }

        impl core::fmt::Display for $type {
            /// The names apart by blanks; bits without a name follow in hex.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let bits = self.0.cast_unsigned();
                $crate::vocabulary::MaskNames { rows: Self::ROWS, bits }.fmt(f)
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        number!($type, integer);
    };
}

/// Defines the tags.
macro_rules! tags {
    ($($name:ident = $value:literal, $since:ident..=$until:ident
        $(, $alias:literal $($from:ident..=$to:ident)?)*;)*) => {
        #[allow(missing_docs, non_upper_case_globals, reason = "the names are the standard's")]
        mod constants {
            $(pub const $name: ttlv::Tag = ttlv::Tag($value);)*
        }

        pub use constants::*;

        /// Every tag.
        pub const ROWS: &[$crate::vocabulary::Row] =
            rows!($($name = $value, $since..=$until $(, $alias $($from..=$to)?)*;)*);

        /// The name of a tag, if it has one.
        pub const fn name(tag: ttlv::Tag) -> Option<&'static str> {
            match tag.0 {
                $($value => Some(stringify!($name)),)*
                _ => None,
            }
        }

        /// The tag of this name, of today or of before.
        pub fn from_name(name: &str) -> Option<ttlv::Tag> {
            $crate::vocabulary::row_by_name(ROWS, name).map(|row| ttlv::Tag(row.value))
        }

        /// The row of a tag, if it has one.
        pub fn row(tag: ttlv::Tag) -> Option<&'static $crate::vocabulary::Row> {
            $crate::vocabulary::row_by_value(ROWS, tag.0)
        }
    };
}
