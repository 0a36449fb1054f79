//! Key servers that are away, do not trust the cluster, or lose what they held.

use super::lab::{
    Lab, SERVER_1, SERVER_2, answer, assert_pattern, at_last, current_key, faults, kmip_faults,
    rekey, rekeyed, unlocked, until,
};
use crate::cluster::{AbandonRekeyError, Cluster, ClusterSettings, DriveState, RekeyTarget};
use crate::key_server::in_memory::{Call, FaultTiming};
use crate::key_server::object_inventory::ObjectInventory;
use crate::key_server::{
    Destruction, FetchedKey, KeyProviderAccess, KeyServerClient, KeyServerError, KeyServerFuture,
    SurveyFuture,
};
use crate::state::key_ring::{KeyId, KeyOrigin, KnownKey, RetiredKey};
use crate::state::rekey_job::RekeyState;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

fn away() -> KeyServerError {
    KeyServerError::connection("Connection refused.")
}

#[tokio::test(flavor = "multi_thread")]
async fn at_start_the_drives_stay_locked_until_the_key_server_is_back() {
    let lab = Lab::new(3, 2);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.close().await;
    drop(cluster);
    let table = [
        (away(), "KMIP key server connection failure: Connection refused."),
        (
            KeyServerError::authentication("Unknown CA."),
            "KMIP key server authentication failure: Unknown CA.",
        ),
        (KeyServerError::server("Key not found."), "KMIP key server error: Key not found."),
    ];
    for (error, details) in table {
        lab.key_servers.switch_off(SERVER_1, error);
        let cluster = lab.open().await;
        until(&cluster, "each node has its fault", |c| kmip_faults(c) == vec![details; 3]).await;
        for drive in cluster.drives() {
            assert!(matches!(drive.state, DriveState::Locked { .. }), "{:?}", drive.state);
            assert!(cluster.read_blocks(drive.drive_id, 3, vec![0; 4096]).await.is_err());
        }
        lab.key_servers.switch_on(SERVER_1);
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        until(&cluster, "the faults are over", |c| faults(c).is_empty()).await;
        cluster.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_server_lost_and_got_back_unlocks_the_drives() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (key, _) = current_key(&cluster);
    let bytes = lab.key_servers.bytes(SERVER_1, key).unwrap();
    cluster.close().await;
    drop(cluster);
    lab.key_servers.lose(SERVER_1, key);
    let cluster = lab.open().await;
    until(&cluster, "each node has its fault", |c| kmip_faults(c).len() == 2).await;
    assert!(kmip_faults(&cluster)[0].contains("not there"), "{:?}", faults(&cluster));
    lab.key_servers.put(SERVER_1, key, [7; 32]);
    until(&cluster, "another key is told from it", |c| {
        faults(c).iter().all(|(_, details)| details.contains("gives another key"))
    })
    .await;
    lab.key_servers.put(SERVER_1, key, bytes);
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    until(&cluster, "the faults are over", |c| faults(c).is_empty()).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rekey_waits_for_its_key_server_and_then_finishes() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    lab.key_servers.switch_off(SERVER_1, away());
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    until(&cluster, "the fault is raised", |c| faults(c).len() == 1).await;
    until(&cluster, "the details say so", |c| {
        answer(c, handle)["details"]["waitingFor"] == json!("node 1: Connection refused.")
    })
    .await;
    let running = answer(&cluster, handle);
    assert_eq!(running["status"], "running");
    assert_eq!(running["details"]["state"], "CreateNewMasterKey");
    assert_eq!(running["details"]["drivesRewrapped"], 0);
    assert_eq!(running["details"]["drivesTotal"], 4);
    assert_pattern(&cluster).await;
    lab.key_servers.switch_on(SERVER_1);
    rekeyed(&cluster).await;
    assert_eq!(answer(&cluster, handle)["status"], "complete");
    until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_may_fail_before_and_after_it_was_done() {
    for timing in [FaultTiming::Before, FaultTiming::After] {
        for call in [Call::Test, Call::Ensure, Call::Fetch, Call::Destroy] {
            let lab = Lab::new(2, 1);
            let cluster = lab.create().await;
            rekey(&cluster, RekeyTarget::External(1)).await;
            lab.key_servers.fail(call, timing, 3, KeyServerError::server("The answer was lost."));
            let result = rekey(&cluster, RekeyTarget::External(2)).await;
            assert_eq!(result["result"]["state"], "Ready", "{call:?} {timing:?}");
            let (key, _) = current_key(&cluster);
            assert_eq!(lab.key_servers.made(SERVER_2), [key], "one key, {call:?} {timing:?}");
            assert!(lab.key_servers.keys(SERVER_1).is_empty(), "{call:?} {timing:?}");
            until(&cluster, "the faults are over", |c| faults(c).is_empty()).await;
            assert_pattern(&cluster).await;
            cluster.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rekey_whose_server_never_answered_is_given_up_at_once() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    let before = current_key(&cluster);
    lab.key_servers.switch_off(SERVER_1, away());
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    until(&cluster, "the fault is raised", |c| faults(c).len() == 1).await;
    assert_eq!(cluster.abandon_rekey().await.unwrap(), handle);
    let result = answer(&cluster, handle);
    assert_eq!(result["status"], "complete");
    assert_eq!(result["error"]["name"], "xRekeyAbandoned");
    assert_eq!(current_key(&cluster), before);
    assert!(cluster.read(|ledger| ledger.ring.active_providers()).is_empty());
    until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
    assert!(matches!(cluster.abandon_rekey().await, Err(AbandonRekeyError::NotRunning)));
    lab.key_servers.switch_on(SERVER_1);
    rekey(&cluster, RekeyTarget::External(1)).await;
    assert_eq!(lab.key_servers.made(SERVER_1).len(), 1);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_have_been_made_is_destroyed_when_the_rekey_is_given_up() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    let before = current_key(&cluster);
    let lost = KeyServerError::connection("The answer was lost.");
    lab.key_servers.fail(Call::Ensure, FaultTiming::After, u32::MAX, lost);
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    until(&cluster, "the fault is raised", |c| faults(c).len() == 1).await;
    assert_eq!(lab.key_servers.keys(SERVER_1).len(), 1);
    lab.key_servers.switch_off(SERVER_1, away());
    cluster.abandon_rekey().await.unwrap();
    assert_eq!(answer(&cluster, handle)["status"], "running", "not before the key is gone");
    lab.key_servers.switch_on(SERVER_1);
    rekeyed(&cluster).await;
    assert_eq!(answer(&cluster, handle)["error"]["name"], "xRekeyAbandoned");
    assert!(lab.key_servers.keys(SERVER_1).is_empty());
    assert_eq!(current_key(&cluster), before);
    assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1);
    until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_old_wrappings_are_removed_it_is_too_late_to_give_up() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    lab.key_servers.switch_off(SERVER_1, away());
    cluster.start_rekey(RekeyTarget::Internal).await.unwrap();
    until(&cluster, "the old key is being given up", |c| {
        c.read(|ledger| ledger.rekey.as_ref().map(|running| running.job.state()))
            == Some(RekeyState::DecommissionOldMasterKey)
    })
    .await;
    assert!(matches!(cluster.abandon_rekey().await, Err(AbandonRekeyError::TooLate(_))));
    // The old server is not needed for the data any more.
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    lab.key_servers.switch_on(SERVER_1);
    cluster.retry_now();
    rekeyed(&cluster).await;
    assert!(lab.key_servers.keys(SERVER_1).is_empty());
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_is_not_given_up_while_the_new_one_cannot_be_had() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    // The old server is away when the old key shall be destroyed; meanwhile the new one is lost.
    lab.key_servers.switch_off(SERVER_1, away());
    cluster.start_rekey(RekeyTarget::External(2)).await.unwrap();
    until(&cluster, "the old key is being given up", |c| faults(c).len() == 1).await;
    let (new, _) = current_key(&cluster);
    let bytes = lab.key_servers.bytes(SERVER_2, new).unwrap();
    for wrong in [None, Some([9; 32])] {
        lab.key_servers.lose(SERVER_2, new);
        if let Some(wrong) = wrong {
            lab.key_servers.put(SERVER_2, new, wrong);
        }
        until(&cluster, "the new key's server is at fault", |c| {
            faults(c).iter().any(|(_, details)| details.contains("KMIP key server error"))
        })
        .await;
        lab.key_servers.switch_on(SERVER_1);
        let tries = lab.key_servers.callers(Call::Fetch).len();
        at_last("the new key was asked for again", || {
            cluster.retry_now();
            lab.key_servers.callers(Call::Fetch).len() >= tries + 3
        })
        .await;
        assert_eq!(lab.key_servers.keys(SERVER_1).len(), 1, "the old key lives on");
    }
    lab.key_servers.put(SERVER_2, new, bytes);
    rekeyed(&cluster).await;
    assert!(lab.key_servers.keys(SERVER_1).is_empty());
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rekey_of_locked_drives_waits_until_they_unlock() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.close().await;
    drop(cluster);
    lab.key_servers.switch_off(SERVER_1, away());
    let cluster = lab.open().await;
    until(&cluster, "each node has its fault", |c| kmip_faults(c).len() == 2).await;
    let handle = cluster.start_rekey(RekeyTarget::Internal).await.unwrap();
    until(&cluster, "it waits for the drives", |c| {
        answer(c, handle)["details"]["waitingFor"]
            == json!("waiting for locked drives [1, 2, 3, 4]")
    })
    .await;
    assert_eq!(answer(&cluster, handle)["details"]["drivesRewrapped"], 0);
    lab.key_servers.switch_on(SERVER_1);
    rekeyed(&cluster).await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    assert!(lab.key_servers.keys(SERVER_1).is_empty());
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_does_not_wait_for_a_key_server() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    lab.key_servers.hang(SERVER_1);
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    at_last("the server is asked", || !lab.key_servers.callers(Call::Test).is_empty()).await;
    cluster.close().await;
    drop(cluster);
    lab.key_servers.switch_on(SERVER_1);
    let cluster = lab.open().await;
    rekeyed(&cluster).await;
    assert_eq!(answer(&cluster, handle)["status"], "complete");
    cluster.close().await;
}

/// A key server that fails at last, when it is told to.
#[derive(Default)]
struct LateKeyServer {
    asked: Notify,
    fail: Notify,
}

impl KeyServerClient for LateKeyServer {
    fn test<'a>(&'a self, _: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()> {
        Box::pin(async { Err(away()) })
    }

    fn choose_host<'a>(&'a self, _: &'a KeyProviderAccess) -> KeyServerFuture<'a, KeyOrigin> {
        Box::pin(async {
            self.asked.notify_one();
            self.fail.notified().await;
            Err(away())
        })
    }

    fn ensure<'a>(
        &'a self,
        _: &'a KeyProviderAccess,
        _: &'a KeyOrigin,
        _: KeyId,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async { Err(away()) })
    }

    fn fetch<'a>(
        &'a self,
        _: &'a KeyProviderAccess,
        _: KeyId,
        _: &'a KnownKey,
    ) -> KeyServerFuture<'a, FetchedKey> {
        Box::pin(async { Err(away()) })
    }

    fn destroy<'a>(
        &'a self,
        _: &'a KeyProviderAccess,
        _: &'a RetiredKey,
    ) -> KeyServerFuture<'a, Destruction> {
        Box::pin(async { Err(away()) })
    }

    fn survey<'a>(
        &'a self,
        _: &'a KeyProviderAccess,
        _: KeyId,
        _: Option<&'a str>,
    ) -> SurveyFuture<'a> {
        Box::pin(async { Vec::new() })
    }

    fn inventory<'a>(&'a self, _: &'a KeyProviderAccess) -> KeyServerFuture<'a, ObjectInventory> {
        Box::pin(async { Err(away()) })
    }

    fn destroy_object<'a>(
        &'a self,
        _: &'a KeyProviderAccess,
        _: &'a str,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async { Err(away()) })
    }
}

/// A call that was under way when the rekey was given up failed afterwards, and the fault that it
/// raised stayed for ever: no one needed the server any more, so no one found it well again.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_comes_after_a_rekey_was_given_up_raises_no_fault() {
    let lab = Lab::new(2, 1);
    lab.create().await.close().await;
    let settings = ClusterSettings { folder: lab.path().to_owned(), ..ClusterSettings::default() };
    let key_server = Arc::new(LateKeyServer::default());
    let cluster = Cluster::open(settings, key_server.clone()).await.unwrap();
    unlocked(&cluster).await;
    cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    key_server.asked.notified().await;
    cluster.abandon_rekey().await.unwrap();
    key_server.fail.notify_one();
    // The next rekey begins when that failure was dealt with.
    rekey(&cluster, RekeyTarget::Internal).await;
    assert_eq!(faults(&cluster), []);
    cluster.close().await;
}
