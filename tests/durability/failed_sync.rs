//! A disk that fails: what a failed call was to make durable has an unknown outcome, and the answer
//! says so. The process ends, since what the system has kept of it is not known; a later start,
//! on a sound disk, finds everything that was acknowledged.
//!
//! ```text
//! writers -- Create --> key server with failing_disk.c --> data folder
//!              some acknowledged | trigger | "not known whether" | nothing more | the process ends
//! ```

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use harness::{KmipServer, Lab, preload};
use kmip::client::{Client, Error};

use crate::requests::{all, client, create, key_len};

/// Writers at once.
const WRITERS: usize = 8;

/// Keys that are acknowledged before the disk fails.
const CREATES: usize = 100;

/// A process that must end does so within this.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What one writer was answered, in order.
#[derive(Default)]
struct Answers {
    acknowledged: Vec<String>,
    refused: Vec<String>,
    after_a_refusal: usize,
    without_answer: usize,
}

/// Creates keys until the server is gone.
async fn write(writer: usize, client: Arc<Client>, tell: Sender<()>) -> Answers {
    let mut answers = Answers::default();
    for n in 0.. {
        match client.request(create(&format!("key-{writer}-{n}"))).await {
            Ok(answer) => {
                answers.acknowledged.push(answer.unique_identifier);
                answers.after_a_refusal += usize::from(!answers.refused.is_empty());
                // Nobody listens after the failure.
                let _ = tell.send(());
            }
            Err(Error::Refused { message, .. }) => answers.refused.push(message),
            Err(_) => {
                answers.without_answer += 1;
                break;
            }
        }
    }
    answers
}

/// Starts a server whose disk fails at `call`, for files whose paths end so, once `trigger` exists.
fn start_failing(
    lab: &Lab,
    engine: &str,
    (call, file): (&str, &str),
    library: &Path,
    trigger: &Path,
) -> KmipServer {
    KmipServer::start_with(lab, engine, |program| {
        let program = program.arg("--engine").arg(engine).env("LD_PRELOAD", library);
        let program = program.env("FAILING_FOLDER", lab.path(engine));
        let program = program.env("FAILING_TRIGGER", trigger).env("FAILING_CALL", call);
        program.env("FAILING_FILE", file)
    })
}

/// The disk fails in `call` under many Creates.
fn fail(engine: &str, call: &str, file: &str) {
    let lab = Lab::new();
    let Some(library) = preload("durability/failing_disk.c", &lab.path("")) else { return };
    let trigger = lab.path("trigger");
    let mut server = start_failing(&lab, engine, (call, file), &library, &trigger);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Arc::new(client(&lab, &server, "client"));
    let (tell, told) = channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| runtime.spawn(write(writer, Arc::clone(&client), tell.clone())))
        .collect();
    for _ in 0..CREATES {
        told.recv().unwrap();
    }
    std::fs::write(&trigger, "").unwrap();
    let status = server.process().wait(ENDS_WITHIN);
    let what = format!("{engine}, {call} {file}");
    let status = status.unwrap_or_else(|| panic!("{what}: the process goes on"));
    assert!(!status.success(), "{what}: {status}");
    std::fs::remove_file(&trigger).unwrap();
    let log = server.log();
    assert!(log.contains("the store has stopped"), "{what}:\n{log}");
    server.restart();
    runtime.block_on(async {
        let mut answers = Vec::new();
        for writer in writers {
            answers.push(writer.await.unwrap());
        }
        check(&what, &client, &answers).await;
    });
}

async fn check(what: &str, client: &Client, answers: &[Answers]) {
    let unknown = "it is not known whether the change was made";
    let refused: Vec<&String> = answers.iter().flat_map(|answers| &answers.refused).collect();
    let told = refused.iter().filter(|message| message.contains(unknown)).count();
    assert!(told > 0, "{what}: nobody was told that the outcome is unknown: {refused:?}");
    for message in refused {
        let is_clear = message.contains(unknown) || message.contains("its store has stopped");
        assert!(is_clear, "{what}: {message}");
    }
    let after: usize = answers.iter().map(|answers| answers.after_a_refusal).sum();
    assert_eq!(after, 0, "{what}: acknowledged after the failure");
    let held = all(client).await;
    let mut acknowledged = 0;
    for id in answers.iter().flat_map(|answers| &answers.acknowledged) {
        assert!(held.contains(id), "{what}: {id} was acknowledged and is lost");
        assert_eq!(key_len(client, id).await.unwrap(), 32, "{what}: {id}");
        acknowledged += 1;
    }
    let without: usize = answers.iter().map(|answers| answers.without_answer).sum();
    assert!(held.len() <= acknowledged + told + without, "{what}: {} keys", held.len());
    println!(
        "{what}: {acknowledged} acknowledged and there, {told} told that it is not known, {} held",
        held.len()
    );
}

/// sled: fdatasync and fsync fail.
#[test]
fn failed_sync_has_an_unknown_outcome_and_loses_nothing_with_sled() {
    fail("sled", "sync", "");
}

/// redb: the same.
#[test]
fn failed_sync_has_an_unknown_outcome_and_loses_nothing_with_redb() {
    fail("redb", "sync", "");
}

/// sled: the sync of its own that comes before the store's fails.
#[test]
fn failed_sync_of_sled_itself_has_an_unknown_outcome() {
    fail("sled", "range", "");
}

/// sled: the write of the head file fails, after the engine's sync and before the answers.
#[test]
fn failed_write_of_the_head_file_has_an_unknown_outcome_with_sled() {
    fail("sled", "write", "/store/head");
}

/// redb: the same.
#[test]
fn failed_write_of_the_head_file_has_an_unknown_outcome_with_redb() {
    fail("redb", "write", "/store/head");
}

/// sled: a write of its own fails.
#[test]
fn failed_write_of_the_engine_has_an_unknown_outcome_with_sled() {
    fail("sled", "write", "/records/db");
}

/// redb: the same.
#[test]
fn failed_write_of_the_engine_has_an_unknown_outcome_with_redb() {
    fail("redb", "write", "/records/redb");
}
