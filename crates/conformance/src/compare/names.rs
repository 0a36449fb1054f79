//! Keys by which elements are matched, and values as they may be shown.

use std::borrow::Cow;

use kmip::encoding::Element;
use ttlv::Type;

use crate::server_objects::Attribute;

/// Key of one of several elements: an attribute's name, or the value of a name.
pub(super) fn element_key(element: &Element) -> Cow<'_, str> {
    match element.name.as_ref() {
        "Attribute" => match Attribute::from_element(element) {
            Some(attribute) => Cow::Owned(attribute.name),
            None => Cow::Borrowed(""),
        },
        "AttributeReference" if element.text().is_none() => {
            let part = |name| element.child(name).and_then(Element::text).unwrap_or_default();
            Cow::Owned(format!("{}-{}", part("VendorIdentification"), part("AttributeName")))
        }
        "AttributeName" | "AttributeReference" | "Operation" | "ObjectType" => {
            Cow::Borrowed(element.text().unwrap_or_default())
        }
        name => Cow::Borrowed(name),
    }
}

/// A value as text, with secrets hidden.
pub(super) fn redacted_value(name: &str, ty: Type, text: &str) -> String {
    let leaf = Element::leaf(name.to_owned(), ty, text);
    match leaf.to_ttlv() {
        Ok(ttlv) => {
            let line = kmip::redacted_text(&ttlv).to_string();
            let value = line.trim_end().split_once("): ").map(|(_, value)| value.to_owned());
            value.unwrap_or_else(|| "a value".to_owned())
        }
        // The value of a client's own attribute, whose name is no tag.
        Err(_) => format!("a {} of {} letters", ty.name(), text.len()),
    }
}
