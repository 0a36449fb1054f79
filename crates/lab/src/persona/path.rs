//! Path to elements of an answer: `SymmetricKey/KeyBlock/KeyValue`, `Attribute[State]`.

use kmip::encoding::Element;
use ttlv::Type;

/// Structures whose values are secret, whatever their type.
const SECRET: [&str; 3] = ["KeyValue", "KeyMaterial", "CredentialValue"];

/// Bytes that no server keeps secret.
const PUBLIC_BYTES: [&str; 2] = ["UniqueBatchItemID", "IVCounterNonce"];

/// The longest text that is shown whole.
const SHOWN_LEN_MAX: usize = 160;

/// A path below an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    name: String,
    /// The Attribute Name that the element must have.
    attribute: Option<String>,
}

impl Path {
    /// Reads a path at the beginning of a text, and returns it with what follows.
    pub(super) fn parse(text: &str) -> Result<(Self, &str), String> {
        let mut depth = 0_usize;
        let end = text.find(|c: char| {
            match c {
                '[' => depth = depth.saturating_add(1),
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c.is_whitespace() && depth == 0
        });
        let (path, rest) = text.split_at(end.unwrap_or(text.len()));
        let segments = split_outside_brackets(path).into_iter().map(Segment::parse);
        Ok((Self(segments.collect::<Result<_, _>>()?), rest.trim_start()))
    }

    /// The elements that the path leads to.
    pub(super) fn find<'a>(&self, root: &'a Element) -> Vec<&'a Element> {
        self.0.iter().fold(vec![root], |found, segment| {
            let children = found.into_iter().flat_map(|element| element.children());
            children.filter(|child| segment.matches(child)).collect()
        })
    }

    /// The value of an element that the path leads to, as a report shows it.
    pub(super) fn show(&self, element: &Element) -> String {
        let is_below = |name: &str| self.0.iter().any(|segment| segment.name == name);
        let is_bytes = matches!(element.ty(), Type::ByteString | Type::BigInteger);
        let is_public = PUBLIC_BYTES.contains(&element.name.as_ref());
        match element.text() {
            None => {
                let names: Vec<&str> =
                    element.children().iter().map(|child| child.name.as_ref()).collect();
                format!("a structure of {}", list(&names))
            }
            Some(text) if is_bytes && !is_public => {
                format!("{} bytes that are not shown", text.len().div_euclid(2))
            }
            Some(text) if SECRET.into_iter().any(is_below) => {
                format!("{} characters that are not shown", text.len())
            }
            Some(text) => shown(text),
        }
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a name of an element");
        let (name, attribute) = match text.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']').ok_or_else(wrong)?)),
            None => (text, None),
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
            || name.starts_with("0x") && name.len() == 8;
        if !is_name || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), attribute: attribute.map(str::to_owned) })
    }

    fn matches(&self, element: &Element) -> bool {
        let attribute = || element.child("AttributeName").and_then(Element::text);
        element.name == self.name
            && self.attribute.as_ref().is_none_or(|wanted| attribute() == Some(wanted))
    }
}

/// Splits a path; a name in brackets may have a slash.
fn split_outside_brackets(path: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    path.split(|c: char| {
        match c {
            '[' => depth = depth.saturating_add(1),
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '/' && depth == 0
    })
    .collect()
}

/// Names as a list, or "nothing".
pub(super) fn list(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// A text of a peer, in quotation marks and of a bounded length.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_LEN_MAX).collect();
    let more = if short.len() < text.len() { " ..." } else { "" };
    format!("{short:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::Path;
    use kmip::encoding::xml;

    const PAYLOAD: &str = r#"<ResponsePayload>
        <Attribute><AttributeName type="TextString" value="State"/>
        <AttributeValue type="Enumeration" value="Active"/></Attribute>
        <Attribute><AttributeName type="TextString" value="Cryptographic Usage Mask"/>
        <AttributeValue type="Integer" value="Encrypt Decrypt"/></Attribute>
        <SymmetricKey><KeyBlock><KeyValue><KeyMaterial type="ByteString" value="0011"/>
        </KeyValue></KeyBlock></SymmetricKey></ResponsePayload>"#;

    #[test]
    fn path_leads_to_elements_by_name_and_attribute() {
        let payload = xml::read(PAYLOAD).unwrap();
        let rows = [
            ("Attribute exists", 2, "exists"),
            ("Attribute[State]/AttributeValue = Active", 1, "= Active"),
            ("Attribute[Cryptographic Usage Mask]/AttributeValue exists", 1, "exists"),
            ("Attribute[Name] is absent", 0, "is absent"),
            ("0x540001 is absent", 0, "is absent"),
        ];
        for (text, count, rest) in rows {
            let (path, after) = Path::parse(text).unwrap();
            assert_eq!((path.find(&payload).len(), after), (count, rest), "{text}");
        }
        for wrong in ["", "lower = 1", "Attribute[State", "A//B", "A-B"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn key_material_is_not_shown() {
        let payload = xml::read(PAYLOAD).unwrap();
        let show = |text: &str| {
            let (path, _) = Path::parse(text).unwrap();
            path.show(path.find(&payload)[0])
        };
        let material = show("SymmetricKey/KeyBlock/KeyValue/KeyMaterial");
        assert_eq!(material, "2 bytes that are not shown");
        assert_eq!(show("SymmetricKey/KeyBlock/KeyValue"), "a structure of KeyMaterial");
        assert_eq!(show("Attribute[State]/AttributeValue"), "\"Active\"");
    }
}
