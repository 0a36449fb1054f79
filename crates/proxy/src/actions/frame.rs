//! Changes of the bytes of a message, after which it may not be one.

use ttlv::{HEADER_LEN, Tag};
use zeroize::Zeroizing;

use crate::message::position;

/// Adds `by` to the length of the message, or of its first item with `tag`; `None` if there is no
/// such item.
pub(crate) fn corrupt_length(
    bytes: &[u8],
    by: i64,
    tag: Option<Tag>,
) -> Option<Zeroizing<Vec<u8>>> {
    let offset = match tag {
        None => 0,
        Some(tag) => position(bytes, tag)?,
    };
    let mut changed = Zeroizing::new(bytes.to_vec());
    let length = changed.get_mut(offset.checked_add(4)?..offset.checked_add(HEADER_LEN)?)?;
    let old = u32::from_be_bytes(*length.first_chunk()?);
    let new = i64::from(old).saturating_add(by).clamp(0, i64::from(u32::MAX));
    length.copy_from_slice(&u32::try_from(new).ok()?.to_be_bytes());
    (changed.as_slice() != bytes).then_some(changed)
}

#[cfg(test)]
mod tests {
    use kmip::tags;
    use ttlv::Writer;

    use super::corrupt_length;

    #[test]
    fn length_of_the_message_or_of_an_item_is_changed_and_nothing_else() {
        let mut w = Writer::default();
        w.structure(tags::ResponseMessage, |w| w.integer(tags::BatchCount, 1));
        let message = w.into_bytes();
        let rows =
            [(8, None, 4..8, 24_u32), (-99, None, 4..8, 0), (1, Some(tags::BatchCount), 12..16, 5)];
        for (by, tag, place, expected) in rows {
            let changed = corrupt_length(&message, by, tag).unwrap();
            assert_eq!(changed[place.clone()], expected.to_be_bytes());
            assert_eq!(changed[..place.start], message[..place.start]);
            assert_eq!(changed[place.end..], message[place.end..]);
        }
        assert!(corrupt_length(&message, 8, Some(tags::KeyMaterial)).is_none());
    }
}
