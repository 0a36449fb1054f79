//! How a typed value stands under a tag: the two traits, and the primitive types.
//!
//! The tag comes from outside, because the same structure appears under different tags; the
//! version comes from outside, because the same structure has different items in each.

use ttlv::{Error, Reader, Tag, Writer};

use crate::version::Version;

/// One item of a structure: its tag, and the versions that have it. An item is sent to no other.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name of the field in its Rust type.
    pub name: &'static str,
    /// The tag of the item, as the newest version has it.
    pub tag: Tag,
    /// Returns whether a version has the item.
    pub is_in: fn(Version) -> bool,
    /// The items of the item itself, if it is a structure.
    pub fields: &'static [Self],
}

/// A value that can be written as one item, or as none, or as many.
pub trait Encode {
    /// The items of a structure, in order; none of anything else.
    const FIELDS: &'static [Field] = &[];

    /// Writes the value under `tag`, in the form that `version` has.
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version);
}

/// A value that can be read from one item, or from none, or from many.
pub trait Decode: Sized {
    /// Reads the value that stands under `tag`.
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error>;

    /// Returns whether such a value stands next, where it may be left out.
    #[inline(always)]
    fn is_next(tag: Tag, r: &Reader<'_>) -> bool {
        r.peek() == Some(tag)
    }

    /// Reads the value to the end of a list. One that is large may be made there piece by piece,
    /// because to move it takes longer than to read it; after an error a part of it may be there.
    #[inline]
    fn decode_onto(
        all: &mut Vec<Self>,
        tag: Tag,
        r: &mut Reader<'_>,
        version: Version,
    ) -> Result<(), Error> {
        all.push(Self::decode(tag, r, version)?);
        Ok(())
    }
}

/// One row a primitive: the Rust type, how it is written, how it is read.
macro_rules! primitives {
    ($($ty:ty: |$self:ident| $write:ident($value:expr), $read:ident => $make:expr;)*) => {$(
        impl Encode for $ty {
            #[inline]
            fn encode(&self, tag: Tag, w: &mut Writer, _: Version) {
                let $self = self;
                w.$write(tag, $value);
            }
        }

        impl Decode for $ty {
            #[inline]
            fn decode(tag: Tag, r: &mut Reader<'_>, _: Version) -> Result<Self, Error> {
                r.$read(tag).map($make)
            }
        }
    )*};
}

primitives! {
    i32: |v| integer(*v), integer => |v| v;
    i64: |v| long_integer(*v), long_integer => |v| v;
    bool: |v| boolean(*v), boolean => |v| v;
    String: |v| text_string(v), text_string => Self::from;
    Vec<u8>: |v| byte_string(v), byte_string => <[u8]>::to_vec;
    DateTime: |v| date_time(v.0), date_time => Self;
    Interval: |v| interval(v.0), interval => Self;
    DateTimeExtended: |v| date_time_extended(v.0), date_time_extended => Self;
    BigInteger: |v| big_integer(&v.0), big_integer => |v| Self(v.to_vec());
    SecretBytes: |v| byte_string(v.as_bytes()), byte_string => Self::new;
    SecretInteger: |v| big_integer(v.as_bytes()), big_integer => Self::new;
}

/// Seconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub i64);

/// Microseconds since 1970-01-01 00:00:00 UTC (since 2.0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTimeExtended(pub i64);

/// A length of time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u32);

/// A signed number in big-endian two's complement. Public numbers only: those that make a key
/// private are [`SecretInteger`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BigInteger(pub Vec<u8>);

/// Bytes that nobody may see: zeroized when dropped, shown as a length alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(zeroize::Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Keeps a copy of `bytes`, allocated once and never grown.
    pub fn new(bytes: &[u8]) -> Self {
        Self(zeroize::Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}

/// A signed number in big-endian two's complement that nobody may see: zeroized when dropped,
/// shown as a length alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretInteger(SecretBytes);

impl SecretInteger {
    /// Keeps a copy of the number's bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(SecretBytes::new(bytes))
    }

    /// The bytes, with those that only repeat the sign.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl core::fmt::Debug for SecretInteger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SecretInteger({} bytes)", self.as_bytes().len())
    }
}

impl<T: Encode> Encode for Option<T> {
    const FIELDS: &'static [Field] = T::FIELDS;

    #[inline]
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        if let Some(value) = self {
            value.encode(tag, w, version);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    #[inline(always)]
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        if !T::is_next(tag, r) {
            return Ok(None);
        }
        Ok(Some(T::decode(tag, r, version)?))
    }
}

impl<T: Encode> Encode for Box<T> {
    const FIELDS: &'static [Field] = T::FIELDS;

    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        (**self).encode(tag, w, version);
    }
}

impl<T: Decode> Decode for Box<T> {
    #[inline(always)]
    fn is_next(tag: Tag, r: &Reader<'_>) -> bool {
        T::is_next(tag, r)
    }

    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        T::decode(tag, r, version).map(Self::new)
    }
}

impl<T: Encode> Encode for Vec<T> {
    const FIELDS: &'static [Field] = T::FIELDS;

    #[inline]
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        for value in self {
            value.encode(tag, w, version);
        }
    }
}

/// A list of values of more bytes than this has room for one at first: it rarely has more, and a
/// vector would start with room for four.
const LARGE: usize = 128;

impl<T: Decode> Decode for Vec<T> {
    #[inline]
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let mut all = Self::new();
        if size_of::<T>() > LARGE && r.peek() == Some(tag) {
            all.reserve_exact(1);
        }
        while r.peek() == Some(tag) {
            T::decode_onto(&mut all, tag, r, version)?;
        }
        Ok(all)
    }
}

/// Any one item, whatever it means. It stands under the tag it came with.
impl Encode for ttlv::Raw {
    fn encode(&self, _: Tag, w: &mut Writer, _: Version) {
        w.raw(self.as_bytes());
    }
}

impl Decode for ttlv::Raw {
    fn decode(tag: Tag, r: &mut Reader<'_>, _: Version) -> Result<Self, Error> {
        match r.peek() {
            Some(found) if found == tag => r.raw(),
            found => Err(r.error(tag, ttlv::ErrorKind::Missing(found))),
        }
    }
}
