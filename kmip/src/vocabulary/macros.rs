//! What turns rows of the vocabulary into types.

/// The rows of a list, as data.
macro_rules! rows {
    ($($name:ident = $value:literal, $since:ident..=$until:ident $(, $alias:literal)*;)*) => {
        &[$($crate::vocabulary::Row {
            value: $value,
            name: stringify!($name),
            since: $crate::Version::$since,
            until: $crate::Version::$until,
            aliases: &[$($alias),*],
        },)*]
    };
}

/// Defines an enumeration: the number on the wire, with a name for each value that we know.
macro_rules! enumeration {
    (
        $(#[$doc:meta])* $type:ident {
            $($name:ident = $value:literal, $since:ident..=$until:ident $(, $alias:literal)*;)*
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
                rows!($($name = $value, $since..=$until $(, $alias)*;)*);

            /// The row of the value, if it has one.
            pub fn row(self) -> Option<&'static $crate::vocabulary::Row> {
                Self::ROWS.iter().find(|row| row.value == self.0)
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
                Self::ROWS.iter().find(|row| row.is_named(name)).map(|row| Self(row.value))
            }

            /// Does `version` have the value?
            pub fn exists_in(self, version: $crate::Version) -> bool {
                self.row().is_some_and(|row| row.exists_in(version))
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

        impl $crate::codec::Encode for $type {
            #[inline]
            fn encode(&self, tag: ttlv::Tag, w: &mut ttlv::Writer, _: $crate::Version) {
                w.enumeration(tag, self.0);
            }
        }

        impl $crate::codec::Decode for $type {
            #[inline]
            fn decode(
                tag: ttlv::Tag,
                r: &mut ttlv::Reader<'_>,
                _: $crate::Version,
            ) -> Result<Self, ttlv::Error> {
                r.enumeration(tag).map(Self)
            }
        }
    };
}

/// Defines a mask: a number whose bits have names.
macro_rules! mask {
    (
        $(#[$doc:meta])* $type:ident {
            $($name:ident = $value:literal, $since:ident..=$until:ident $(, $alias:literal)*;)*
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
                rows!($($name = $value, $since..=$until $(, $alias)*;)*);

            /// Has it all the bits of `other`?
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The bits of both.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::vocabulary::registry::fmt_mask(self.0, Self::ROWS, f)
            }
        }

        impl $crate::codec::Encode for $type {
            #[inline]
            fn encode(&self, tag: ttlv::Tag, w: &mut ttlv::Writer, _: $crate::Version) {
                w.integer(tag, self.0);
            }
        }

        impl $crate::codec::Decode for $type {
            #[inline]
            fn decode(
                tag: ttlv::Tag,
                r: &mut ttlv::Reader<'_>,
                _: $crate::Version,
            ) -> Result<Self, ttlv::Error> {
                r.integer(tag).map(Self)
            }
        }
    };
}

/// Defines the tags.
macro_rules! tags {
    ($($name:ident = $value:literal, $since:ident..=$until:ident $(, $alias:literal)*;)*) => {
        #[allow(missing_docs, non_upper_case_globals, reason = "the names are the standard's")]
        mod constants {
            $(pub const $name: ttlv::Tag = ttlv::Tag($value);)*
        }

        pub use constants::*;

        /// Every tag.
        pub const ROWS: &[$crate::vocabulary::Row] =
            rows!($($name = $value, $since..=$until $(, $alias)*;)*);

        /// The name of a tag, if it has one.
        pub const fn name(tag: ttlv::Tag) -> Option<&'static str> {
            match tag.0 {
                $($value => Some(stringify!($name)),)*
                _ => None,
            }
        }

        /// The tag of this name, of today or of before.
        pub fn from_name(name: &str) -> Option<ttlv::Tag> {
            ROWS.iter().find(|row| row.is_named(name)).map(|row| ttlv::Tag(row.value))
        }
    };
}
