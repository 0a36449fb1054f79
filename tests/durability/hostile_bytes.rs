//! Whatever bytes clients choose, they are values and never structure.
//!
//! ```text
//! writers: batches of Import, new objects and others replaced, with bytes of the store's own files
//! SIGKILL under them, start:  acknowledged batches byte for byte
//!                             batches under way whole or not at all
//!                             nothing else
//! ```
//!
//! `HOSTILE_SEED` repeats what is drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use harness::{Lab, Random, rounds, seed};
use kmip::client::{Client, Error};

use crate::forged::{Pieces, identifier, text};
use crate::imports::{Chosen, ID_LEN_MAX, differences, import};
use crate::requests::{all, client, start};

/// Writers at once.
const WRITERS: usize = 6;

/// Batches that are acknowledged before a kill.
const BATCHES: usize = 40;

/// Longest name and label, in bytes.
const TEXT_LEN_MAX: usize = 200;

/// Texts that an object has, and no other may have: identifiers and names.
type Used = Arc<Mutex<BTreeSet<String>>>;

/// One writer, and what it knows of its objects.
struct Writer {
    client: Client,
    random: Random,
    used: Used,
    acknowledged: BTreeMap<String, Chosen>,
    /// The batch without an answer.
    pending: Vec<Chosen>,
}

impl Writer {
    /// A text that was not drawn before.
    fn unused(&mut self, pieces: &Pieces, len_max: usize) -> String {
        loop {
            let len = 1 + self.random.below(len_max);
            let drawn = identifier(&pieces.draw(&mut self.random, len), len_max);
            if !drawn.is_empty() && self.used.lock().unwrap().insert(drawn.clone()) {
                return drawn;
            }
        }
    }

    fn object(&mut self, pieces: &Pieces, id: String) -> Chosen {
        // Some are longer than one row of the engine.
        let key_len = if self.random.below(20) == 0 { 130_000 } else { 2_000 };
        let mut bytes = |len: usize| {
            let len = 1 + self.random.below(len);
            pieces.draw(&mut self.random, len)
        };
        let (label, note, key) = (bytes(60), bytes(600), bytes(key_len));
        let name = self.unused(pieces, TEXT_LEN_MAX);
        Chosen { id, name, label: text(&label, TEXT_LEN_MAX), note, key }
    }

    /// A batch whose first object is new; of the others some replace acknowledged ones.
    fn batch(&mut self, pieces: &Pieces) -> Vec<Chosen> {
        let mut ids = vec![self.unused(pieces, ID_LEN_MAX)];
        for _ in 0..self.random.below(6) {
            let known = self.acknowledged.len();
            let id = match self.random.below(2) {
                0 if known > 0 => {
                    self.acknowledged.keys().nth(self.random.below(known)).unwrap().clone()
                }
                _ => self.unused(pieces, ID_LEN_MAX),
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.into_iter().map(|id| self.object(pieces, id)).collect()
    }

    /// Imports until the server is gone.
    async fn run(mut self, pieces: Arc<Pieces>, tell: Sender<()>) -> Self {
        loop {
            self.pending = self.batch(&pieces);
            match import(&self.client, &self.pending).await {
                Ok(()) => self.take_pending(),
                Err(error @ Error::Refused { .. }) => panic!("{error}"),
                Err(_) => return self,
            }
            // Nobody listens after the kill.
            let _ = tell.send(());
        }
    }

    fn take_pending(&mut self) {
        let taken = std::mem::take(&mut self.pending).into_iter();
        self.acknowledged.extend(taken.map(|object| (object.id.clone(), object)));
    }
}

/// Compares the server's objects with those of the writers. A batch that was under way is there if
/// its new object is; then all of it must be.
async fn check(writers: &mut [Writer], what: &str) -> (usize, usize) {
    let found = all(&writers[0].client).await;
    let (mut wanted, mut half) = (BTreeSet::new(), 0);
    for writer in writers.iter_mut() {
        if writer.pending.first().is_some_and(|object| found.contains(&object.id)) {
            writer.take_pending();
            half += 1;
        }
        writer.pending.clear();
        wanted.extend(writer.acknowledged.keys().cloned());
    }
    let lost: Vec<_> = wanted.difference(&found).collect();
    let strange: Vec<_> = found.difference(&wanted).collect();
    assert!(lost.is_empty() && strange.is_empty(), "{what}: lost {lost:?}, strange {strange:?}");
    for writer in &*writers {
        for object in writer.acknowledged.values() {
            let differs = differences(&writer.client, object).await;
            assert!(differs.is_empty(), "{what}: {differs:?} of {:?}", object.id);
        }
    }
    (wanted.len(), half)
}

fn import_hostile_bytes(engine: &str) {
    let seed = seed("HOSTILE_SEED");
    let kills = rounds(2, 20);
    let lab = Lab::new();
    let mut server = start(&lab, engine, &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let used = Used::default();
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|n| Writer {
            client: client(&lab, &server, "client"),
            random: Random::new(seed, n),
            used: Arc::clone(&used),
            acknowledged: BTreeMap::new(),
            pending: Vec::new(),
        })
        .collect();
    for kill in 1..=kills {
        let pieces = Arc::new(Pieces::of(server.data()));
        let (tell, told) = channel();
        let running: Vec<_> = writers
            .into_iter()
            .map(|writer| runtime.spawn(writer.run(Arc::clone(&pieces), tell.clone())))
            .collect();
        for _ in 0..BATCHES {
            told.recv().unwrap();
        }
        server.kill();
        server.restart();
        writers = runtime.block_on(async {
            let mut ended = Vec::new();
            for writer in running {
                ended.push(writer.await.unwrap());
            }
            ended
        });
        let what = format!("{engine}, HOSTILE_SEED={seed}, kill {kill}");
        let (objects, whole) = runtime.block_on(check(&mut writers, &what));
        println!("{what}: {objects} objects as they were chosen, {whole} of them unanswered");
    }
}

/// sled: a client's bytes are read back as they were, and are never taken for structure.
#[test]
fn hostile_bytes_are_kept_as_values_by_sled() {
    import_hostile_bytes("sled");
}

/// redb: the same.
#[test]
fn hostile_bytes_are_kept_as_values_by_redb() {
    import_hostile_bytes("redb");
}
