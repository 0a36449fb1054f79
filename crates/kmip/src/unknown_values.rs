//! Check of the enumerations of a request: each value is one of the standard's, in any version, or
//! an extension of a vendor's (1.4, 9.1.3.2; 2.1, 11.1). A value of another version is understood,
//! so clients of an old version may use what came later.

use ttlv::{Error, ErrorKind, Reader, Tag, Type};

use crate::item_context::AttributeContext;
use crate::vocabulary::{Vocabulary, row_by_value, tags, vocabulary_of};

/// The first bit of every extension of a vendor's, in every enumeration.
const EXTENSION: u32 = 0x8000_0000;

/// Reads all that is left, and refuses the first enumeration of the standard whose value is not one
/// of the standard's. What is inside a vendor's item is the vendor's.
pub(crate) fn check_values(r: &mut Reader<'_>) -> Result<(), Error> {
    let mut attribute = AttributeContext::default();
    while let Some(tag) = r.peek() {
        match r.peek_type() {
            Some(Type::Structure) => {
                let mut inside = r.enter(tag)?;
                if !is_vendors(tag, attribute) {
                    check_values(&mut inside)?;
                }
            }
            Some(Type::Enumeration) => {
                let tag_of_value = attribute.vocabulary_tag(tag);
                let at = r.offset();
                let value = r.enumeration(tag)?;
                if !is_known(tag_of_value, value) {
                    let kind = ErrorKind::UnknownValue(value);
                    return Err(Error { offset: at, tag: tag_of_value, kind });
                }
            }
            Some(Type::TextString) if matches!(tag, tags::AttributeName) => {
                let name = r.text_string(tag)?;
                attribute.note(tag, Some(name));
            }
            _ => {
                r.item()?;
                attribute.note(tag, None);
            }
        }
    }
    Ok(())
}

/// Structures whose items are not the standard's, or are read elsewhere: a credential is a secret.
fn is_vendors(tag: Tag, attribute: AttributeContext) -> bool {
    match tag {
        tags::VendorExtension | tags::CredentialValue => true,
        tags::AttributeValue => !attribute.is_standard(),
        _ => false,
    }
}

fn is_known(tag: Tag, value: u32) -> bool {
    // Attributes of other versions and of vendors are told apart by who reads the reference.
    if matches!(tag, tags::AttributeReference | tags::Tag) {
        return true;
    }
    let Some(Vocabulary::Enumeration(rows)) = vocabulary_of(tag) else { return true };
    value & EXTENSION != 0 || row_by_value(rows, value).is_some()
}

#[cfg(test)]
mod tests {
    use ttlv::{ErrorKind, Reader, Tag, Writer};

    use super::check_values;
    use crate::vocabulary::{ENUMERATIONS, tags};

    fn check(write: impl FnOnce(&mut Writer)) -> Result<(), (Tag, ErrorKind)> {
        let mut w = Writer::default();
        write(&mut w);
        let bytes = w.into_bytes();
        check_values(&mut Reader::new(&bytes)).map_err(|error| (error.tag, error.kind))
    }

    /// Every enumeration that has a tag: the values of its table and those of the extensions are
    /// taken, and no others.
    #[test]
    fn value_is_taken_if_the_standard_or_a_vendor_has_it() {
        let tagged = ENUMERATIONS
            .iter()
            .filter_map(|(name, rows)| tags::from_name(name).map(|tag| (*name, tag, *rows)));
        let mut count = 0;
        for (name, tag, rows) in tagged {
            count += 1;
            for row in rows {
                assert_eq!(check(|w| w.enumeration(tag, row.value)), Ok(()), "{name} {}", row.name);
            }
            let last = rows.last().map_or(0, |row| row.value);
            for value in [last + 1, 0x7fff_ffff] {
                let unknown = Err((tag, ErrorKind::UnknownValue(value)));
                assert_eq!(check(|w| w.enumeration(tag, value)), unknown, "{name}");
                let nested =
                    check(|w| w.structure(tags::Attributes, |w| w.enumeration(tag, value)));
                assert_eq!(nested, unknown, "{name}");
            }
            for value in [0x8000_0000, u32::MAX] {
                assert_eq!(check(|w| w.enumeration(tag, value)), Ok(()), "{name}");
            }
        }
        assert!(count > 50, "{count}");
    }

    /// One row a name of an attribute of 1.x: whose value its number is, and in which structure.
    #[test]
    fn value_of_an_attribute_is_of_the_attributes_own_enumeration() {
        let unknown = |tag| Err((tag, ErrorKind::UnknownValue(0x77)));
        let rows = [
            ("Object Type", unknown(tags::ObjectType)),
            ("Cryptographic Algorithm", unknown(tags::CryptographicAlgorithm)),
            ("Cryptographic Length", Ok(())),
            ("x-Rack", Ok(())),
            ("of no version", Ok(())),
        ];
        for (name, expected) in rows {
            let found = check(|w| {
                w.structure(tags::Attribute, |w| {
                    w.text_string(tags::AttributeName, name);
                    w.enumeration(tags::AttributeValue, 0x77);
                });
            });
            assert_eq!(found, expected, "{name}");
        }
        for (name, expected) in [("Name", unknown(tags::NameType)), ("x-Rack", Ok(()))] {
            let found = check(|w| {
                w.structure(tags::Attribute, |w| {
                    w.text_string(tags::AttributeName, name);
                    w.structure(tags::AttributeValue, |w| w.enumeration(tags::NameType, 0x77));
                });
            });
            assert_eq!(found, expected, "{name}");
        }
    }
}
