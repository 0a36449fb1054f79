//! Changes of key servers, and the tasks that wait for them.

use super::lab::{Lab, SERVER_1, answer, rekeyed, until};
use crate::cluster::error::RetryableError;
use crate::cluster::retry::Backoff;
use crate::cluster::{Cluster, ClusterSettings, RekeyTarget};
use crate::key_server::client_key_pair::{NewKeyPair, Subject};
use crate::key_server::in_memory::InMemoryKeyServers;
use crate::state::error::ElementError;
use crate::state::key_server_registry::{KeyServerChange, KeyServerKmip};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Longer than any test waits: an end of the wait before it is by what happened.
const HOUR: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a change up to the point where it waits for the ledger, which is held; then to its end.
/// No task may be woken before the end, and all must be after it.
async fn assert_wakes_at_the_end(
    cluster: &Cluster,
    change: impl Future<Output = Result<(), ElementError>>,
) {
    let woken = cluster.retries.subscribe();
    let held = cluster.writer.lock().await;
    let mut change = pin!(change);
    let first = poll_fn(|context| Poll::Ready(change.as_mut().poll(context))).await;
    assert!(first.is_pending(), "the change waits for the ledger");
    assert!(!woken.has_changed().unwrap(), "woken before the change is durable");
    drop(held);
    change.await.unwrap();
    assert!(woken.has_changed().unwrap(), "woken after the change is durable");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_tasks_are_woken_when_a_change_of_a_key_server_is_durable() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    let change = KeyServerChange { port: Some(5697), ..KeyServerChange::default() };
    assert_wakes_at_the_end(&cluster, cluster.modify_key_server(SERVER_1, &change)).await;
    let modified = cluster.read(|ledger| ledger.registry.server(SERVER_1).cloned()).unwrap();
    assert_eq!(modified.port, 5697);
    let (server, provider) = cluster
        .change(|ledger| {
            let server = ledger.registry.create_server(KeyServerKmip { ..modified })?;
            Ok::<_, ElementError>((server, ledger.registry.create_provider("three")?))
        })
        .await
        .unwrap();
    assert_wakes_at_the_end(&cluster, cluster.add_key_server_to_provider(server, provider)).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_an_attempt_ends_the_wait_after_it() {
    let lab = Lab::new(1, 1);
    lab.create().await.close().await;
    let settings = ClusterSettings {
        folder: lab.path().to_owned(),
        retry_min: HOUR,
        retry_max: HOUR,
        ..ClusterSettings::default()
    };
    let cluster = Cluster::open(settings, Arc::new(InMemoryKeyServers::new())).await.unwrap();
    let error = RetryableError::NodesOffline { nodes: vec![1] };
    for what in ["a retry", "a change"] {
        let mut backoff = Backoff::new(&cluster);
        backoff.begin_attempt();
        if what == "a retry" {
            cluster.retry_now()
        } else {
            cluster.changed()
        }
        let waited = tokio::time::timeout(PATIENCE, backoff.wait(&cluster, &error)).await;
        assert_eq!(waited, Ok(true), "{what}");
    }
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rekey_that_waits_for_a_key_pair_goes_on_with_the_first() {
    let lab = Lab::new(1, 1);
    let cluster = lab.open().await;
    lab.add_providers(&cluster).await;
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    until(&cluster, "it waits for a key pair", |c| {
        let details = &answer(c, handle)["details"]["waitingFor"];
        details.as_str().is_some_and(|text| text.contains("CreatePublicPrivateKeyPair"))
    })
    .await;
    let pair = || NewKeyPair::create(&Subject::default()).unwrap();
    cluster.adopt_key_pair(pair()).await.unwrap();
    rekeyed(&cluster).await;
    assert_eq!(answer(&cluster, handle)["result"]["state"], "Ready");
    assert!(cluster.adopt_key_pair(pair()).await.is_err(), "the second would lock the cluster");
    cluster.close().await;
}
