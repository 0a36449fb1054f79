//! Beginning of a message that has no secret in it: for the bytes of broken messages in logs.

use ttlv::{DEPTH_MAX, HEADER_LEN, Header, Reader, Type};

use super::policy::{Visibility, header};
use crate::vocabulary::tags;

/// Returns the bytes of a message up to the first value that [`redacted_text`] hides, or up to
/// the first bytes that cannot be read: they may be a piece of a key.
///
/// [`redacted_text`]: super::redacted_text
pub fn public_prefix(message: &[u8]) -> &[u8] {
    let len = match items(message, 0, 0, Visibility::Shown) {
        Ok(()) => message.len(),
        Err(End(offset)) => offset.min(message.len()),
    };
    message.get(..len).unwrap_or_default()
}

/// Offset of the first byte that is not shown.
struct End(usize);

/// Steps over the items of one structure.
fn items(bytes: &[u8], start: usize, depth: u8, visibility: Visibility) -> Result<(), End> {
    let (mut rest, mut offset) = (bytes, start);
    while !rest.is_empty() {
        let Some(header) = header(rest) else { return Err(End(offset)) };
        // What has no name may be three bytes of a key.
        if tags::name(header.tag).is_none() {
            return Err(End(offset));
        }
        let used = match Type::from_number(header.ty) {
            Some(Type::Structure) => structure(header, rest, offset, depth, visibility)?,
            _ => leaf(rest, offset, visibility)?,
        };
        rest = rest.get(used..).unwrap_or_default();
        offset = offset.saturating_add(used);
    }
    Ok(())
}

fn structure(
    header: Header,
    bytes: &[u8],
    offset: usize,
    depth: u8,
    visibility: Visibility,
) -> Result<usize, End> {
    let inside = offset.saturating_add(HEADER_LEN);
    let len = usize::try_from(header.len).unwrap_or(usize::MAX);
    let body = bytes.get(HEADER_LEN..).unwrap_or_default();
    let visibility = visibility.inside(header.tag);
    if visibility == Visibility::Hidden || depth >= DEPTH_MAX {
        return Err(End(inside));
    }
    items(body.get(..len).unwrap_or(body), inside, depth.saturating_add(1), visibility)?;
    match body.len() >= len && len % 8 == 0 {
        true => Ok(HEADER_LEN.saturating_add(len)),
        false => Err(End(inside.saturating_add(len.min(body.len())))),
    }
}

fn leaf(bytes: &[u8], offset: usize, visibility: Visibility) -> Result<usize, End> {
    let hidden = || End(offset.saturating_add(HEADER_LEN));
    let mut reader = Reader::new(bytes);
    let item = reader.item().map_err(|_| hidden())?;
    // A text that is none may be a structure under a wrong type.
    let is_text = item.ty != Type::TextString
        || core::str::from_utf8(item.value)
            .is_ok_and(|text| !text.trim_end_matches('\0').contains('\0'));
    match visibility.of_value(item.tag, item.ty) == Visibility::Shown && is_text {
        true => Ok(reader.offset()),
        false => Err(hidden()),
    }
}

#[cfg(test)]
mod tests {
    use ttlv::Writer;

    use super::public_prefix;
    use crate::vocabulary::tags;

    const KEY: [u8; 16] = [0xC7; 16];

    fn message() -> Vec<u8> {
        let mut w = Writer::default();
        w.structure(tags::ResponsePayload, |w| {
            w.text_string(tags::UniqueIdentifier, "id");
            w.structure(tags::KeyBlock, |w| {
                w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, &KEY));
                w.integer(tags::CryptographicLength, 128);
            });
        });
        w.into_bytes()
    }

    #[test]
    fn prefix_ends_where_a_key_begins() {
        let message = message();
        let key = message.windows(KEY.len()).position(|bytes| bytes == KEY).unwrap();
        assert_eq!(public_prefix(&message), &message[..key]);
    }

    #[test]
    fn message_without_secrets_is_shown_whole() {
        let mut w = Writer::default();
        w.structure(tags::ResponsePayload, |w| w.text_string(tags::UniqueIdentifier, "id"));
        let message = w.into_bytes();
        assert_eq!(public_prefix(&message), message);
    }

    /// Whatever byte before the key is changed, or wherever the message ends: no run of its bytes
    /// is shown.
    #[test]
    fn no_change_of_a_byte_before_the_key_shows_it() {
        let message = message();
        let key = message.windows(KEY.len()).position(|bytes| bytes == KEY).unwrap();
        for at in 0..key {
            for bit in 0..8 {
                let mut changed = message.clone();
                changed[at] ^= 1 << bit;
                for end in [message.len(), key + 8] {
                    let shown = public_prefix(&changed[..end]);
                    assert!(!shown.windows(3).any(|bytes| bytes == [0xC7; 3]), "{at} {bit}");
                }
            }
        }
    }
}
