//! One client cannot take away what another one was acknowledged.
//!
//! ```text
//! client alice   45 batches of 100 Imports: identifiers, names and values hold structure of the
//!                store's files, with right checksums
//! client bob     20 keys, all acknowledged
//! SIGKILL, start:  20 of 20, and alice's 4,500 too
//! ```

use harness::{Lab, Random, rounds, seed};

use crate::forged::{Pieces, identifier, text};
use crate::imports::{Chosen, ID_LEN_MAX, import};
use crate::requests::{all, client, create, key_len, start};

/// Batches of the one client, and objects of each.
const BATCHES: usize = 45;
const BATCH_LEN: usize = 100;

/// Keys of the other client.
const KEYS: usize = 20;

/// An object full of structure; its number makes identifier and name unique.
fn forged(pieces: &Pieces, random: &mut Random, number: usize) -> Chosen {
    let mut bytes = |len: usize| pieces.draw(random, len);
    let (id, name, label) = (bytes(ID_LEN_MAX), bytes(ID_LEN_MAX), bytes(40));
    let unique = |bytes: &[u8]| identifier(bytes, ID_LEN_MAX - 6) + &format!("{number:06}");
    let (id, name) = (unique(&id), unique(&name));
    Chosen { id, name, label: text(&label, 60), note: bytes(1_000), key: bytes(2_000) }
}

/// One attack on a new store; gives how many of the other client's keys are left.
async fn attack(engine: &str, random: &mut Random) -> (usize, usize) {
    let lab = Lab::new();
    let mut server = start(&lab, engine, &[]);
    let (alice, bob) = (client(&lab, &server, "alice"), client(&lab, &server, "bob"));
    let mut keys = Vec::new();
    for batch in 0..BATCHES {
        let pieces = Pieces::of(server.data());
        let objects: Vec<Chosen> =
            (0..BATCH_LEN).map(|n| forged(&pieces, random, batch * BATCH_LEN + n)).collect();
        import(&alice, &objects).await.unwrap();
        // The keys come between the batches, so that what is written lies before and behind them.
        if batch % 2 == 1 && keys.len() < KEYS {
            let key = bob.request(create(&format!("key-{batch}"))).await.unwrap();
            keys.push(key.unique_identifier);
        }
    }
    assert_eq!(keys.len(), KEYS);
    server.kill();
    server.restart();
    let mut there = 0;
    let held = all(&bob).await;
    for key in &keys {
        if held.contains(key) && key_len(&bob, key).await.ok() == Some(32) {
            there += 1;
        }
    }
    assert!(held.len() <= KEYS, "objects that nobody made: {held:?}");
    (there, all(&alice).await.len())
}

fn attack_with_forged_structure(engine: &str) {
    let seed = seed("FORGED_SEED");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 0..rounds(1, 10) {
        let (keys, forged) = runtime.block_on(attack(engine, &mut Random::new(seed, round)));
        println!(
            "{engine}, FORGED_SEED={seed}, round {round}: {keys} of {KEYS} keys, {forged} of {} \
             forged objects",
            BATCHES * BATCH_LEN
        );
        assert_eq!((keys, forged), (KEYS, BATCHES * BATCH_LEN));
    }
}

/// sled: 20 of 20 keys of one client outlive a kill, whatever another one imported around them.
#[test]
fn keys_outlive_forged_structure_of_another_client_with_sled() {
    attack_with_forged_structure("sled");
}

/// redb: the same.
#[test]
fn keys_outlive_forged_structure_of_another_client_with_redb() {
    attack_with_forged_structure("redb");
}
