//! Which attributes came before, told by one bit each.

use super::row::AttributeRow;
use super::table::AttributeValue;

/// The attributes (1.4, 3; 2.1, 4) that were seen among some values. To compare each new value with
/// all before it took a tenth of what a Create does beside its reading and writing.
#[derive(Clone, Debug, Default)]
pub struct Seen([u64; WORDS]);

/// One bit for each tag that the standard has given so far: 420001 to 4201C2.
const WORDS: usize = 8;

impl Seen {
    /// The attributes of these values.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a AttributeValue>) -> Self {
        let mut seen = Self::default();
        for value in values {
            seen.is_first(value);
        }
        seen
    }

    /// Is it certain that no value of its attribute came before? From now on one has. Of what is
    /// in no row of the table it is never certain: the values themselves must be compared.
    pub fn is_first(&mut self, value: &AttributeValue) -> bool {
        let Some(AttributeRow { tag, .. }) = value.tag().and_then(AttributeValue::row) else {
            return false;
        };
        let bit = usize::try_from(tag.0 & 0x1ff).unwrap_or_default();
        let Some(word) = self.0.get_mut(bit / 64) else { return false };
        let mask = 1_u64 << (bit % 64);
        let is_first = *word & mask == 0;
        *word |= mask;
        is_first
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
    fn an_attribute_is_first_once_and_a_vendors_never() {
        let raw = Raw::build(|w| w.integer(Tag(0x42_0001), 7));
        let vendor = AttributeValue::Vendor(VendorAttribute::text("Rack", "7"));
        let others = [
            OtherAttribute::Named("Color".to_owned(), raw.clone()),
            OtherAttribute::Tagged(Tag(0x54_0001), raw),
        ];
        let name = |text| AttributeValue::Name(Name::text(text));
        let mut seen = Seen::of(&[name("a"), vendor.clone()]);
        assert!(!seen.is_first(&name("b")));
        assert!(seen.is_first(&AttributeValue::Fresh(true)));
        assert!(!seen.is_first(&AttributeValue::Fresh(false)));
        for other in others.map(AttributeValue::Other).into_iter().chain([vendor]) {
            assert!(!seen.is_first(&other));
        }
    }
}
