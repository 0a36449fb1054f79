//! The parts of an item: its tag, its type and its value.

use core::fmt;

/// The name of an item: three bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    /// May it be a tag at all? The standard's begin with 42, extensions with 54 (1.4, 9.1.1.1).
    #[inline]
    pub const fn is_allowed(self) -> bool {
        matches!(self.0 >> 16, 0x42 | 0x54)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tag {
    /// What is no tag is not shown: where a length is wrong, it may be three bytes of a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_allowed() {
            true => write!(f, "{:06X}", self.0),
            false => f.write_str("??????"),
        }
    }
}

/// Defines the types: the number on the wire, the name, and the length a value must have, if one.
macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $len:expr;)*) => {
        /// How the value of an item is to be read (1.4, 9.1.1.2; 2.1, 9.1.1.2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Type {
            $($(#[$doc])* $name,)*
        }

        impl Type {
            /// Every type, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            #[inline]
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// The type with this number, if there is one.
            #[inline]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name, as the text encodings spell it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The one length a value of this type may have, if there is one.
            #[inline]
            pub const fn fixed_len(self) -> Option<usize> {
                match self {
                    $(Self::$name => $len,)*
                }
            }
        }
    };
}

types! {
    /// Items, one after another.
    Structure = 0x01, None;
    /// A signed number of 32 bits.
    Integer = 0x02, Some(4);
    /// A signed number of 64 bits.
    LongInteger = 0x03, Some(8);
    /// A signed number of any multiple of 64 bits, in two's complement.
    BigInteger = 0x04, None;
    /// One of the standard's or a vendor's numbered values.
    Enumeration = 0x05, Some(4);
    /// True or false: eight bytes, 1 or 0.
    Boolean = 0x06, Some(8);
    /// Text in UTF-8.
    TextString = 0x07, None;
    /// Bytes.
    ByteString = 0x08, None;
    /// Seconds since 1970-01-01 00:00:00 UTC.
    DateTime = 0x09, Some(8);
    /// A length of time in seconds.
    Interval = 0x0A, Some(4);
    /// Microseconds since 1970-01-01 00:00:00 UTC (since 2.0).
    DateTimeExtended = 0x0B, Some(8);
}

/// One item of a message, in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The tag.
    pub tag: Tag,
    /// The type.
    pub ty: Type,
    /// Where the item starts, from the start of the message.
    pub offset: usize,
    /// The value, without padding.
    pub value: &'a [u8],
}

impl fmt::Debug for Item<'_> {
    /// Shows the length of the value and never the value, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tag, ty, len) = (self.tag, self.ty.name(), self.value.len());
        write!(f, "{tag} ({ty}, {len} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::Type;

    #[test]
    fn numbers_and_types_are_one_to_one() {
        for number in 0..=u8::MAX {
            match Type::from_number(number) {
                Some(ty) => assert_eq!(ty.number(), number),
                None => assert!(Type::ALL.iter().all(|ty| ty.number() != number)),
            }
        }
        assert_eq!(Type::ALL.len(), 11);
    }
}
