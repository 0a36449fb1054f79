//! The files `header` and `head` of a store: only what its own keys have authenticated is taken.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use kmip_server::store::fuzzing::{Heads, new_header, read_header, seal_header};
use tempfile::TempDir;

use crate::edits::{Script, apply};

/// Length of a slot of the file `head`, and of what is in it.
const SLOT_LEN: usize = 4096;
const HEAD_LEN: usize = 96;

/// Where the id of the store stands in a header.
const STORE_ID: std::ops::Range<usize> = 16..32;

/// Files of one store, and what could be mistaken for a part of them.
struct Store {
    _directory: TempDir,
    /// The file `head` that is tried.
    path: PathBuf,
    heads: Heads,
    header: Vec<u8>,
    head: Vec<u8>,
    /// Authentic, but not for the file `head` of this store.
    foreign: Vec<Vec<u8>>,
}

fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory is made");
        let path = directory.path().join("file");
        let header = new_header().expect("a header is made");
        let heads = Heads::new(&header, None).expect("a header has keys");
        let others = Heads::new(&header, Some([0; 16])).expect("a header has keys");
        others.create(&path).expect("a head file is written");
        others.write(&path, 9).expect("a head is written");
        let other = fs::read(&path).expect("a head file is read");
        heads.create(&path).expect("a head file is written");
        for group in 1..=4 {
            heads.write(&path, group).expect("a head is written");
        }
        let head = fs::read(&path).expect("a head file is read");
        let foreign = vec![heads.row(7), other[SLOT_LEN..SLOT_LEN + HEAD_LEN].to_vec()];
        Store { _directory: directory, path, heads, header, head, foreign }
    })
}

/// Checks a file that `input` spells: as it is, or as changes of a valid one.
pub fn check(input: &[u8]) {
    let store = store();
    let mut script = Script::new(input);
    let choice = script.byte();
    let (is_header, is_raw, is_sealed) = (choice & 1 != 0, choice & 2 != 0, choice & 4 != 0);
    let valid = if is_header { &store.header } else { &store.head };
    let mut file = match is_raw {
        true => script.rest().to_vec(),
        false => valid.clone(),
    };
    if !is_raw && !is_header && choice & 8 != 0 {
        let foreign = &store.foreign[usize::from(choice >> 4 & 1)];
        let at = if choice & 32 != 0 { SLOT_LEN } else { 0 };
        file[at..at + HEAD_LEN].copy_from_slice(foreign);
    }
    apply(&mut file, &mut script);
    match is_header {
        true => header(store, file, is_sealed),
        false => head(store, file, is_sealed),
    }
}

fn header(store: &Store, mut file: Vec<u8>, is_sealed: bool) {
    if is_sealed {
        seal_header(&mut file);
    }
    let Some(id) = read_header(&file) else {
        assert!(file != store.header, "the header itself is taken");
        return;
    };
    assert_eq!(file.get(STORE_ID), Some(&id[..]), "the id is what the file says");
    assert!(is_sealed || file == store.header, "a header is taken whose MAC is another's");
    assert_eq!(id, store.header[STORE_ID], "the keys of a store open for that store alone");
}

fn head(store: &Store, mut file: Vec<u8>, is_sealed: bool) {
    if is_sealed {
        file.chunks_mut(SLOT_LEN).for_each(|slot| store.heads.seal(slot));
    }
    fs::write(&store.path, &file).expect("the file is written");
    let slots = || file.chunks(SLOT_LEN).filter_map(|slot| slot.get(..HEAD_LEN));
    let own = || store.head.chunks(SLOT_LEN).filter_map(|slot| slot.get(..HEAD_LEN));
    let Some(head) = store.heads.newest(&store.path) else {
        assert!(!slots().any(|slot| own().any(|own| slot == own)), "a head of its own is taken");
        return;
    };
    assert!(slots().any(|slot| slot == head), "a head is taken that stands in a slot");
    assert!(is_sealed || own().any(|own| own == head), "a head is taken whose MAC is another's");
    let group = |head: &[u8]| head[16..24].to_vec();
    let newer = slots().find(|slot| group(slot) > group(&head) && own().any(|own| own == *slot));
    assert!(newer.is_none(), "a newer head of its own is passed over");
}
