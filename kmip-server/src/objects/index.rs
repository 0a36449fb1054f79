//! The rows by which Locate finds objects without reading all of them.
//!
//! ```text
//! n/<hash of owner and name>            -> id    one object a name, see [`Holder`]: what makes
//!                                                names unique
//! n/<hash of owner and name><di>        -> -     further objects of it, if they may share it
//! i/<hash of owner, attribute, value><di> -> -   many objects a value
//! c/<hash of owner><di>                 -> -     every object of a client
//! t/<hash of owner><di>                 -> -     every template of a client
//! r/<when><hash of owner><id>           -> -     every key that the server is to replace
//! s/<hash of owner and which>           -> ...   what a client has set for itself
//! ```
//!
//! The hashes are keyed, so a stolen disk shows neither names nor who has what in common.
//! `<di>` is an identifier with its bytes counted down ([`with_id`]), so that a scan answers the
//! greatest one first. Those that the server makes are UUIDs of version 7, which sort by their
//! time: the greatest is the newest.
//!
//! The rows follow from the metadata alone and are written in the same commit.

use std::collections::BTreeMap;

use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::vocabulary::{ObjectType, tags};
use ttlv::{Tag, Writer};

use crate::objects::lifecycle::Storage;
use crate::objects::record::{KEPT_VERSION, Metadata};
use crate::objects::rotation::{self, Due};
use crate::store::root_key::{HASH_LEN, IndexKey};

/// What the keys begin with of what clients have set for themselves.
pub(crate) const SETTINGS: &[u8] = b"s/";

/// Makes the keys of rows.
#[derive(Clone, Copy)]
pub(crate) struct Index<'a> {
    /// What the hashes are keyed with.
    pub key: &'a IndexKey,
    /// Whose rows.
    pub owner: &'a str,
    /// Those of its rows that are known already.
    pub own: Option<&'a OwnRows>,
}

/// Rows of a client that every new object asks for, worked out once for all its messages.
#[derive(Clone, Debug)]
pub(crate) struct OwnRows {
    client: Vec<u8>,
    defaults: Vec<u8>,
    constraints: Vec<u8>,
}

/// What a client sets for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// The attributes of new objects that it leaves out.
    Defaults,
    /// What new objects must be.
    Constraints,
}

impl Setting {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Defaults => b"defaults",
            Self::Constraints => b"constraints",
        }
    }
}

impl OwnRows {
    /// The rows of this owner.
    pub(crate) fn of(key: &IndexKey, owner: &str) -> Self {
        let index = Index { key, owner, own: None };
        Self {
            client: index.client(),
            defaults: index.setting(Setting::Defaults),
            constraints: index.setting(Setting::Constraints),
        }
    }

    fn setting(&self, setting: Setting) -> &[u8] {
        match setting {
            Setting::Defaults => &self.defaults,
            Setting::Constraints => &self.constraints,
        }
    }
}

/// Rows by their keys.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the row of a name says.
///
/// ```text
/// id          the object has the name
/// id | ff     and is at hand, and no template: one that looks for the name alone has found it
/// ```
///
/// No identifier has the byte ff, which is none of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Which object.
    pub id: String,
    /// Is it known to be at hand, and no template?
    pub is_at_hand: bool,
}

const AT_HAND: u8 = 0xff;

impl Holder {
    /// Reads the row.
    pub(crate) fn read(row: &[u8]) -> Self {
        let id = row.strip_suffix(&[AT_HAND]);
        let text = String::from_utf8_lossy(id.unwrap_or(row)).into_owned();
        Self { id: text, is_at_hand: id.is_some() }
    }

    /// The row.
    pub(crate) fn row(&self) -> Vec<u8> {
        let mark: &[u8] = if self.is_at_hand { &[AT_HAND] } else { &[] };
        [self.id.as_bytes(), mark].concat()
    }
}

/// Is there a row for each instance of this attribute? (The rest is found by reading the client's
/// objects.)
pub(crate) fn is_indexed(reference: &AttributeReference) -> bool {
    match reference {
        AttributeReference::Standard(tag) => INDEXED.contains(tag),
        AttributeReference::Vendor { .. } => true,
        AttributeReference::Unknown(_) => false,
    }
}

const INDEXED: [Tag; 4] =
    [tags::AlternativeName, tags::ApplicationSpecificInformation, tags::Link, tags::ObjectGroup];

/// Does a row follow from this value?
pub(crate) fn has_row(value: &&AttributeValue) -> bool {
    match value.tag() {
        Some(tag) => tag == tags::Name || INDEXED.contains(&tag),
        None => matches!(value, AttributeValue::Vendor(_)),
    }
}

impl Index<'_> {
    /// The row that holds the one object of a name.
    pub(crate) fn name(self, value: &[u8]) -> Vec<u8> {
        let hash = self.key.hash(&[self.owner.as_bytes(), b"name", value]);
        [b"n/", hash.as_slice()].concat()
    }

    /// What the rows of all objects with this value begin with.
    pub(crate) fn value(self, reference: &AttributeReference, value: &[u8]) -> Vec<u8> {
        let name = reference.name();
        let hash = self.key.hash(&[self.owner.as_bytes(), b"value", name.as_bytes(), value]);
        [b"i/", hash.as_slice()].concat()
    }

    /// What the rows of all objects of the client begin with.
    pub(crate) fn client(self) -> Vec<u8> {
        if let Some(own) = self.own {
            return own.client.clone();
        }
        let hash = self.key.hash(&[self.owner.as_bytes(), b"client"]);
        [b"c/", hash.as_slice()].concat()
    }

    /// What the rows of all templates of the client begin with.
    pub(crate) fn templates(self) -> Vec<u8> {
        let hash = self.key.hash(&[self.owner.as_bytes(), b"templates"]);
        [b"t/", hash.as_slice()].concat()
    }

    /// The row of something that the client has set for itself.
    pub(crate) fn setting(self, setting: Setting) -> Vec<u8> {
        if let Some(own) = self.own {
            return own.setting(setting).to_vec();
        }
        let hash = self.key.hash(&[self.owner.as_bytes(), b"settings", setting.name()]);
        [SETTINGS, hash.as_slice()].concat()
    }

    /// What the keys of objects begin with whose identifiers the client chose, so that the same
    /// identifier in the hands of another client is another object.
    pub(crate) fn chosen(self) -> [u8; HASH_LEN] {
        self.key.hash(&[self.owner.as_bytes(), b"chosen"])
    }

    /// All rows of one object. One that is archived keeps its names, and is else found in the row
    /// of its client alone; one that is destroyed gives its names free.
    pub(crate) fn rows(self, id: &str, metadata: &Metadata, storage: Storage) -> Rows {
        let mut rows = Rows::from([(with_id(&self.client(), id), Vec::new())]);
        if storage == Storage::Destroyed {
            return rows;
        }
        let is_template = metadata.object_type() == Some(ObjectType::Template);
        if is_template {
            rows.insert(with_id(&self.templates(), id), Vec::new());
        }
        if let Some(when) = rotation::due(metadata).filter(|_| storage == Storage::OnLine) {
            let due = Due { when, chosen: self.chosen(), id: id.to_owned() };
            rows.insert(due.row(), Vec::new());
        }
        let is_at_hand = storage == Storage::OnLine && !is_template;
        let holder = Holder { id: id.to_owned(), is_at_hand }.row();
        for value in metadata.values().filter(has_row) {
            if matches!(value, AttributeValue::Name(_)) {
                rows.insert(self.name(&value_bytes(value)), holder.clone());
            } else if storage == Storage::OnLine {
                let prefix = self.value(&value.reference(), &value_bytes(value));
                rows.insert(with_id(&prefix, id), Vec::new());
            }
        }
        rows
    }
}

/// What an identifier's bytes are counted down from: no byte of UTF-8 is as high.
const ID_TOP: u8 = 0xfe;

/// What ends an identifier, so that the longer of two comes first.
const ID_END: u8 = 0xff;

/// The key of an object's row among those that begin with `prefix`: keys sort by their identifiers,
/// the greatest first.
pub(crate) fn with_id(prefix: &[u8], id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len().saturating_add(id.len()).saturating_add(1));
    key.extend_from_slice(prefix);
    key.extend(id.bytes().map(|byte| ID_TOP.wrapping_sub(byte)));
    key.push(ID_END);
    key
}

/// Reads the identifier behind `prefix`; `None` for the row of a name, which has none.
pub(crate) fn id_of(prefix: &[u8], key: &[u8]) -> Option<String> {
    let id = key.strip_prefix(prefix)?.strip_suffix(&[ID_END])?;
    let id: Vec<u8> = id.iter().map(|byte| ID_TOP.wrapping_sub(*byte)).collect();
    Some(String::from_utf8_lossy(&id).into_owned())
}

/// A value as the index and Locate compare it: one item under the tag Attribute Value, in the form
/// in which it is kept.
pub(crate) fn value_bytes(value: &AttributeValue) -> Vec<u8> {
    let mut w = Writer::default();
    value.encode_value(tags::AttributeValue, &mut w, KEPT_VERSION);
    w.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::root_key::{IndexKey, KEY_LEN};

    #[test]
    fn what_is_known_of_a_clients_rows_is_what_would_be_worked_out() {
        let key = IndexKey::new(&[7; KEY_LEN]);
        let mut all = Vec::new();
        for owner in ["subject:CN=a", "subject:CN=b"] {
            let own = OwnRows::of(&key, owner);
            let rows = |own| {
                let index = Index { key: &key, owner, own };
                let [defaults, constraints] =
                    [Setting::Defaults, Setting::Constraints].map(|which| index.setting(which));
                [index.client(), defaults, constraints]
            };
            assert_eq!(rows(Some(&own)), rows(None));
            all.extend(rows(None));
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn keys_sort_by_their_identifiers_the_greatest_first() {
        let mut ids = ["", "\0", "a", "a\0", "aa", "ab", "b", "\u{e9}", "\u{ffff}", "\u{10ffff}"]
            .map(str::to_owned)
            .to_vec();
        ids.extend([127, 128].map(|len| "k".repeat(len)));
        let mut keys: Vec<_> = ids.iter().map(|id| with_id(b"c/", id)).collect();
        keys.sort();
        ids.sort();
        ids.reverse();
        assert_eq!(keys.iter().filter_map(|key| id_of(b"c/", key)).collect::<Vec<_>>(), ids);
        assert_eq!(id_of(b"c/", b"c/"), None);
    }
}
