//! What can be wrong with a message in letters. Nothing of it is a piece of a value.

use core::fmt;

use ttlv::Type;

/// The most letters of a foreign name that an error repeats.
const NAME_LEN_MAX: usize = 64;

/// At which element a text is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The element, by its name; empty where there is none yet.
    pub element: String,
    /// What is wrong.
    pub fault: Fault,
}

/// The ways in which a text can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are no TTLV.
    Ttlv(ttlv::Error),
    /// Something stands behind the message, or nothing is there.
    OneMessage,
    /// The name is no tag.
    Tag,
    /// The type is none of the standard's.
    Type,
    /// The value is no such value.
    Value(Type),
    /// The value is missing.
    Missing(Type),
    /// The value is not a name of this tag's, nor a number.
    Name(Type),
    /// It has both a value and elements inside, or elements inside that are no structure's.
    Both,
    /// The text has a character that XML cannot have.
    Character,
    /// The text is longer than the limit, in bytes.
    TooLong(usize),
    /// The message has more items than the limit.
    TooMany(usize),
    /// Structures are nested deeper than the limit.
    Depth(u8),
    /// The text is not well formed, or has what no KMIP message may have.
    Syntax(&'static str),
}

impl Error {
    /// An error at an element, whose name may be anybody's.
    pub(super) fn at(name: &str, fault: Fault) -> Self {
        let shown = name.chars().filter(|c| c.is_ascii_graphic());
        Self { element: shown.take(NAME_LEN_MAX).collect(), fault }
    }
}

impl From<ttlv::Error> for Error {
    fn from(error: ttlv::Error) -> Self {
        Self { element: String::new(), fault: Fault::Ttlv(error) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.element.is_empty() {
            true => write!(f, "{}", self.fault),
            false => write!(f, "element {}: {}", self.element, self.fault),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ttlv(error) => write!(f, "{error}"),
            Self::OneMessage => f.write_str("one message is wanted, and nothing behind it"),
            Self::Tag => f.write_str("there is no such tag; one without a name is given in hex"),
            Self::Type => f.write_str("there is no such type"),
            Self::Value(ty) => write!(f, "this is no {}", ty.name()),
            Self::Missing(ty) => write!(f, "it is of type {} and has no value", ty.name()),
            Self::Name(ty) => write!(f, "this is no name of this {} and no number", ty.name()),
            Self::Both => f.write_str("a structure has items and no value, all else a value"),
            Self::Character => f.write_str("its text has a character that XML cannot have"),
            Self::TooLong(limit) => write!(f, "the text is longer than {limit} bytes"),
            Self::TooMany(limit) => write!(f, "there are more than {limit} items"),
            Self::Depth(limit) => write!(f, "structures are nested deeper than {limit}"),
            Self::Syntax(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for Error {}
