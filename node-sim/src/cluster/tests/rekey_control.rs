//! Pace and stop of a rekey.

use super::lab::{
    Lab, SERVER_1, answer, assert_pattern, at_last, current_key, rekey, rekeyed, unlocked, until,
};
use crate::cluster::{Cluster, RekeyControlChange, RekeyTarget};
use crate::state::key_ring::KeyManagement;
use crate::state::rekey_job::RekeyState;
use serde_json::{Value, json};

const EXTERNAL: RekeyTarget = RekeyTarget::External(1);

fn stop_before(cluster: &Cluster, state: Option<RekeyState>) {
    let change = RekeyControlChange { stop_before: Some(state), ..RekeyControlChange::default() };
    cluster.rekey_control().change(change);
}

fn pace(cluster: &Cluster, milliseconds: u64) {
    cluster.rekey_control().change(RekeyControlChange {
        milliseconds_per_drive: Some(milliseconds),
        ..RekeyControlChange::default()
    });
}

/// Waits until the async result says that the rekey is stopped before this state; its details.
async fn stopped(cluster: &Cluster, handle: u64, state: RekeyState) -> Value {
    let details = |cluster: &Cluster| answer(cluster, handle)["details"].clone();
    until(cluster, "stopped", |c| details(c)["stoppedBefore"] == json!(state)).await;
    assert_eq!(cluster.rekey_control().stopped_before(), Some(state));
    details(cluster)
}

#[tokio::test(flavor = "multi_thread")]
async fn rekey_stops_before_each_state_until_it_is_released() {
    use RekeyState as S;
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    let (old, _) = current_key(&cluster);
    // State in the details, drives under the new key, wrappings of each, keys at the key server.
    let table = [
        (S::CreateNewMasterKey, S::CreateNewMasterKey, 0, 1, 0),
        (S::RewrapDataEncryptionKeys, S::CreateNewMasterKey, 0, 1, 1),
        (S::DecommissionOldMasterKey, S::RewrapDataEncryptionKeys, 4, 2, 1),
        (S::Ready, S::DecommissionOldMasterKey, 4, 1, 1),
    ];
    stop_before(&cluster, Some(S::CreateNewMasterKey));
    let handle = cluster.start_rekey(EXTERNAL).await.unwrap();
    for (before, state, drives, wrapped_by, keys) in table {
        // A stop that is no longer set is released, and the rekey goes on to the next.
        stop_before(&cluster, Some(before));
        let details = stopped(&cluster, handle, before).await;
        assert_eq!(details["state"], json!(state), "{before:?}");
        assert_eq!(details["drivesRewrapped"], json!(drives), "{before:?}");
        assert_eq!(lab.key_servers.keys(SERVER_1).len(), keys, "{before:?}");
        let wrappings = cluster.drives().into_iter().map(|drive| drive.wrappings.len());
        assert_eq!(wrappings.collect::<Vec<_>>(), [wrapped_by; 4], "{before:?}");
        assert!(cluster.read(crate::state::ledger::Ledger::is_unlocked));
        assert_pattern(&cluster).await;
    }
    assert_eq!(cluster.rekey_control().release(), Ok(S::Ready));
    rekeyed(&cluster).await;
    assert_eq!(answer(&cluster, handle)["result"]["state"], "Ready");
    assert_ne!(current_key(&cluster).0, old);
    assert!(cluster.rekey_control().release().is_err(), "nothing is stopped");
    assert_eq!(cluster.rekey_control().settings().stop_before, Some(S::Ready), "the next one");
    let handle = cluster.start_rekey(RekeyTarget::Internal).await.unwrap();
    stopped(&cluster, handle, S::Ready).await;
    stop_before(&cluster, None);
    rekeyed(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_rekey_can_be_given_up_and_says_no_longer_that_it_is_stopped() {
    let lab = Lab::new(1, 2);
    let cluster = lab.create().await;
    let old = current_key(&cluster);
    for before in [
        RekeyState::CreateNewMasterKey,
        RekeyState::RewrapDataEncryptionKeys,
        RekeyState::DecommissionOldMasterKey,
    ] {
        stop_before(&cluster, Some(before));
        let handle = cluster.start_rekey(EXTERNAL).await.unwrap();
        stopped(&cluster, handle, before).await;
        assert_eq!(cluster.abandon_rekey().await.ok(), Some(handle));
        rekeyed(&cluster).await;
        let answer = answer(&cluster, handle);
        assert_eq!(answer["error"]["name"], "xRekeyAbandoned", "{before:?}");
        at_last("the worker left the stop", || cluster.rekey_control().stopped_before().is_none())
            .await;
        assert!(lab.key_servers.keys(SERVER_1).is_empty(), "{before:?}");
        assert!(cluster.drives().iter().all(|drive| drive.wrappings == [old.0]), "{before:?}");
        assert_eq!(current_key(&cluster), old);
    }
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_rekey_goes_on_when_the_cluster_is_opened_again() {
    let lab = Lab::new(1, 2);
    let cluster = lab.create().await;
    stop_before(&cluster, Some(RekeyState::DecommissionOldMasterKey));
    let handle = cluster.start_rekey(EXTERNAL).await.unwrap();
    stopped(&cluster, handle, RekeyState::DecommissionOldMasterKey).await;
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    assert_eq!(cluster.rekey_control().settings().stop_before, None);
    rekeyed(&cluster).await;
    unlocked(&cluster).await;
    assert_eq!(answer(&cluster, handle)["status"], "complete");
    let external = KeyManagement::External { key_provider_id: 1 };
    assert_eq!(current_key(&cluster).1, external);
    assert_pattern(&cluster).await;
    cluster.close().await;
}

/// Begins a rekey of so slow a pace that only a change of it ends the wait after the first drive,
/// and makes sure that it waits: meanwhile a whole rekey of another cluster comes to its end.
async fn paced_rekey(cluster: &Cluster) -> u64 {
    let drives = |handle| answer(cluster, handle)["details"]["drivesRewrapped"].clone();
    pace(cluster, 600_000);
    let handle = cluster.start_rekey(EXTERNAL).await.unwrap();
    until(cluster, "one drive", |_| drives(handle) == json!(1)).await;
    let lab = Lab::new(2, 2);
    let other = lab.create().await;
    rekey(&other, EXTERNAL).await;
    other.close().await;
    assert_eq!(drives(handle), json!(1));
    handle
}

#[tokio::test(flavor = "multi_thread")]
async fn paced_rekey_waits_between_two_drives_until_the_pace_is_changed() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    let handle = paced_rekey(&cluster).await;
    pace(&cluster, 0);
    rekeyed(&cluster).await;
    assert_eq!(answer(&cluster, handle)["status"], "complete");
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_closes_while_a_rekey_is_paced() {
    let lab = Lab::new(1, 2);
    let cluster = lab.create().await;
    let handle = paced_rekey(&cluster).await;
    cluster.close().await;
    assert_eq!(answer(&cluster, handle)["details"]["drivesRewrapped"], json!(1));
    assert_eq!(answer(&cluster, handle)["status"], "running");
}
