//! The turning of keys (2.1, 4.48 to 4.54): what a key and the one that takes its place say of it,
//! whichever operation replaces it.
//!
//! ```text
//! old key                                new key
//! Rotate Date        now                 Rotate Generation   the old one's and one more
//! Rotate Latest      no                  Rotate Latest       yes
//!                                        Rotate Name, Automatic, Interval, Offset   as the old one's
//! ```
//!
//! The standard says that a rotated object has a Rotate Date; the rotated one is the old one.

use kmip::DateTime;
use kmip::attributes::AttributeValue as V;

use crate::find::find;
use crate::record::Metadata;

/// Is it about one key of a row alone, so that the next one begins anew with it?
pub const fn is_of_one(value: &V) -> bool {
    matches!(value, V::RotateDate(_) | V::RotateGeneration(_) | V::RotateLatest(_))
}

/// Writes down that the new key, which has these attributes, takes the place of the old one.
pub fn turn(old: &mut Metadata, new: &mut Vec<V>, now: DateTime) {
    let generation = find!(old.values(), RotateGeneration).unwrap_or(0).saturating_add(1);
    new.retain(|value| !is_of_one(value));
    new.extend([V::RotateGeneration(generation), V::RotateLatest(true)]);
    old.set(V::RotateDate(now));
    old.set(V::RotateLatest(false));
}
