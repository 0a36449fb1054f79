//! Export files of a store: one is refused, or it has all rows of one store as they were.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use kmip_server::store::fuzzing::{Exports, Row};

use crate::edits::{Script, apply};

/// Rows in a frame of the files here. A real one takes a thousand times as many.
const FRAME_ROWS: usize = 3;

/// Two exports of one store, at different times, and one of another store under the same root key.
struct Files {
    store: Exports,
    first: Export,
    second: Export,
    other: Export,
    /// The first one, as the program writes it.
    written: Vec<u8>,
}

struct Export {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Frames before they are sealed, each with whether it is the last one.
    plain: Vec<(bool, Vec<u8>)>,
    /// What is before the frames, and the frames.
    start: Vec<u8>,
    frames: Vec<Vec<u8>>,
}

impl Export {
    fn new(store: &Exports, rows: &[Row], group: u64) -> Self {
        let plain = store.plain(rows, FRAME_ROWS, group);
        let (start, frames) = store.sealed(&plain).expect("the frames are sealed");
        Self { rows: rows.iter().cloned().collect(), plain, start, frames }
    }

    fn file(&self) -> Vec<u8> {
        [&self.start[..], &self.frames.concat()].concat()
    }
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let row = |n: u8| (vec![b'o', n], vec![n; 8 + usize::from(n)]);
        let rows: Vec<Row> = (0..8).map(row).collect();
        let later: Vec<Row> = (1..11).map(row).collect();
        let store = Exports::new().expect("a store has keys");
        let another = Exports::new().expect("a store has keys");
        let first = Export::new(&store, &rows, 8);
        let second = Export::new(&store, &later, 11);
        let other = Export::new(&another, &rows[2..], 8);
        let written = store.written(&rows, 8).expect("an export is written");
        for (file, rows) in [
            (&written, &first.rows),
            (&first.file(), &first.rows),
            (&second.file(), &second.rows),
            (&other.file(), &other.rows),
        ] {
            assert_eq!(Exports::read(file).as_ref(), Some(rows), "a whole file is taken");
        }
        Files { store, first, second, other, written }
    })
}

/// Checks a file that `input` spells: its bytes; changes of a valid file; frames of several files;
/// or changes of frames before they are sealed.
pub fn check(input: &[u8]) {
    let files = files();
    let mut script = Script::new(input);
    let kind = script.byte();
    let mut changed = |mut file: Vec<u8>| {
        apply(&mut file, &mut script);
        file
    };
    let (file, whole) = match kind % 5 {
        0 => (script.rest().to_vec(), None),
        1 => (changed(files.first.file()), Some(files.first.file())),
        2 => (changed(files.written.clone()), Some(files.written.clone())),
        3 => (mixed(files, &mut script), None),
        _ => (sealed(files, &mut script), None),
    };
    let known = [&files.first, &files.second, &files.other];
    match Exports::read(&file) {
        Some(rows) => {
            let is_known = known.iter().any(|export| export.rows == rows);
            assert!(is_known, "a file is taken whose rows no store has had");
            let is_changed = whole.is_some_and(|whole| whole != file);
            assert!(!is_changed, "a file is taken that is not as it was written");
        }
        None => assert!(whole.is_none_or(|whole| whole != file), "a whole file is refused"),
    }
}

/// Frames one after another, as the script picks them.
fn mixed(files: &Files, script: &mut Script<'_>) -> Vec<u8> {
    let all = [&files.first, &files.second, &files.other];
    let mut file = all[usize::from(script.byte()) % all.len()].start.clone();
    while !script.is_empty() {
        let from = all[usize::from(script.byte()) % all.len()];
        let at = usize::from(script.byte()) % from.frames.len();
        file.extend_from_slice(&from.frames[at]);
    }
    file
}

/// Frames that the keys of the store have sealed, with rows that were changed before. The head is
/// one that it has had.
fn sealed(files: &Files, script: &mut Script<'_>) -> Vec<u8> {
    let mut frames = files.first.plain.clone();
    let at = usize::from(script.byte()) % frames.len();
    match script.byte() % 4 {
        0 => drop(frames.remove(at)),
        1 => frames.insert(at, files.second.plain[at % files.second.plain.len()].clone()),
        2 => frames[at].0 ^= true,
        _ => {}
    }
    let at = usize::from(script.byte()) % frames.len().max(1);
    if let Some((_, plain)) = frames.get_mut(at) {
        apply(plain, script);
    }
    let (start, frames) = files.store.sealed(&frames).expect("the frames are sealed");
    [start, frames.concat()].concat()
}
