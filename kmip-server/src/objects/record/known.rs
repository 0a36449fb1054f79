//! What is known of an object, all or a part.

use kmip::DateTime;
use kmip::attributes::AttributeValue;
use kmip::vocabulary::{ObjectType, State};
use ttlv::Error;

/// What is known of an object, all or a part: what has to be known of each before anything is done
/// with it.
pub(crate) trait Known: Sized {
    /// Reads what was kept.
    fn decode(row: &[u8]) -> Result<Self, Error>;

    /// The client that made it, and that alone may see it.
    fn owner(&self) -> &str;

    /// Its kind.
    fn object_type(&self) -> Option<ObjectType>;

    /// The State at `now`.
    fn state(&self, now: DateTime) -> State;

    /// Is it in the archive?
    fn is_archived(&self) -> bool;

    /// Is it in this group?
    fn is_in(&self, group: &str) -> bool;
}

/// Is an object of these attributes in a group?
pub(crate) fn is_in<'a>(mut values: impl Iterator<Item = &'a AttributeValue>, group: &str) -> bool {
    values.any(|value| matches!(value, AttributeValue::ObjectGroup(own) if own == group))
}
