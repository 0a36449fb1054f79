//! Set of attributes, one bit each.

use super::row::AttributeRow;
use super::table::AttributeValue;

/// Set of attributes (1.4, 3; 2.1, 4). Comparing each new value with all earlier ones instead takes
/// a tenth of a Create's own time.
#[derive(Clone, Debug, Default)]
pub struct AttributeSet([u64; WORDS]);

/// One bit for each tag that the standard has given so far: 420001 to 4201C2.
const WORDS: usize = 8;

impl AttributeSet {
    /// Set of the attributes of these values.
    pub fn from_values<'a>(values: impl IntoIterator<Item = &'a AttributeValue>) -> Self {
        let mut set = Self::default();
        for value in values {
            set.insert(value);
        }
        set
    }

    /// Adds the attribute of a value, and returns whether it was not in the set. Returns false for
    /// an attribute that is in no row of the table: such values must be compared themselves.
    pub fn insert(&mut self, value: &AttributeValue) -> bool {
        let Some(AttributeRow { tag, .. }) = value.tag().and_then(AttributeValue::row) else {
            return false;
        };
        let bit = usize::try_from(tag.0 & 0x1ff).unwrap_or_default();
        let Some(word) = self.0.get_mut(bit / 64) else { return false };
        let mask = 1_u64 << (bit % 64);
        let is_new = *word & mask == 0;
        *word |= mask;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{ATTRIBUTES, OtherAttribute, VendorAttribute};
    use super::*;
    use crate::structures::Name;
    use ttlv::{Raw, Tag};

    #[test]
    fn no_two_attributes_share_a_bit() {
        let bits: BTreeSet<u32> = ATTRIBUTES.iter().map(|row| row.tag.0 & 0x1ff).collect();
        assert_eq!(bits.len(), ATTRIBUTES.len());
    }

    #[test]
    fn an_attribute_is_new_once_and_a_vendors_never() {
        let raw = Raw::build(|w| w.integer(Tag(0x42_0001), 7));
        let vendor = AttributeValue::Vendor(VendorAttribute::text("Rack", "7"));
        let others = [
            OtherAttribute::Named("Color".to_owned(), raw.clone()),
            OtherAttribute::Tagged(Tag(0x54_0001), raw),
        ];
        let name = |text| AttributeValue::Name(Name::text(text));
        let mut set = AttributeSet::from_values(&[name("a"), vendor.clone()]);
        assert!(!set.insert(&name("b")));
        assert!(set.insert(&AttributeValue::Fresh(true)));
        assert!(!set.insert(&AttributeValue::Fresh(false)));
        for other in others.map(AttributeValue::Other).into_iter().chain([vendor]) {
            assert!(!set.insert(&other));
        }
    }
}
