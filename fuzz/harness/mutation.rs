//! One step from a valid message to its neighbour: items are removed, repeated, moved, replaced by
//! those of other messages, and given other values.

use kmip::Version;
use kmip::vocabulary::{tags, vocabulary_of};
use libfuzzer_sys::fuzzer_mutate;
use ttlv::{Tag, Type};

use crate::rng::Rng;
use crate::tree::{self, Body, Node};

/// Lengths of byte strings at which ciphers and keys change what they do.
const LENGTHS: [usize; 16] = [0, 1, 7, 8, 12, 15, 16, 17, 20, 24, 28, 32, 48, 64, 128, 256];

/// Numbers at which something ends.
const NUMBERS: [i64; 16] = [
    0,
    1,
    2,
    -1,
    7,
    16,
    100,
    128,
    255,
    256,
    2048,
    4096,
    0x7FFF_FFFF,
    -0x8000_0000,
    i64::MAX,
    i64::MIN,
];

/// Changes a list of items in some steps. `donors` are the messages that items are taken from.
pub fn change(nodes: &mut Vec<Node>, donors: &[Vec<Node>], rng: &mut Rng) {
    for _ in 0..=rng.below(4) {
        step(nodes, donors, rng);
    }
    if !rng.one_in(10) {
        nodes.iter_mut().for_each(count_items);
    }
}

/// Replaces an item of one message by an item of another.
pub fn cross(nodes: &mut Vec<Node>, other: &[Node], rng: &mut Rng) {
    let Some(donor) = any(other, rng).cloned() else { return };
    let Some((list, at)) = tree::find(nodes, place_for(nodes, donor.tag, rng)) else { return };
    if let Some(node) = list.get_mut(at) {
        *node = donor;
    }
    nodes.iter_mut().for_each(count_items);
}

fn step(nodes: &mut Vec<Node>, donors: &[Vec<Node>], rng: &mut Rng) {
    let donor = rng.pick(donors).and_then(|donor| any(donor, rng)).cloned();
    if rng.one_in(20) {
        return set_version(nodes, rng);
    }
    let number = match &donor {
        // Most items have meaning only where another of their tag stands.
        Some(donor) if rng.one_in(3) => place_for(nodes, donor.tag, rng),
        _ => rng.below(tree::count(nodes)),
    };
    let Some((list, at)) = tree::find(nodes, number) else {
        nodes.extend(donor);
        return;
    };
    match (rng.below(12), donor) {
        (0, _) => drop(list.remove(at)),
        (1, _) => list.insert(at, list[at].clone()),
        (2, _) => {
            let with = rng.below(list.len());
            list.swap(at, with);
        }
        (3 | 4, Some(donor)) => list[at] = donor,
        (5, Some(donor)) => list.insert(at, donor),
        (6, Some(donor)) => list[at].tag = donor.tag,
        _ => change_value(&mut list[at], rng),
    }
}

/// Number of an item with this tag, if there is one; else of any.
fn place_for(nodes: &[Node], tag: Tag, rng: &mut Rng) -> usize {
    let mut found = Vec::new();
    let mut number = 0;
    for node in nodes {
        node.visit(&mut |node| {
            if node.tag == tag {
                found.push(number);
            }
            number += 1;
        });
    }
    rng.pick(&found).copied().unwrap_or_else(|| rng.below(number))
}

fn any<'a>(nodes: &'a [Node], rng: &mut Rng) -> Option<&'a Node> {
    let mut all = Vec::new();
    collect(nodes, &mut all);
    rng.pick(&all).copied()
}

fn collect<'a>(nodes: &'a [Node], all: &mut Vec<&'a Node>) {
    for node in nodes {
        all.push(node);
        collect(node.items(), all);
    }
}

/// Makes Batch Count what it counts.
fn count_items(message: &mut Node) {
    let items = message.items().iter().filter(|item| item.tag == tags::BatchItem).count();
    let count = u32::try_from(items).unwrap_or(u32::MAX);
    for header in message.items_mut() {
        for item in header.items_mut().iter_mut().filter(|item| item.tag == tags::BatchCount) {
            item.body = Body::Value(Type::Integer, count.to_be_bytes().to_vec());
        }
    }
}

fn set_version(nodes: &mut [Node], rng: &mut Rng) {
    let Some(Version { major, minor }) = rng.pick(Version::SERVED).copied() else { return };
    let number = |value: i32| Body::Value(Type::Integer, value.to_be_bytes().to_vec());
    for node in nodes {
        node.visit_mut(&mut |node| match node.tag {
            tags::ProtocolVersionMajor => node.body = number(major),
            tags::ProtocolVersionMinor => node.body = number(minor),
            _ => {}
        });
    }
}

fn change_value(node: &mut Node, rng: &mut Rng) {
    let tag = node.tag;
    let Body::Value(ty, value) = &mut node.body else {
        if rng.one_in(4) {
            node.body = Body::Items(Vec::new());
        }
        return;
    };
    if rng.one_in(30) {
        *ty = *rng.pick(Type::ALL).unwrap_or(ty);
        value.resize(ty.fixed_len().unwrap_or(8), 0);
        if *ty == Type::Structure {
            node.body = Body::Items(Vec::new());
        }
        return;
    }
    match *ty {
        Type::Integer | Type::Interval => *value = number(value, rng).to_be_bytes()[4..].to_vec(),
        Type::LongInteger | Type::DateTime | Type::DateTimeExtended => {
            *value = number(value, rng).to_be_bytes().to_vec();
        }
        Type::Enumeration => *value = enumeration(tag, value, rng),
        Type::Boolean => *value = rng.bits().rem_euclid(2).to_be_bytes().to_vec(),
        Type::TextString => {
            mutate_bytes(value, rng);
            if !rng.one_in(10) {
                *value = String::from_utf8_lossy(value).into_owned().into_bytes();
            }
        }
        Type::ByteString => match rng.one_in(3) {
            true => value.resize(*rng.pick(&LENGTHS).unwrap_or(&0), 0x5A),
            false => mutate_bytes(value, rng),
        },
        Type::BigInteger => {
            mutate_bytes(value, rng);
            value.resize(value.len().next_multiple_of(8).max(8), 0);
        }
        Type::Structure => {}
    }
}

fn number(value: &[u8], rng: &mut Rng) -> i64 {
    let old = value.iter().fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    match rng.below(6) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => old ^ 1 << rng.below(64),
        3 => rng.bits().cast_signed() >> rng.below(64),
        _ => *rng.pick(&NUMBERS).unwrap_or(&0),
    }
}

/// A value that the vocabulary of the tag has, mostly.
fn enumeration(tag: Tag, value: &[u8], rng: &mut Rng) -> Vec<u8> {
    let rows = vocabulary_of(tag).map(|vocabulary| vocabulary.rows()).unwrap_or_default();
    match rng.pick(rows) {
        Some(row) if !rng.one_in(8) => row.value.to_be_bytes().to_vec(),
        _ => number(value, rng).to_be_bytes()[4..].to_vec(),
    }
}

/// A step of libFuzzer's own.
fn mutate_bytes(value: &mut Vec<u8>, rng: &mut Rng) {
    let (len, room) = (value.len(), value.len() + 1 + rng.below(16));
    value.resize(room, 0);
    let len = fuzzer_mutate(value, len, room);
    value.truncate(len);
}
