//! Many writers create keys, each with a name of its own, while the server is killed with SIGKILL
//! again and again and started on the same folder. At the end every acknowledged key is found by
//! its name, once, and is there.
//!
//! 2,000 keys and 4 kills of each engine by default; with `SOAK=1`, 100,000 and 20.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use harness::{Lab, rounds};
use kmip::client::Client;

use crate::requests::{all, client, create, key_len, name_of, start};

/// Writers at once.
const WRITERS: usize = 32;

/// How long a writer waits before it asks a server that is down again.
const BACK_OFF: Duration = Duration::from_millis(5);

/// Creates keys until `wanted` are acknowledged by all writers together; an error says nothing of
/// whether the key was made, so the name is not used again.
async fn write(
    writer: usize,
    wanted: usize,
    client: Arc<Client>,
    count: Arc<AtomicUsize>,
    tell: Sender<()>,
) -> BTreeMap<String, String> {
    let mut acknowledged = BTreeMap::new();
    for n in 0.. {
        if count.load(Ordering::Relaxed) >= wanted {
            break;
        }
        let name = format!("key-{writer}-{n}");
        match client.request(create(&name)).await {
            Ok(answer) => {
                count.fetch_add(1, Ordering::Relaxed);
                acknowledged.insert(name, answer.unique_identifier);
                // Nobody listens after the last kill.
                let _ = tell.send(());
            }
            // The server is down or was killed under the request: it is asked again in a while.
            Err(_) => tokio::time::sleep(BACK_OFF).await,
        }
    }
    acknowledged
}

/// Compares what the server holds with what it has acknowledged; gives the count of keys held.
async fn check(client: &Client, acknowledged: &BTreeMap<String, String>) -> usize {
    let held = all(client).await;
    let mut names = BTreeSet::new();
    for id in &held {
        let name = name_of(client, id).await;
        assert!(names.insert(name.clone()), "two keys are called {name}");
    }
    for (name, id) in acknowledged {
        assert!(held.contains(id), "{name} was acknowledged as {id} and is lost");
        assert!(names.contains(name), "{name} was acknowledged and its name is lost");
        assert_eq!(key_len(client, id).await.unwrap(), 32, "{id}");
    }
    held.len()
}

fn kill_under_creates(engine: &str) {
    let (creates, kills) = (rounds(2_000, 100_000), rounds(4, 20));
    let lab = Lab::new();
    let mut server = start(&lab, engine, &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Arc::new(client(&lab, &server, "client"));
    let count = Arc::new(AtomicUsize::new(0));
    let (tell, told) = channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| {
            let (client, count) = (Arc::clone(&client), Arc::clone(&count));
            runtime.spawn(write(w, creates, client, count, tell.clone()))
        })
        .collect();
    for _ in 0..kills {
        // The kills are spread over the creates, whatever their speed.
        for _ in 0..creates / (kills + 1) {
            told.recv().unwrap();
        }
        server.kill();
        server.restart();
    }
    runtime.block_on(async {
        let mut acknowledged = BTreeMap::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let held = check(&client, &acknowledged).await;
        println!(
            "{engine}: {} acknowledged, {kills} kills, {held} held: none lost, none doubled",
            acknowledged.len()
        );
        assert!(acknowledged.len() >= creates);
    });
}

/// sled: no acknowledged key is lost or doubled, however often the process is killed under writes.
#[test]
fn no_acknowledged_key_is_lost_or_doubled_by_sigkill_with_sled() {
    kill_under_creates("sled");
}

/// redb: the same.
#[test]
fn no_acknowledged_key_is_lost_or_doubled_by_sigkill_with_redb() {
    kill_under_creates("redb");
}
