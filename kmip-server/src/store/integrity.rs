//! Keyed sum over all rows: shows a row that is missing, changed, put back or added.
//!
//! ```text
//! element   HMAC-SHA256(length of key (4) | key | stamp (8) | stored value)
//! sum       of all elements, modulo 2^256
//! head      store id (16) | group (8) | count of rows (8) | sum (32) | MAC (32)
//! ```
//!
//! A group changes the sum by the elements of its rows only. Who has no integrity key can neither
//! compute an element nor a MAC. Stored values are in the elements, so a scan finds a flipped
//! bit in a value as well as a lost row.

use std::io::{self, Read};

use aws_lc_rs::constant_time;
use hmac::Mac;

use super::header::StoreId;
use super::key_ring::{KeyRing, STORE_ID_LEN};
use super::root_key::{KeyedHash, first_bytes, keyed_hash};

/// Length of a head.
pub(crate) const HEAD_LEN: usize = STORE_ID_LEN + 8 + 8 + SUM_LEN + MAC_LEN;

const SUM_LEN: usize = 32;
/// Length of a MAC.
pub(crate) const MAC_LEN: usize = 32;

/// Bytes of a file that are read at once.
const READ_LEN: usize = 1 << 20;

/// First bytes of what a MAC is computed over. No element begins so: its key would be too long.
const MAC_PREFIX: [u8; 4] = [0xff; 4];

/// Sum of elements modulo 2^256, its least digit first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum([u64; 4]);

impl Sum {
    fn digits(bytes: &[u8; SUM_LEN]) -> [u64; 4] {
        let mut digits = [0; 4];
        for (digit, bytes) in digits.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *digit = u64::from_le_bytes(*bytes);
        }
        digits
    }

    /// Adds an element.
    pub(crate) fn add(&mut self, element: &[u8; SUM_LEN]) {
        let mut carry = false;
        for (digit, other) in self.0.iter_mut().zip(Self::digits(element)) {
            (*digit, carry) = digit.carrying_add(other, carry);
        }
    }

    /// Takes an element away.
    pub(crate) fn subtract(&mut self, element: &[u8; SUM_LEN]) {
        let mut borrow = false;
        for (digit, other) in self.0.iter_mut().zip(Self::digits(element)) {
            (*digit, borrow) = digit.borrowing_sub(other, borrow);
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|digit| digit.to_le_bytes()).collect()
    }
}

/// Summary of all rows after a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Number of the group, counted from 1; 0 for a new store.
    pub(crate) group: u64,
    /// Count of rows.
    pub(crate) count: u64,
    /// Sum of their elements.
    pub(crate) sum: Sum,
}

/// Place of what has a MAC, so that one cannot be put in place of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Head in a row of the engine.
    Row,
    /// Head in a slot of the head file.
    File,
    /// Head at the end of an export file.
    Export,
    /// List of the engine's files after a clean stop.
    Stop,
    /// Content of one of them.
    Content,
}

impl Place {
    const fn label(self) -> &'static [u8; 4] {
        match self {
            Self::Row => b"row ",
            Self::File => b"file",
            Self::Export => b"expo",
            Self::Stop => b"stop",
            Self::Content => b"cont",
        }
    }
}

/// Computes elements and MACs of one store.
pub(crate) struct Integrity {
    hash: KeyedHash,
    store_id: StoreId,
}

impl Integrity {
    /// Takes the integrity key of a store; `None` if the ring has none.
    pub(crate) fn new(keys: &KeyRing, store_id: StoreId) -> Option<Self> {
        Some(Self { hash: keyed_hash(keys.integrity_key()?), store_id })
    }

    /// Returns the id of the store.
    pub(crate) const fn store_id(&self) -> StoreId {
        self.store_id
    }

    /// Returns the element of a row.
    pub(crate) fn element(&self, key: &[u8], row: &[u8]) -> [u8; SUM_LEN] {
        let len = u32::try_from(key.len()).unwrap_or(u32::MAX);
        first_bytes(
            self.hash.clone().chain_update(len.to_be_bytes()).chain_update(key).chain_update(row),
        )
    }

    /// Changes count and sum as a row of this key is written, replaced or removed.
    pub(crate) fn replace(
        &self,
        head: &mut Head,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) {
        if let Some(row) = old {
            head.sum.subtract(&self.element(key, row));
            head.count = head.count.wrapping_sub(1);
        }
        if let Some(row) = new {
            head.sum.add(&self.element(key, row));
            head.count = head.count.wrapping_add(1);
        }
    }

    fn mac(&self, place: Place, covered: &[u8]) -> [u8; MAC_LEN] {
        first_bytes(self.begin(place).chain_update(covered))
    }

    fn begin(&self, place: Place) -> KeyedHash {
        self.hash.clone().chain_update(MAC_PREFIX).chain_update(place.label())
    }

    /// Returns the MAC of all bytes of a reader.
    pub(crate) fn mac_of(&self, mut content: impl Read) -> io::Result<[u8; MAC_LEN]> {
        let mut hash = self.begin(Place::Content);
        let mut buffer = vec![0; READ_LEN];
        loop {
            match content.read(&mut buffer) {
                Ok(0) => return Ok(first_bytes(hash)),
                Ok(len) => hash.update(buffer.get(..len).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Appends a MAC.
    pub(crate) fn append_mac(&self, place: Place, mut bytes: Vec<u8>) -> Vec<u8> {
        let mac = self.mac(place, &bytes);
        bytes.extend_from_slice(&mac);
        bytes
    }

    /// Returns what is before a MAC, if that is right.
    pub(crate) fn strip_mac<'a>(&self, place: Place, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (covered, mac) = bytes.split_last_chunk::<MAC_LEN>()?;
        constant_time::verify_slices_are_equal(mac, &self.mac(place, covered)).ok()?;
        Some(covered)
    }

    /// Returns the bytes of a head.
    pub(crate) fn encode(&self, place: Place, head: &Head) -> Vec<u8> {
        let bytes = [
            &self.store_id.0[..],
            &head.group.to_be_bytes(),
            &head.count.to_be_bytes(),
            &head.sum.to_bytes(),
        ]
        .concat();
        self.append_mac(place, bytes)
    }

    /// Returns the head of this store in these bytes, if its MAC is right.
    pub(crate) fn decode(&self, place: Place, bytes: &[u8]) -> Option<Head> {
        let rest = self.strip_mac(place, bytes)?.strip_prefix(&self.store_id.0)?;
        let (group, rest) = rest.split_first_chunk()?;
        let (count, sum) = rest.split_first_chunk()?;
        let sum = Sum(Sum::digits(sum.try_into().ok()?));
        Some(Head { group: u64::from_be_bytes(*group), count: u64::from_be_bytes(*count), sum })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn integrity(id: u8) -> Integrity {
        Integrity { hash: keyed_hash(&[9; 32]), store_id: StoreId([id; STORE_ID_LEN]) }
    }

    #[test]
    fn sum_is_of_a_multiset_and_wraps() {
        let (one, max) = ([1; 32], [0xff; 32]);
        let mut sum = Sum::default();
        sum.add(&one);
        sum.add(&max);
        let mut other = Sum::default();
        other.add(&max);
        other.add(&one);
        assert_eq!(sum, other, "in any order");
        sum.subtract(&one);
        sum.subtract(&max);
        assert_eq!(sum, Sum::default());
        sum.subtract(&one);
        sum.add(&one);
        assert_eq!(sum, Sum::default());
    }

    #[test]
    fn element_depends_on_every_part_of_a_row() {
        let integrity = integrity(1);
        let rows: [(&[u8], &[u8]); 5] =
            [(b"key", b"row"), (b"ke", b"yrow"), (b"key", b"rox"), (b"kez", b"row"), (b"", b"")];
        let mut elements: Vec<_> =
            rows.iter().map(|(key, row)| integrity.element(key, row)).collect();
        elements.sort_unstable();
        elements.dedup();
        assert_eq!(elements.len(), rows.len());
    }

    #[test]
    fn head_is_of_its_store_and_place_and_whole() {
        let mut head = Head { group: 7, count: 3, sum: Sum::default() };
        head.sum.add(&[5; 32]);
        let bytes = integrity(1).encode(Place::Row, &head);
        assert_eq!(bytes.len(), HEAD_LEN);
        assert_eq!(integrity(1).decode(Place::Row, &bytes), Some(head));
        assert_eq!(integrity(1).decode(Place::File, &bytes), None);
        assert_eq!(integrity(2).decode(Place::Row, &bytes), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(integrity(1).decode(Place::Row, &changed), None, "{at}");
            assert_eq!(integrity(1).decode(Place::Row, &bytes[..at]), None, "{at}");
        }
    }
}
