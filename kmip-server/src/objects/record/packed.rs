//! TTLV as it is kept: without its padding, and with short tags, lengths and numbers.
//!
//! ```text
//! packed   01 | length of the TTLV (4) | length of the items (4) | items
//! item     form and type | tag | number                  of a number, a date, a flag
//!                              | length | bytes          of a string
//!                              | item ... | 00           of a structure
//! ```
//!
//! It is half as long so: 40,000 AES keys with a name are 13.8 MB of rows instead of 24.5, and on
//! disk 66 MB instead of 82 with sled and 32 instead of 43 with redb. A start reads all of it.
//! Numbers and lengths have seven bits a byte, the lowest first, and the eighth says that there are
//! more. A tag is told by its last byte where a form says the others.
//!
//! **What would not come back byte for byte is not packed.** That is for the caller to keep as it
//! is: TTLV does not begin with 01.

use ttlv::{DEPTH_MAX, HEADER_LEN, Header, Tag, Type};

use crate::secret::SecretBuffer;
use crate::store::VALUE_LEN_MAX;

/// What packed bytes begin with: TTLV begins with a tag, `42` or `54`.
const PACKED: u8 = 1;

/// The end of a structure, where an item would begin.
const END: u8 = 0;

/// The first two bytes of tags that are told by a form: the standard's, and those of what is kept.
const PAGES: [u32; 3] = [0x42_00, 0x42_01, 0x54_4B];

/// The form of a tag that is there as a whole.
const WHOLE: u8 = 3;

/// What stands before the items.
const HEAD_LEN: usize = 1 + 4 + 4;

/// The longest number of seven bits a byte: of 64 bits.
const NUMBER_LEN_MAX: u32 = 10;

/// Packs one item, header and all, with room for `behind` bytes behind it. None if it would not
/// come back as it is, or is longer than what the store takes: what can be kept can be unpacked.
pub(super) fn pack(ttlv: &[u8], behind: usize) -> Option<SecretBuffer> {
    if ttlv.len() > VALUE_LEN_MAX {
        return None;
    }
    // Never longer than what is packed: an item has three bytes of tag and length less, at least.
    let most = HEAD_LEN.checked_add(ttlv.len())?.checked_add(behind)?;
    let mut packed = SecretBuffer::new(Vec::with_capacity(most));
    packed.push(PACKED);
    packed.extend_from_slice(&u32::try_from(ttlv.len()).ok()?.to_be_bytes());
    packed.extend_from_slice(&[0; 4]);
    pack_items(ttlv, DEPTH_MAX, &mut packed)?;
    let items = u32::try_from(packed.len().checked_sub(HEAD_LEN)?).ok()?.to_be_bytes();
    packed.get_mut(HEAD_LEN - 4..HEAD_LEN)?.copy_from_slice(&items);
    Some(packed)
}

/// Are these packed bytes?
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&PACKED)
}

/// The lengths at the beginning: of the TTLV, and of the packed bytes with them; none if there are
/// not so many.
fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let ([form, a, b, c, d, e, f, g, h], rest) = bytes.split_first_chunk::<HEAD_LEN>()?;
    let ttlv = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?;
    let items = usize::try_from(u32::from_be_bytes([*e, *f, *g, *h])).ok()?;
    let is_there = *form == PACKED && items <= rest.len() && ttlv <= VALUE_LEN_MAX;
    is_there.then_some((ttlv, HEAD_LEN.checked_add(items)?))
}

/// How long the packed bytes are that stand at the beginning.
pub(super) fn len(bytes: &[u8]) -> Option<usize> {
    lengths(bytes).map(|(_, len)| len)
}

/// The TTLV that was packed; none if these bytes are none that [`pack`] makes.
pub(super) fn unpack(packed: &[u8]) -> Option<SecretBuffer> {
    let (max, len) = lengths(packed)?;
    let mut rest = packed.get(HEAD_LEN..).filter(|_| len == packed.len())?;
    let mut ttlv = SecretBuffer::new(Vec::with_capacity(max));
    unpack_items(&mut rest, 0, max, &mut ttlv)?;
    (ttlv.len() == max).then_some(ttlv)
}

fn pack_items(mut rest: &[u8], depth_left: u8, packed: &mut Vec<u8>) -> Option<()> {
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_LEN>() {
        let header = Header::parse(*header);
        let len = usize::try_from(header.len).ok()?;
        let value = after.get(..len)?;
        let end = len.checked_next_multiple_of(8)?;
        if after.get(len..end)?.iter().any(|padding| *padding != 0) {
            return None;
        }
        let ty = Type::from_number(header.ty)?;
        push_head(header.tag, ty, packed);
        match (ty, len) {
            (Type::Structure, _) => {
                pack_items(value, depth_left.checked_sub(1)?, packed)?;
                packed.push(END);
            }
            (ty, len) if ty.fixed_len().is_some_and(|fixed| fixed != len) => return None,
            (ty, 4) if ty.fixed_len().is_some() => {
                push_number(u32::from_be_bytes(value.try_into().ok()?).into(), packed);
            }
            (ty, _) if ty.fixed_len().is_some() => {
                push_number(u64::from_be_bytes(value.try_into().ok()?), packed);
            }
            _ => {
                push_number(header.len.into(), packed);
                packed.extend_from_slice(value);
            }
        }
        rest = after.get(end..)?;
    }
    rest.is_empty().then_some(())
}

/// Unpacks up to the end of a structure, or at depth 0 to the end of all.
fn unpack_items(rest: &mut &[u8], depth: u8, max: usize, ttlv: &mut Vec<u8>) -> Option<()> {
    loop {
        match rest.first() {
            None => return (depth == 0).then_some(()),
            Some(&END) if depth == 0 => return None,
            Some(&END) => {
                *rest = rest.get(1..)?;
                return Some(());
            }
            Some(_) => unpack_item(rest, depth, max, ttlv)?,
        }
    }
}

fn unpack_item(rest: &mut &[u8], depth: u8, max: usize, ttlv: &mut Vec<u8>) -> Option<()> {
    let (tag, ty) = head(rest)?;
    match (ty, ty.fixed_len()) {
        (Type::Structure, _) => {
            let at = ttlv.len();
            push_item(tag, ty, &[], max, ttlv)?;
            unpack_items(rest, depth.checked_add(1).filter(|d| *d <= DEPTH_MAX)?, max, ttlv)?;
            let len = ttlv.len().checked_sub(at)?.checked_sub(HEADER_LEN)?;
            let len = u32::try_from(len).ok()?.to_be_bytes();
            ttlv.get_mut(at..)?.get_mut(HEADER_LEN - 4..HEADER_LEN)?.copy_from_slice(&len);
            Some(())
        }
        (_, None) => push_item(tag, ty, string(rest)?, max, ttlv),
        (_, Some(4)) => {
            let value = u32::try_from(number(rest)?).ok()?;
            push_item(tag, ty, &value.to_be_bytes(), max, ttlv)
        }
        (_, Some(_)) => push_item(tag, ty, &number(rest)?.to_be_bytes(), max, ttlv),
    }
}

fn skip_item(rest: &mut &[u8]) -> Option<()> {
    let mut depth = 0_usize;
    loop {
        if depth > 0 && rest.first() == Some(&END) {
            *rest = rest.get(1..)?;
            depth = depth.checked_sub(1)?;
        } else {
            let (_, ty) = head(rest)?;
            match (ty, ty.fixed_len()) {
                (Type::Structure, _) => depth = depth.checked_add(1)?,
                (_, None) => drop(string(rest)?),
                (_, Some(_)) => drop(number(rest)?),
            }
        }
        if depth == 0 {
            return Some(());
        }
    }
}

/// The items of one structure that was packed, one after another, for those who look at a few.
pub(super) struct Items<'a> {
    rest: &'a [u8],
    /// How long the whole is, unpacked.
    max: usize,
}

impl<'a> Items<'a> {
    /// The items of the structure at the beginning; none if there is none.
    pub(super) fn of(packed: &'a [u8], structure: Tag) -> Option<Self> {
        let (max, len) = lengths(packed)?;
        let mut rest = packed.get(HEAD_LEN..len)?;
        let found = head(&mut rest)?;
        (found == (structure, Type::Structure)).then_some(Self { rest, max })
    }

    /// The tag of the next item; none at the end.
    pub(super) fn peek(&self) -> Option<Tag> {
        let mut rest = self.rest;
        if rest.first() == Some(&END) { None } else { head(&mut rest).map(|(tag, _)| tag) }
    }

    /// Steps over the next item.
    pub(super) fn skip(&mut self) -> Option<()> {
        skip_item(&mut self.rest)
    }

    /// Unpacks the next item, in the place of what `ttlv` holds.
    pub(super) fn unpack(&mut self, ttlv: &mut Vec<u8>) -> Option<()> {
        ttlv.clear();
        unpack_item(&mut self.rest, 1, self.max, ttlv)
    }

    /// Is this the end, and not only where the bytes are no item?
    pub(super) fn is_over(&self) -> bool {
        self.rest == [END]
    }
}

fn push_head(tag: Tag, ty: Type, packed: &mut Vec<u8>) {
    let [_, first, second, last] = tag.0.to_be_bytes();
    match (0..).zip(PAGES).find(|(_, page)| *page == tag.0 >> 8) {
        Some((form, _)) => packed.extend_from_slice(&[form << 4 | ty.number(), last]),
        None => packed.extend_from_slice(&[WHOLE << 4 | ty.number(), first, second, last]),
    }
}

/// The tag and the type that an item begins with.
#[inline]
fn head(rest: &mut &[u8]) -> Option<(Tag, Type)> {
    let (form, after) = rest.split_first()?;
    let ty = Type::from_number(form & 0x0f)?;
    if form >> 4 == WHOLE {
        let ([a, b, c], after) = after.split_first_chunk()?;
        *rest = after;
        return Some((Tag(u32::from_be_bytes([0, *a, *b, *c])), ty));
    }
    let page = PAGES.get(usize::from(form >> 4))?;
    let (last, after) = after.split_first()?;
    *rest = after;
    Some((Tag(page << 8 | u32::from(*last)), ty))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(number(rest)?).ok()?;
    let (value, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(value)
}

/// Writes an item with its padding, if there is room: what is outgrown is not wiped.
fn push_item(tag: Tag, ty: Type, value: &[u8], max: usize, ttlv: &mut Vec<u8>) -> Option<()> {
    let padding = value.len().checked_next_multiple_of(8)?.checked_sub(value.len())?;
    let len = HEADER_LEN.checked_add(value.len())?.checked_add(padding)?;
    if ttlv.len().checked_add(len)? > max {
        return None;
    }
    let [_, a, b, c] = tag.0.to_be_bytes();
    let [d, e, f, g] = u32::try_from(value.len()).ok()?.to_be_bytes();
    ttlv.extend_from_slice(&[a, b, c, ty.number(), d, e, f, g]);
    ttlv.extend_from_slice(value);
    ttlv.extend_from_slice([0; 8].get(..padding)?);
    Some(())
}

fn push_number(mut number: u64, packed: &mut Vec<u8>) {
    while number > 0x7f {
        // The lowest byte of it, without the bits above.
        let [low, ..] = number.to_le_bytes();
        packed.push(low | 0x80);
        number >>= 7;
    }
    let [low, ..] = number.to_le_bytes();
    packed.push(low);
}

#[inline]
fn number(rest: &mut &[u8]) -> Option<u64> {
    // Nearly all: types, lengths and flags.
    if let Some((byte @ 0..=0x7f, after)) = rest.split_first() {
        *rest = after;
        return Some(u64::from(*byte));
    }
    let mut number = 0_u64;
    for at in 0..NUMBER_LEN_MAX {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits.checked_shl(at.checked_mul(7)?)?;
        // The tenth byte has one bit of the 64.
        if shifted >> at.checked_mul(7)? != bits {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip::vocabulary::tags;
    use ttlv::Writer;

    fn written(body: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut w = Writer::default();
        body(&mut w);
        w.into_bytes()
    }

    /// One of each type, with the smallest and the greatest values, under each form of a tag.
    fn samples() -> Vec<Vec<u8>> {
        let all = written(|w| {
            w.structure(Tag(0x54_4B01), |w| {
                for tag in [Tag(0x54_4B02), tags::Name, Tag(0x42_01C2), Tag(0x54_0001)] {
                    for number in [0, 1, 127, 128, -1, i32::MIN, i32::MAX] {
                        w.integer(tag, number);
                        w.long_integer(tag, i64::from(number) << 32);
                        w.date_time(tag, number.into());
                        w.date_time_extended(tag, number.into());
                    }
                    w.enumeration(tag, u32::MAX);
                    w.interval(tag, u32::MAX);
                    w.boolean(tag, true);
                    w.big_integer(tag, &[0x80, 0, 0, 0, 0, 0, 0, 1]);
                    for len in [0, 1, 7, 8, 9, 127, 128, 300] {
                        w.text_string(tag, &"x".repeat(len));
                        w.byte_string(tag, &vec![0xff; len]);
                    }
                    w.structure(tag, |w| w.structure(tag, |_| ()));
                }
            });
        });
        vec![all, written(|w| w.structure(tags::Name, |_| ())), Vec::new()]
    }

    #[test]
    fn everything_comes_back_as_it_was() {
        for ttlv in samples() {
            let packed = pack(&ttlv, 3).unwrap();
            assert!(is_packed(&packed) && !is_packed(&ttlv));
            assert!(unpack(&packed).is_some_and(|unpacked| *unpacked == ttlv));
            assert!(packed.capacity() >= packed.len() + 3);
            let behind = [packed.as_slice(), &[1, 2, 3]].concat();
            assert_eq!(len(&behind), Some(packed.len()));
        }
    }

    /// Item by item, unpacked or stepped over, in turns.
    #[test]
    fn items_are_those_of_the_structure() {
        let [all, ..]: [Vec<u8>; 3] = samples().try_into().unwrap();
        let packed = pack(&all, 0).unwrap();
        assert!(Items::of(&packed, tags::Name).is_none());
        for odd in [0, 1] {
            let mut items = Items::of(&packed, Tag(0x54_4B01)).unwrap();
            let (mut whole, mut unpacked) = (ttlv::Reader::new(&all), Vec::new());
            let mut inner = whole.enter(Tag(0x54_4B01)).unwrap();
            let mut n = 0;
            while let Some(tag) = items.peek() {
                let item = inner.item().unwrap();
                assert_eq!(tag, item.tag);
                n += 1;
                if n % 2 == odd {
                    items.skip().unwrap();
                } else {
                    items.unpack(&mut unpacked).unwrap();
                    let found = ttlv::Reader::new(&unpacked).item().unwrap();
                    assert!((found.tag, found.ty, found.value) == (tag, item.ty, item.value));
                }
            }
            assert!(items.is_over() && inner.is_empty() && n > 100);
        }
    }

    #[test]
    fn a_usual_row_is_half_as_long() {
        let row = written(|w| {
            w.text_string(Tag(0x54_4B02), "subject:CN=array-7,O=Storage");
            for _ in 0..14 {
                w.enumeration(tags::ObjectType, 2);
            }
            w.date_time(tags::InitialDate, 1_800_000_000);
            w.byte_string(tags::DigestValue, &[7; 32]);
        });
        assert!(pack(&row, 0).unwrap().len() * 2 < row.len());
    }

    /// Bars and the reason: what is not as it is written would come back otherwise.
    #[test]
    fn what_would_not_come_back_is_not_packed() {
        let rows: [(&[u8], &str); 6] = [
            (&[0x42, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1], "padding that is not zero"),
            (&[0x42, 0, 8, 2, 0, 0, 0, 3, 0, 0, 7, 0, 0, 0, 0, 0], "a number of three bytes"),
            (&[0x42, 0, 8, 12, 0, 0, 0, 0], "a type that is none"),
            (&[0x42, 0, 8, 0x21, 0, 0, 0, 0], "a type that looks like a form"),
            (&[0x42, 0, 8, 7, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 0], "a string cut short"),
            (&[0x42, 0, 8], "half a header"),
        ];
        for (ttlv, why) in rows {
            assert!(pack(ttlv, 0).is_none(), "{why}");
        }
        let mut deep = Vec::new();
        for _ in 0..=DEPTH_MAX {
            let inner = std::mem::take(&mut deep);
            deep = written(|w| w.structure(tags::Name, |w| w.raw(&inner)));
        }
        assert!(pack(&deep, 0).is_none(), "too deep");
        let long = |len| pack(&written(|w| w.byte_string(tags::Data, &vec![0; len])), 0);
        let longest = long(VALUE_LEN_MAX - HEADER_LEN).unwrap();
        assert!(unpack(&longest).is_some_and(|ttlv| ttlv.len() == VALUE_LEN_MAX));
        assert!(long(VALUE_LEN_MAX).is_none(), "too long");
    }

    /// No bytes make it panic, or take more memory than is said; all that is cut short is told.
    #[test]
    fn what_nobody_packed_is_refused() {
        for ttlv in samples() {
            let packed = pack(&ttlv, 3).unwrap();
            for at in 0..packed.len() {
                assert!(unpack(&packed[..at]).is_none(), "{at}");
                for bits in [1, 0x10, 0x80, 0xff] {
                    let mut changed = packed.to_vec();
                    changed[at] ^= bits;
                    let _ = len(&changed);
                    if let Some(unpacked) = unpack(&changed) {
                        assert_eq!(unpacked.len(), ttlv.len());
                    }
                }
            }
        }
        let huge = [&[PACKED, 0xff, 0xff, 0xff, 0xff][..], &[0; 4]].concat();
        for bytes in [&[][..], &[PACKED], &[0x42; 9], &huge] {
            assert!(unpack(bytes).is_none());
        }
        let endless = [&[PACKED, 0, 0, 0, 8, 0, 0, 0, 14, 0x02, 8][..], &[0xff; 12]].concat();
        assert!(unpack(&endless).is_none());
    }
}
