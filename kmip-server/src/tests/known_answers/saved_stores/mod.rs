//! Stores of record format 1, as this version and every later one must read them: the form of
//! rows is frozen, and here are stores that were written in it.
//!
//! ```text
//! format-1.tar.gz   sled/ redb/     data folders of both engines, with the same rows
//!                   rows.txt        what every row says, a line each
//!                   ciphertext.hex  zeros under the key `encrypts`
//! ```
//!
//! Where a row is read otherwise than it was written, or would be written otherwise today, a test
//! fails: then the code is wrong, and not the store. What later versions write in another form gets
//! another number, and stores of its own beside these. `content` says what is in them, and makes
//! them anew:
//!
//! ```text
//! SAVED_STORES=/tmp/saved cargo test -p kmip-server --lib -- saved_stores_are_made
//! ```

mod content;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use kmip::attributes::ATTRIBUTES;
use kmip::payload::{Constraints, DecryptRequest, DefaultsInformation, GetConstraintsRequest};
use kmip::vocabulary::StorageStatusMask;
use kmip::{Decode, Encode};
use tempfile::TempDir;
use ttlv::Reader;

use crate::auth::superseded_certificates;
use crate::config::Engine;
use crate::objects::index::{Index, SETTINGS, Setting, has_row, id_of};
use crate::objects::lifecycle::{Storage, storage};
use crate::objects::record::{KEPT_VERSION, Known, Material, Metadata, Summary, take_apart};
use crate::objects::rotation::{self, Due};
use crate::store::{Key as RowKey, OpenStore, Range, SCAN_MAX, StoreSettings, open};
use crate::tests::harness::*;
use crate::tests::known_answers::served::data;
use crate::tests::sessions::guarded_reads::requests;

const ENGINES: [Engine; 2] = [Engine::Sled, Engine::Redb];

/// What a row can be; one that is nothing of this fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Object,
    ObjectWithMaterial,
    Material,
    ChosenObject,
    ChosenObjectWithMaterial,
    ChosenMaterial,
    Name,
    SharedName,
    Value,
    Client,
    Template,
    Due,
    Defaults,
    Constraints,
    SupersededCertificate,
}

const KINDS: [Kind; 15] = [
    Kind::Object,
    Kind::ObjectWithMaterial,
    Kind::Material,
    Kind::ChosenObject,
    Kind::ChosenObjectWithMaterial,
    Kind::ChosenMaterial,
    Kind::Name,
    Kind::SharedName,
    Kind::Value,
    Kind::Client,
    Kind::Template,
    Kind::Due,
    Kind::Defaults,
    Kind::Constraints,
    Kind::SupersededCertificate,
];

/// Attributes that no row has: they follow from what else is there.
const NOT_KEPT: [&str; 3] = ["Short Unique Identifier", "State", "Unique Identifier"];

/// Length of `n/` and a hash.
const HASHED: usize = 2 + 16;

fn kind(key: &[u8], value: &[u8], constraints: &BTreeSet<RowKey>) -> Kind {
    let has_material = || !take_apart(value).1.is_empty();
    match &key[..2] {
        b"o/" if has_material() => Kind::ObjectWithMaterial,
        b"o/" => Kind::Object,
        b"k/" => Kind::Material,
        b"O/" if has_material() => Kind::ChosenObjectWithMaterial,
        b"O/" => Kind::ChosenObject,
        b"K/" => Kind::ChosenMaterial,
        b"n/" if key.len() == HASHED => Kind::Name,
        b"n/" => Kind::SharedName,
        b"i/" => Kind::Value,
        b"c/" => Kind::Client,
        b"t/" => Kind::Template,
        rotation::PREFIX => Kind::Due,
        SETTINGS if constraints.contains(key) => Kind::Constraints,
        SETTINGS => Kind::Defaults,
        superseded_certificates::ROWS => Kind::SupersededCertificate,
        other => panic!("rows of {}", other.escape_ascii()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The saved stores, unpacked.
fn unpacked() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = "src/tests/known_answers/saved_stores/format-1.tar.gz";
    let mut unpack = Command::new("tar");
    unpack.arg("-xpzf").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(at));
    assert!(unpack.arg("-C").arg(folder.path()).status().unwrap().success());
    folder
}

async fn opened(folder: &Path, engine: Engine) -> OpenStore {
    let settings = StoreSettings::new(folder.join(engine.to_string()));
    open(StoreSettings { engine, ..settings }).await.unwrap()
}

/// Rows of a store, each with its value.
async fn rows(opened: &OpenStore) -> BTreeMap<RowKey, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut range = Range { from: vec![2], to: Vec::new(), limit: SCAN_MAX };
    loop {
        let page = opened.store.scan(range.clone()).await.unwrap();
        let Some((last, _)) = page.last() else { return all };
        range = range.beyond(last);
        all.extend(page.iter().map(|(key, record)| (key.clone(), record.value.to_vec())));
    }
}

/// What the rows say, a line each: attributes by name, index and value; material by its hash.
fn text(rows: &BTreeMap<RowKey, Vec<u8>>) -> String {
    let mut text = String::new();
    for (key, value) in rows {
        let said = match &key[..2] {
            b"o/" | b"O/" => {
                let Metadata { owner, attributes } = Metadata::decode(value).unwrap();
                let attributes = attributes.iter().map(|Attribute { index, value }| {
                    let (name, index) = (value.reference().name(), index.unwrap_or(-1));
                    format!("\n    {name}[{index}] {}", hex(&of_attribute(value)))
                });
                let attributes: String = attributes.collect();
                let beside = take_apart(value).1;
                let beside = if beside.is_empty() { "none".to_owned() } else { material(beside) };
                format!("{owner:?}, material {beside}{attributes}")
            }
            b"k/" | b"K/" => material(value),
            _ => hex(value),
        };
        writeln!(text, "{} {said}", key.escape_ascii()).unwrap();
    }
    text
}

/// A value in the form of KMIP 2.1.
fn of_attribute(value: &AttributeValue) -> Vec<u8> {
    let mut w = Writer::default();
    value.encode_value(tags::AttributeValue, &mut w, Version::V2_1);
    w.into_bytes()
}

fn material(bytes: &[u8]) -> String {
    let Material { version, object } = Material::decode(bytes).unwrap();
    let mut w = Writer::default();
    object.encode_any(&mut w, version);
    let hash = digest(&SHA256, w.as_bytes());
    format!("{version} {:?} {}", object.object_type(), hex(hash.as_ref()))
}

/// Rows of what clients have set.
fn settings(opened: &OpenStore, setting: Setting) -> BTreeSet<RowKey> {
    let of = |owner| Index { key: &opened.index_key, owner, own: None }.setting(setting);
    content::OWNERS.into_iter().map(of).collect()
}

#[tokio::test]
async fn saved_rows_say_what_they_said() {
    let folder = unpacked();
    let expected = std::fs::read_to_string(folder.path().join("rows.txt")).unwrap();
    for engine in ENGINES {
        let found = text(&rows(&opened(folder.path(), engine).await).await);
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{engine}");
        }
        assert_eq!(found.len(), expected.len(), "{engine}");
    }
}

/// Written today, every row would have the same bytes.
#[tokio::test]
async fn rows_are_written_as_they_were() {
    let folder = unpacked();
    let opened = opened(folder.path(), Engine::Redb).await;
    let constraints = settings(&opened, Setting::Constraints);
    for (key, value) in rows(&opened).await {
        let mut w = Writer::default();
        let mut r = Reader::new(&value);
        let written = match &key[..2] {
            b"o/" | b"O/" => {
                let known = Metadata::decode(&value).unwrap();
                let summary = Summary::decode(&value).unwrap();
                assert_eq!(summary.owner(), known.owner, "{}", key.escape_ascii());
                assert_eq!(summary.object_type(), known.object_type());
                known.encode(take_apart(&value).1).to_vec()
            }
            b"k/" | b"K/" => Material::decode(&value).unwrap().encode().to_vec(),
            SETTINGS if constraints.contains(&key) => {
                let kept = Constraints::decode(tags::Constraints, &mut r, KEPT_VERSION).unwrap();
                kept.encode(tags::Constraints, &mut w, KEPT_VERSION);
                w.into_bytes()
            }
            SETTINGS => {
                let tag = tags::DefaultsInformation;
                let kept = DefaultsInformation::decode(tag, &mut r, KEPT_VERSION).unwrap();
                kept.encode(tag, &mut w, KEPT_VERSION);
                w.into_bytes()
            }
            _ => value.clone(),
        };
        assert!(written == value, "{}", key.escape_ascii());
        let beside = take_apart(&value).1;
        if !beside.is_empty() && key[0].eq_ignore_ascii_case(&b'o') {
            assert!(*Material::decode(beside).unwrap().encode() == *beside);
        }
    }
}

/// The identifier in the key of an object's row, and whether the client chose it.
fn identifier(key: &[u8]) -> (String, bool) {
    let is_chosen = key[0] == b'O';
    let id = &key[if is_chosen { HASHED } else { 2 }..];
    (String::from_utf8(id.to_vec()).unwrap(), is_chosen)
}

/// Rows by which objects are found follow from the objects as they did.
#[tokio::test]
async fn objects_are_indexed_as_they_were() {
    let folder = unpacked();
    let opened = opened(folder.path(), Engine::Redb).await;
    let all = rows(&opened).await;
    let (mut expected, mut shared) = (BTreeMap::new(), BTreeSet::new());
    for (key, value) in all.iter().filter(|(key, _)| key[..2].eq_ignore_ascii_case(b"o/")) {
        let known = Metadata::decode(value).unwrap();
        let index = Index { key: &opened.index_key, owner: &known.owner, own: None };
        let (id, is_chosen) = identifier(key);
        assert!(!is_chosen || key[2..HASHED] == index.chosen());
        let now = DateTime(i64::MAX);
        let at = storage(known.values(), now);
        for (key, value) in index.rows(&id, &known, at) {
            // Of several objects of a name, one has the row, and the others one each.
            if key.len() == HASHED && all[&key] != value {
                assert!(shared.insert([key.as_slice(), id.as_bytes()].concat()));
                continue;
            }
            assert!(expected.insert(key, value).is_none());
        }
    }
    let is_index = |key: &RowKey| b"nictr".contains(&key[0]);
    let mut found: BTreeMap<_, _> = all.into_iter().filter(|(key, _)| is_index(key)).collect();
    found.retain(|key, value| {
        let is_shared = key[0] == b'n' && key.len() > HASHED;
        let id = is_shared.then(|| id_of(&key[..HASHED], key).unwrap());
        let holder = id.map(|id| [&key[..HASHED], id.as_bytes()].concat());
        holder.is_none_or(|holder| !(value.is_empty() && shared.remove(&holder)))
    });
    assert!(shared.is_empty());
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found == expected);
    for key in found.keys().filter(|key| key.starts_with(rotation::PREFIX)) {
        assert_eq!(Due::read(key).unwrap().row(), *key);
    }
}

/// A new kind of row, attribute, object or version fails until there is a saved store with it.
#[tokio::test]
async fn everything_that_is_kept_is_in_the_saved_stores() {
    let folder = unpacked();
    let opened = opened(folder.path(), Engine::Sled).await;
    let constraints = settings(&opened, Setting::Constraints);
    let (mut kinds, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    let (mut objects, mut versions, mut storages) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (key, value) in rows(&opened).await {
        let kind = kind(&key, &value, &constraints);
        kinds.insert(kind);
        let bytes = match &key[..2] {
            b"o/" | b"O/" => {
                let known = Metadata::decode(&value).unwrap();
                storages.push(storage(known.values(), DateTime(i64::MAX)));
                let names = known.values().map(|value| match value {
                    AttributeValue::Vendor(_) => "Vendor".to_owned(),
                    other => other.reference().name(),
                });
                attributes.extend(names);
                take_apart(&value).1
            }
            b"k/" | b"K/" => value.as_slice(),
            _ => continue,
        };
        if !bytes.is_empty() {
            let Material { version, object } = Material::decode(bytes).unwrap();
            versions.insert(version);
            objects.insert(object.object_type().name().unwrap());
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), KINDS);
    let all = ATTRIBUTES.iter().map(|row| row.name).filter(|name| !NOT_KEPT.contains(name));
    let all: BTreeSet<String> = all.chain(["Vendor"]).map(str::to_owned).collect();
    assert_eq!(all.difference(&attributes).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(attributes, all);
    let served = |value| Version::SERVED.iter().any(|v| ObjectType(value).exists_in(*v));
    let all = ObjectType::ROWS.iter().filter(|row| served(row.value)).map(|row| row.name);
    assert_eq!(objects, all.collect());
    assert_eq!(versions, Version::SERVED.iter().copied().collect());
    for storage in [Storage::OnLine, Storage::Archived, Storage::Destroyed] {
        assert!(storages.contains(&storage), "{storage:?}");
    }
}

/// Clients find, read and use what they had.
#[tokio::test]
async fn clients_have_what_they_had() {
    let folder = unpacked();
    let ciphertext = std::fs::read_to_string(folder.path().join("ciphertext.hex")).unwrap();
    for engine in ENGINES {
        let opened = opened(folder.path(), engine).await;
        let all = rows(&opened).await;
        let harness = Harness::opened(&opened, Default::default());
        for (key, value) in all.iter().filter(|(key, _)| key[..2].eq_ignore_ascii_case(b"o/")) {
            let known = Metadata::decode(value).unwrap();
            let (object, is_chosen) = identifier(key);
            let owner = harness.beside(&known.owner);
            is_found(&owner, &object, &known).await;
            let letter = if is_chosen { b'K' } else { b'k' };
            let apart = all.get(&[&[letter], &key[1..]].concat()).map(Vec::as_slice);
            let kept = apart.unwrap_or(take_apart(value).1);
            if storage(known.values(), DateTime(i64::MAX)) != Storage::OnLine || kept.is_empty() {
                continue;
            }
            let Material { version, object: material } = Material::decode(kept).unwrap();
            match owner.ask(version, get(&object)).await {
                // A template is shown with the attributes that it has itself.
                Ok(answer) if answer.object.object_type() == ObjectType::Template => {}
                Ok(answer) => assert!(answer.object == material, "{object}"),
                // It may not leave as it is, or not in this version.
                Err(reason) => assert!(content::MAY_STAY.contains(&reason), "{object}: {reason:?}"),
            }
        }
        let alice = harness.beside("alice");
        let found = alice.ask(NEWEST, locate(vec![name("encrypts")])).await.unwrap();
        let [key] = &found.unique_identifiers[..] else { panic!("one key") };
        let request = DecryptRequest {
            data: data(&content::bytes(ciphertext.trim())),
            ..requests::decrypt(key)
        };
        let plain = alice.ask(NEWEST, request).await.unwrap().data.unwrap();
        assert_eq!(plain.as_bytes(), [0; 16]);
        let constraints = harness.beside("bob").ask(NEWEST, GetConstraintsRequest {}).await;
        assert_eq!(constraints.unwrap().constraints.constraints.len(), 1);
    }
}

/// The object is found by its client alone, by its name, and by each value that is indexed.
async fn is_found(owner: &Harness, object: &str, known: &Metadata) {
    // Of templates and destroyed objects the one version knows nothing, and the other one.
    let (version, mask) = match known.object_type() {
        Some(ObjectType::Template) => (Version::V1_4, StorageStatusMask(3)),
        _ => (NEWEST, StorageStatusMask(7)),
    };
    let found = async |values: Vec<AttributeValue>| {
        let request = LocateRequest { storage_status_mask: Some(mask), ..locate(values) };
        let found = owner.ask(version, request).await.unwrap().unique_identifiers;
        found.iter().any(|id| id == object)
    };
    assert!(found(vec![]).await, "{object}");
    if storage(known.values(), DateTime(i64::MAX)) == Storage::Destroyed {
        return;
    }
    for value in known.values().filter(has_row) {
        assert!(found(vec![value.clone()]).await, "{object}: {}", value.reference().name());
    }
}
