//! What is wrong with an item of a message, in the names of the standard.

use core::fmt;

use ttlv::{Error, ErrorKind, Tag};

use crate::version::Version;
use crate::vocabulary::tags;

/// The error as a sentence that calls tags by their names. `version` is that of the message: a tag
/// that it does not have is pointed out.
pub fn item_error(error: &Error, version: Version) -> impl fmt::Display {
    ItemError { error: *error, version }
}

struct ItemError {
    error: Error,
    version: Version,
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, version } = self;
        let (tag, at) = (named(error.tag), error.offset);
        let (verb, found) = match error.kind {
            ErrorKind::Missing(None) => {
                return write!(f, "{tag} is missing at byte {at}: its structure ends there");
            }
            ErrorKind::UnknownValue(number) => {
                return write!(f, "0x{number:08X} is not a value of {tag}, at byte {at}");
            }
            ErrorKind::Missing(Some(found)) => ("is missing at", found),
            ErrorKind::Unexpected(found) => ("cannot hold what stands at", found),
            ErrorKind::Truncated
            | ErrorKind::Tag
            | ErrorKind::UnknownType(_)
            | ErrorKind::Type(..)
            | ErrorKind::Length(..)
            | ErrorKind::Padding
            | ErrorKind::Boolean
            | ErrorKind::Text
            | ErrorKind::Depth(_)
            | ErrorKind::Value(_) => return write!(f, "{tag} at byte {at}: {}", error.kind),
        };
        write!(f, "{tag} {verb} byte {at}; found {}", named(found))?;
        write_foreign(f, found, *version)
    }
}

/// Says that the version of the message does not have the tag.
fn write_foreign(f: &mut fmt::Formatter<'_>, tag: Tag, version: Version) -> fmt::Result {
    match tags::row(tag) {
        Some(row) if !row.exists_in(version) => {
            write!(f, ", which KMIP {version} does not have")
        }
        Some(_) | None => Ok(()),
    }
}

/// A tag by its name, with its number for whoever looks at the bytes.
fn named(tag: Tag) -> String {
    match tags::name(tag) {
        Some(name) => format!("{name} ({tag})"),
        None if !tag.is_allowed() => "an item".to_owned(),
        None => format!("tag {tag}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a kind of error: the sentence.
    #[test]
    fn errors_call_tags_by_their_names() {
        let error = |kind| Error { offset: 120, tag: tags::Attributes, kind };
        let rows = [
            (
                ErrorKind::Missing(Some(tags::TemplateAttribute)),
                "Attributes (420125) is missing at byte 120; found TemplateAttribute (420091), \
                 which KMIP 2.1 does not have",
            ),
            (
                ErrorKind::Missing(None),
                "Attributes (420125) is missing at byte 120: its structure ends there",
            ),
            (
                ErrorKind::Unexpected(Tag(0)),
                "Attributes (420125) cannot hold what stands at byte 120; found an item",
            ),
            (
                ErrorKind::Unexpected(Tag(0x54_0001)),
                "Attributes (420125) cannot hold what stands at byte 120; found tag 540001",
            ),
            (
                ErrorKind::UnknownValue(0x77),
                "0x00000077 is not a value of Attributes (420125), at byte 120",
            ),
            (ErrorKind::Boolean, "Attributes (420125) at byte 120: a Boolean is 0 or 1"),
        ];
        for (kind, sentence) in rows {
            assert_eq!(item_error(&error(kind), Version::V2_1).to_string(), sentence);
        }
    }
}
