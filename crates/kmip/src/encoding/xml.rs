//! XML: an element an item, its value in an attribute (Additional Message Encodings 1.0, 6; 2.1
//! profiles, 5.4).
//!
//! ```text
//! <ResponseHeader>
//!   <TimeStamp type="DateTime" value="2013-06-26T09:09:17+00:00"/>
//!   <TTLV tag="0x54FFFF" type="Integer" value="1"/>
//! </ResponseHeader>
//! ```
//!
//! Read event by event, with a limit to everything. No document type, no processing instruction
//! and no entity but those that every XML has: nothing here expands.

use std::borrow::Cow;

use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};
use ttlv::{DEPTH_MAX, Type};
use zeroize::Zeroizing;

use super::{Element, Error, Fault, ITEMS_MAX, SecretTextBuffer, TEXT_LEN_MAX, Value};

/// The namespace that elements may be in (6.1.6).
pub const NAMESPACE: &str = "urn:oasis:tc:kmip:xmlns";

/// The element that any tag may be written as, and the one that a tag without a name must be.
const ANY: &str = "TTLV";

/// How far each level is indented.
const INDENT: &str = "  ";

/// The bytes of a message as XML.
pub fn encode(ttlv: &[u8]) -> Result<Zeroizing<String>, Error> {
    write(&Element::from_ttlv(ttlv)?)
}

/// XML as the bytes of a message.
pub fn decode(xml: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    read(xml)?.to_ttlv()
}

/// An element as XML, a line an item.
///
/// # Errors
///
/// A text that has a character which XML cannot have (XML 1.0, 2.2).
pub fn write(element: &Element) -> Result<Zeroizing<String>, Error> {
    let mut out = SecretTextBuffer::default();
    write_element(element, 0, &mut out)?;
    Ok(out.into_text())
}

fn write_element(element: &Element, depth: u8, out: &mut SecretTextBuffer) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::at(&element.name, Fault::Depth(DEPTH_MAX)));
    }
    (0..depth).for_each(|_| out.push_str(INDENT));
    out.push_str("<");
    let name: &str = match element.name.starts_with("0x") {
        true => ANY,
        false => &element.name,
    };
    out.push_str(name);
    if name == ANY {
        out.push_str(" tag=\"");
        out.push_str(&element.name);
        out.push_str("\"");
    }
    match &element.value {
        Value::Structure(children) if children.is_empty() => out.push_str("/>\n"),
        Value::Structure(children) => {
            out.push_str(">\n");
            for child in children {
                write_element(child, depth.saturating_add(1), out)?;
            }
            (0..depth).for_each(|_| out.push_str(INDENT));
            out.push_str("</");
            out.push_str(name);
            out.push_str(">\n");
        }
        Value::Text(ty, text) => {
            out.push_str(" type=\"");
            out.push_str(ty.name());
            out.push_str("\" value=\"");
            escape(text, out).map_err(|fault| Error::at(&element.name, fault))?;
            out.push_str("\"/>\n");
        }
    }
    Ok(())
}

/// Writes text between quotation marks. What a reader would make a blank of is written as a number.
fn escape(text: &str, out: &mut SecretTextBuffer) -> Result<(), Fault> {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c if !is_allowed(c) => return Err(Fault::Character),
            c => out.push_str(c.encode_utf8(&mut [0; 4])),
        }
    }
    Ok(())
}

/// Returns whether XML can have a character, be it as a number (XML 1.0, 2.2 and 4.1).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || !matches!(c, '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// XML as an element. Whether its names mean anything is seen by [`Element::to_ttlv`].
pub fn read(xml: &str) -> Result<Element, Error> {
    if xml.len() > TEXT_LEN_MAX {
        return Err(Error::at("", Fault::TooLong(TEXT_LEN_MAX)));
    }
    let mut reader = NsReader::from_str(xml);
    let config = reader.config_mut();
    (config.check_end_names, config.check_comments) = (true, true);
    let mut is_first = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut items = 0_usize;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| syntax(MALFORMED))?;
        let is_begin = std::mem::replace(&mut is_first, false);
        let done = match event {
            Event::Decl(declaration) => {
                check_declaration(&declaration, is_begin)?;
                None
            }
            Event::Start(start) => {
                let element = element(&start, &namespace)?;
                if open.len() > usize::from(DEPTH_MAX) {
                    return Err(Error::at(&element.name, Fault::Depth(DEPTH_MAX)));
                }
                items = items.saturating_add(1);
                open.push(element);
                None
            }
            Event::Empty(start) => {
                items = items.saturating_add(1);
                Some(element(&start, &namespace)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(text) if text.trim_ascii().is_empty() => None,
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                return Err(syntax("text stands between elements; a value is an attribute"));
            }
            Event::DocType(_) => return Err(syntax("a document type is not read")),
            Event::PI(_) => return Err(syntax("a processing instruction is not read")),
            Event::Comment(_) => None,
            Event::Eof => break,
        };
        if items > ITEMS_MAX {
            return Err(Error::at("", Fault::TooMany(ITEMS_MAX)));
        }
        let Some(done) = done else { continue };
        match open.last_mut().map(|parent| &mut parent.value) {
            Some(Value::Structure(children)) => children.push(done),
            Some(Value::Text(..)) => return Err(Error::at(&done.name, Fault::Both)),
            None if root.is_none() => root = Some(done),
            None => return Err(Error::at(&done.name, Fault::OneMessage)),
        }
    }
    match open.pop() {
        Some(unclosed) => Err(Error::at(&unclosed.name, Fault::Syntax("it is not closed"))),
        None => root.ok_or_else(|| Error::at("", Fault::OneMessage)),
    }
}

/// It stands at the beginning, and names no encoding but the one that is read (XML 1.0, 2.8 and
/// 4.3.3).
fn check_declaration(declaration: &BytesDecl<'_>, is_begin: bool) -> Result<(), Error> {
    if !is_begin {
        return Err(syntax("the XML declaration stands at the beginning or nowhere"));
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(_)) => Err(syntax("it declares another encoding than UTF-8")),
        Some(Err(_)) => Err(syntax(MALFORMED)),
    }
}

pub(super) const MALFORMED: &str = "this is no well-formed XML";

fn syntax(why: &'static str) -> Error {
    Error::at("", Fault::Syntax(why))
}

/// Returns whether a blank stands between the attributes of a tag (XML 1.0, 3.1).
fn is_separated(attributes: &str) -> bool {
    let mut quote = None;
    let mut is_closed = false;
    for c in attributes.chars() {
        if is_closed && !matches!(c, ' ' | '\t' | '\r' | '\n') {
            return false;
        }
        is_closed = quote == Some(c);
        quote = match quote {
            Some(_) if is_closed => None,
            None if matches!(c, '"' | '\'') => Some(c),
            other => other,
        };
    }
    true
}

/// The element of a tag, without what is inside.
fn element(start: &BytesStart<'_>, namespace: &ResolveResult<'_>) -> Result<Element, Error> {
    let local = start.local_name();
    let name = local.as_ref();
    match namespace {
        ResolveResult::Unbound => {}
        ResolveResult::Bound(namespace) if namespace.0 == NAMESPACE => {}
        ResolveResult::Bound(_) | ResolveResult::Unknown(_) => {
            return Err(Error::at(name, Fault::Syntax("its namespace is not KMIP's")));
        }
    }
    let (mut tag, mut ty, mut value) = (None, Type::Structure, None);
    if !is_separated(start.attributes_raw()) {
        return Err(Error::at(name, Fault::Syntax(MALFORMED)));
    }
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Error::at(name, Fault::Syntax(MALFORMED)))?;
        // XML 1.0, 3.1: no < in attribute values.
        if attribute.value.contains('<') {
            return Err(Error::at(name, Fault::Syntax(MALFORMED)));
        }
        let text = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| Error::at(name, Fault::Syntax(MALFORMED)))?;
        // The parser takes such a number. What it stands for could not be written again.
        if !text.chars().all(is_allowed) {
            return Err(Error::at(name, Fault::Character));
        }
        match attribute.key.0 {
            "type" => {
                let named = Type::ALL.iter().find(|ty| ty.name() == text);
                ty = *named.ok_or_else(|| Error::at(name, Fault::Type))?;
            }
            "value" => value = Some(Zeroizing::new(text.into_owned())),
            "tag" => tag = Some(text.into_owned()),
            // What a tag without a name is called by whoever sent it; and what namespaces need.
            "name" => {}
            other if other == "xmlns" || other.contains(':') => {}
            _ => return Err(Error::at(name, Fault::Syntax("it has an unknown attribute"))),
        }
    }
    let name = match (name, tag) {
        (ANY, Some(tag)) => tag,
        (ANY, None) => return Err(Error::at(name, Fault::Tag)),
        (name, _) => name.to_owned(),
    };
    let value = match (ty, value) {
        (Type::Structure, None) => Value::Structure(Vec::new()),
        (Type::Structure, Some(_)) => return Err(Error::at(&name, Fault::Both)),
        (ty, None) => return Err(Error::at(&name, Fault::Missing(ty))),
        (ty, Some(text)) => Value::Text(ty, text),
    };
    Ok(Element { name: Cow::Owned(name), value })
}
