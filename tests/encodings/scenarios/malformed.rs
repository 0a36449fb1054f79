//! Messages with an item that is wrong: left out, twice, of another type or value, or unknown. Each
//! is one that every encoding can carry.

use kmip::attributes::AttributeValue as A;
use kmip::vocabulary::{BlockCipherMode, tags};
use ttlv::{Reader, Tag, Type, Writer};

use super::Objects;
use crate::comparison::KEYS;
use crate::requests::*;
use crate::script::Script;

/// A value of each type.
const VALUES: &[(Type, &[u8])] = &[
    (Type::Integer, &[0, 0, 0, 7]),
    (Type::LongInteger, &[0, 0, 0, 0, 0, 0, 0, 7]),
    (Type::BigInteger, &[0, 0, 0, 0, 0, 0, 0, 7]),
    (Type::Enumeration, &[0, 0, 0, 7]),
    (Type::Boolean, &[0, 0, 0, 0, 0, 0, 0, 1]),
    (Type::TextString, b"seven"),
    (Type::ByteString, &[7, 7]),
    (Type::DateTime, &[0, 0, 0, 0, 0, 0, 0, 7]),
    (Type::Interval, &[0, 0, 0, 7]),
    (Type::DateTimeExtended, &[0, 0, 0, 0, 0, 0, 0, 7]),
];

/// An item that can be changed.
#[derive(Clone)]
struct Item {
    tag: Tag,
    ty: Type,
    value: Vec<u8>,
    children: Vec<Self>,
}

impl Item {
    fn leaf(tag: Tag, ty: Type, value: &[u8]) -> Self {
        Self { tag, ty, value: value.to_vec(), children: Vec::new() }
    }

    /// All items of these bytes.
    fn read(ttlv: &[u8]) -> Vec<Self> {
        let mut reader = Reader::new(ttlv);
        let mut all = Vec::new();
        while !reader.is_empty() {
            let item = reader.item().unwrap();
            let is_structure = item.ty == Type::Structure;
            let children = if is_structure { Self::read(item.value) } else { Vec::new() };
            all.push(Self { children, ..Self::leaf(item.tag, item.ty, item.value) });
        }
        all
    }

    fn write(&self, w: &mut Writer) {
        match self.ty == Type::Structure {
            true => {
                w.structure(self.tag, |w| self.children.iter().for_each(|child| child.write(w)));
            }
            false => w.item(self.tag, self.ty, &self.value),
        }
    }

    /// Number of items, itself among them.
    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// Spoils the item at the place, counted from this one; false if it has fewer.
    fn spoil(&mut self, place: &mut usize, fault: usize, other: usize) -> bool {
        for at in 0..self.children.len() {
            *place -= 1;
            if *place == 0 {
                spoil(&mut self.children, at, fault, other);
                return true;
            }
            if self.children[at].spoil(place, fault, other) {
                return true;
            }
        }
        false
    }
}

/// Ways in which an item can be wrong.
pub(super) const FAULTS: usize = 6;

pub(super) fn run(script: &mut Script<'_>, objects: &Objects) {
    let values = [
        script.name("malformed"),
        active(),
        custom("Rack", ttlv::Raw::build(|w| w.integer(tags::AttributeValue, 7))),
        A::CryptographicParameters(cipher(BlockCipherMode::CBC).unwrap()),
    ];
    let messages = [
        script.batch(vec![create(values).into()]),
        script.batch(vec![get(Some(&objects.key)).into(), locate([script.name("n")]).into()]),
    ];
    // Each version has a fault at every second item.
    let minor = usize::try_from(script.version.minor).unwrap();
    for message in messages {
        let frame = message.encode();
        for place in (1 + minor / 2 % 2..count(&frame)).step_by(2) {
            let wrong = with_fault(&frame, place, place * 7 % FAULTS, place);
            script.comparison.exchange(&wrong, KEYS);
        }
    }
}

/// Number of the items of a message, itself among them.
pub(super) fn count(frame: &[u8]) -> usize {
    Item::read(frame)[0].count()
}

/// The message with a fault at one of its items; `other` is which of several of a kind.
pub(super) fn with_fault(frame: &[u8], place: usize, fault: usize, other: usize) -> Vec<u8> {
    let mut message = Item::read(frame).remove(0);
    let mut left = place;
    assert!(message.spoil(&mut left, fault, other), "no item {place}");
    let mut w = Writer::default();
    message.write(&mut w);
    w.into_bytes()
}

fn spoil(items: &mut Vec<Item>, at: usize, fault: usize, other: usize) {
    let tag = items[at].tag;
    match fault {
        0 => drop(items.remove(at)),
        1 => items.insert(at, items[at].clone()),
        2 => {
            let (ty, value) = VALUES[other % VALUES.len()];
            items[at] = Item::leaf(tag, ty, value);
        }
        3 => items[at] = Item::leaf(tag, Type::Structure, &[]),
        4 => items.insert(at, Item::leaf(Tag(0x54_FFFF), Type::Integer, &[0, 0, 0, 7])),
        _ => {
            let text = "\u{1F511} ]]> <x/> &amp; \\u0041 \"\r\n\t".as_bytes();
            let (ty, value): (_, &[u8]) = match items[at].ty {
                Type::Structure => (Type::TextString, &[]),
                Type::TextString => (Type::TextString, text),
                ty @ Type::ByteString => (ty, &[]),
                ty @ (Type::Integer | Type::Interval) => (ty, &[0x80, 0, 0, 0]),
                ty @ Type::Enumeration => (ty, &[0xFF; 4]),
                ty @ (Type::DateTime | Type::DateTimeExtended | Type::LongInteger) => {
                    (ty, &[0x80, 0, 0, 0, 0, 0, 0, 0])
                }
                ty @ Type::BigInteger => (ty, &[0xFF; 16]),
                ty @ Type::Boolean => (ty, &[0; 8]),
            };
            items[at] = Item::leaf(tag, ty, value);
        }
    }
}
