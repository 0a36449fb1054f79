//! The turning of keys (2.1, 4.48 to 4.54): what a key and the one that takes its place say of it,
//! whichever operation replaces it.
//!
//! ```text
//! old key                                new key
//! Rotate Date        now                 Rotate Generation   the old one's and one more
//! Rotate Latest      no                  Rotate Latest       yes
//!                                        Rotate Name, Automatic, Interval, Offset   as before
//! ```
//!
//! The standard says that a rotated object has a Rotate Date; the rotated one is the old one.

use kmip::DateTime;
use kmip::attributes::AttributeValue as V;
use kmip::vocabulary::ObjectType;

use crate::objects::attribute::attribute;
use crate::objects::record::Metadata;
use crate::store::root_key::HASH_LEN;

/// Is it about one key of a row alone, so that the next one begins anew with it?
pub(crate) const fn is_of_one(value: &V) -> bool {
    matches!(value, V::RotateDate(_) | V::RotateGeneration(_) | V::RotateLatest(_))
}

/// Writes down that the new key, which has these attributes, takes the place of the old one.
pub(crate) fn turn(old: &mut Metadata, new: &mut Vec<V>, now: DateTime) {
    let generation = attribute!(old.values(), RotateGeneration).unwrap_or(0).saturating_add(1);
    new.retain(|value| !is_of_one(value));
    new.extend([V::RotateGeneration(generation), V::RotateLatest(true)]);
    old.set(V::RotateDate(now));
    old.set(V::RotateLatest(false));
}

/// What the rows of keys begin with that turn by themselves.
pub(crate) const PREFIX: &[u8] = b"r/";

/// When the server is to replace the key, if it is to do so at all: a Rotate Interval after the
/// key's Initial Date, once (2.1, 4.48 and 4.51).
pub(crate) fn due(metadata: &Metadata) -> Option<DateTime> {
    let kind = metadata.object_type()?;
    let turns = matches!(kind, ObjectType::SymmetricKey | ObjectType::PrivateKey)
        && attribute!(metadata.values(), RotateAutomatic) == Some(true)
        && attribute!(metadata.values(), RotateLatest) != Some(false);
    let interval =
        attribute!(metadata.values(), RotateInterval).filter(|interval| interval.0 > 0)?;
    let since = attribute!(metadata.values(), InitialDate).filter(|_| turns)?;
    Some(DateTime(since.0.saturating_add(i64::from(interval.0))))
}

/// What the rows begin with of keys that are due at that second.
pub(crate) fn row_of(when: DateTime) -> Vec<u8> {
    // No key is due before 1970.
    let when = u64::try_from(when.0).unwrap_or(0);
    [PREFIX, when.to_be_bytes().as_slice()].concat()
}

/// A row read: which key is due, and when.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// When.
    pub when: DateTime,
    /// The hash of its owner, for keys whose identifiers clients chose.
    pub chosen: [u8; HASH_LEN],
    /// The key.
    pub id: String,
}

impl Due {
    /// The key of the row.
    pub(crate) fn row(&self) -> Vec<u8> {
        [row_of(self.when).as_slice(), self.chosen.as_slice(), self.id.as_bytes()].concat()
    }

    /// Reads the key of a row.
    pub(crate) fn read(row: &[u8]) -> Option<Self> {
        let (when, rest) = row.strip_prefix(PREFIX)?.split_first_chunk::<8>()?;
        let (chosen, id) = rest.split_first_chunk::<HASH_LEN>()?;
        let when = i64::try_from(u64::from_be_bytes(*when)).ok()?;
        let id = core::str::from_utf8(id).ok()?.to_owned();
        Some(Self { when: DateTime(when), chosen: *chosen, id })
    }
}

#[cfg(test)]
mod tests {
    use super::Due;
    use kmip::DateTime;

    #[test]
    fn rows_come_back_and_sort_by_their_time() {
        let due = |when| Due { when: DateTime(when), chosen: [255; 16], id: "an id".to_owned() };
        assert_eq!(Due::read(&due(1_000_000).row()), Some(due(1_000_000)));
        assert!(due(255).row() < due(256).row());
        assert_eq!(Due::read(b"r/short"), None);
    }
}
