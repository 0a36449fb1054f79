//! Key servers that answer what is not so: nothing is lost, and no key is left behind silently.

use super::lab::{
    Lab, SERVER_1, SERVER_2, answer, assert_pattern, at_last, current_key, faults, rekey, rekeyed,
    unlocked, until,
};
use crate::cluster::{AbandonRekeyError, Cluster, ForgetKeyError, RekeyTarget};
use crate::key_server::KeyServerError;
use crate::key_server::in_memory::Call;
use crate::state::key_ring::{CreatedKey, KeyId, KeyManagement, NodeId};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// More answers than any rekey asks for.
const ALWAYS: u32 = 10_000;

/// The cluster opens with the key that it says it is under, and no other key is left.
async fn assert_whole(lab: &Lab, cluster: Arc<Cluster>, servers: &[u64]) {
    let (current, management) = current_key(&cluster);
    for server in servers {
        let expected = management.key_provider_id().filter(|id| id == server).map(|_| current);
        at_last("no key is left behind", || {
            cluster.retry_now();
            lab.key_servers.keys(*server) == expected.into_iter().collect::<BTreeSet<_>>()
        })
        .await;
    }
    until(&cluster, "the ledger knows one key", |c| c.read(|l| l.ring.keys().count()) == 1).await;
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    assert!(cluster.drives().iter().all(|drive| drive.wrappings == [current]));
    until(&cluster, "no fault is left", |c| faults(c).is_empty()).await;
    cluster.close().await;
}

fn error_name(answer: &Value) -> Option<&str> {
    answer["error"]["name"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_for_the_new_key_lose_nothing_however_many() {
    let mut ends = BTreeSet::new();
    for digest in [true, false] {
        for lies in (1..12).chain([ALWAYS]) {
            let lab = Lab::new(2, 2);
            let cluster = lab.create().await;
            let (old, _) = current_key(&cluster);
            if !digest {
                lab.key_servers.no_digest(SERVER_1);
            }
            lab.key_servers.lie(None, lies);
            let result = rekey(&cluster, RekeyTarget::External(1)).await;
            let error = error_name(&result);
            ends.insert(error.map(str::to_owned));
            assert!(error.is_none_or(|name| name == "xKmipServerError"), "{result}");
            assert_eq!(error.is_some(), current_key(&cluster).0 == old, "{result}");
            assert_pattern(&cluster).await;
            lab.key_servers.lie(None, 0);
            assert_whole(&lab, cluster, &[SERVER_1]).await;
        }
    }
    assert_eq!(ends.len(), 2, "both ends were reached: {ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_to_one_node_is_found_before_any_old_wrapping_is_removed() {
    for node in [1, 2, 3] {
        let lab = Lab::new(3, 1);
        let cluster = lab.create().await;
        let (old, _) = current_key(&cluster);
        lab.key_servers.no_digest(SERVER_1);
        lab.key_servers.lie(Some(NodeId(node)), ALWAYS);
        let result = rekey(&cluster, RekeyTarget::External(1)).await;
        assert_eq!(error_name(&result), Some("xKmipServerError"), "{result}");
        assert_eq!(current_key(&cluster).0, old);
        lab.key_servers.lie(Some(NodeId(node)), 0);
        assert_whole(&lab, cluster, &[SERVER_1]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_refusal_ends_the_rekey_and_another_can_begin() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    let (old, _) = current_key(&cluster);
    lab.key_servers.refuse(Call::Ensure, 1, "The attribute is not supported.");
    let result = rekey(&cluster, RekeyTarget::External(1)).await;
    assert_eq!(error_name(&result), Some("xKmipServerError"));
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains("The attribute is not supported."), "{message}");
    assert_eq!(lab.key_servers.callers(Call::Ensure).len(), 1, "it was not tried again");
    assert_eq!(current_key(&cluster).0, old);
    let result = rekey(&cluster, RekeyTarget::External(1)).await;
    assert_eq!(error_name(&result), None);
    assert_whole(&lab, cluster, &[SERVER_1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rekey_that_waits_for_a_node_is_given_up_and_its_key_destroyed_afterwards() {
    let lab = Lab::new(3, 2);
    let cluster = lab.create().await;
    let (old, _) = current_key(&cluster);
    cluster.stop_node(NodeId(3)).await.unwrap();
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    until(&cluster, "it waits for the node", |c| {
        answer(c, handle)["details"]["waitingForNodes"] == serde_json::json!([3])
    })
    .await;
    assert_eq!(answer(&cluster, handle)["details"]["drivesRewrapped"], 4);
    cluster.abandon_rekey().await.unwrap();
    rekeyed(&cluster).await;
    assert_eq!(error_name(&answer(&cluster, handle)), Some("xRekeyAbandoned"));
    assert_eq!(current_key(&cluster).0, old);
    assert!(cluster.drives().iter().all(|drive| drive.wrappings == [old]));
    cluster.start_node(NodeId(3)).await.unwrap();
    assert_whole(&lab, cluster, &[SERVER_1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drives_open_with_either_key_while_both_wrap_them() {
    for away in [SERVER_1, SERVER_2] {
        let lab = Lab::new(3, 2);
        let cluster = lab.create().await;
        rekey(&cluster, RekeyTarget::External(1)).await;
        cluster.stop_node(NodeId(3)).await.unwrap();
        let handle = cluster.start_rekey(RekeyTarget::External(2)).await.unwrap();
        until(&cluster, "two nodes are rewrapped", |c| {
            answer(c, handle)["details"]["waitingForNodes"] == serde_json::json!([3])
        })
        .await;
        cluster.close().await;
        drop(cluster);
        lab.key_servers.switch_off(away, KeyServerError::connection("Connection refused."));
        let cluster = lab.open().await;
        unlocked(&cluster).await;
        assert_pattern(&cluster).await;
        lab.key_servers.switch_on(away);
        cluster.start_node(NodeId(3)).await.unwrap();
        rekeyed(&cluster).await;
        assert_whole(&lab, cluster, &[SERVER_1, SERVER_2]).await;
    }
}

/// A rekey to internal whose old key no key server shows any more.
async fn with_a_hidden_key() -> (Lab, Arc<Cluster>, KeyId) {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (old, _) = current_key(&cluster);
    lab.key_servers.hide(SERVER_1);
    let result = rekey(&cluster, RekeyTarget::Internal).await;
    let warning = result["result"]["warning"].as_str().unwrap();
    assert!(warning.contains("not confirmed") && warning.contains(&old.to_string()), "{warning}");
    (lab, cluster, old)
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_not_a_destruction() {
    let (lab, cluster, old) = with_a_hidden_key().await;
    let not_confirmed = |c: &Cluster| {
        faults(c).iter().any(|(code, details)| {
            code == "kmipServerFault" && details.contains(&format!("{old} is not confirmed"))
        })
    };
    until(&cluster, "the fault says so", not_confirmed).await;
    assert_eq!(cluster.read(|ledger| ledger.ring.active_providers()), [1].into());
    // It outlives a restart, and a rekey meanwhile.
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert!(not_confirmed(&cluster));
    rekey(&cluster, RekeyTarget::External(2)).await;
    assert!(not_confirmed(&cluster));
    assert_eq!(lab.key_servers.keys(SERVER_1), [old].into());
    lab.key_servers.show(SERVER_1);
    assert_whole(&lab, cluster, &[SERVER_1, SERVER_2]).await;
}

/// Two keys of one provider, which stays active under a third: each has its fault, and each fault
/// ends with its key.
#[tokio::test(flavor = "multi_thread")]
async fn each_key_whose_destruction_is_not_confirmed_has_a_fault_of_its_own() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (first, _) = current_key(&cluster);
    lab.key_servers.hide(SERVER_1);
    rekey(&cluster, RekeyTarget::Internal).await;
    lab.key_servers.show(SERVER_1);
    lab.key_servers.do_not_destroy(ALWAYS);
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (second, _) = current_key(&cluster);
    lab.key_servers.hide(SERVER_1);
    rekey(&cluster, RekeyTarget::Internal).await;
    let named = |c: &Cluster, key: KeyId| {
        faults(c).iter().filter(|(_, details)| details.contains(&key.to_string())).count()
    };
    until(&cluster, "both have a fault", |c| (named(c, first), named(c, second)) == (1, 1)).await;
    lab.key_servers.show(SERVER_1);
    lab.key_servers.do_not_destroy(0);
    rekey(&cluster, RekeyTarget::External(1)).await;
    assert_whole(&lab, cluster, &[SERVER_1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_that_was_created_and_is_not_shown_is_not_taken_for_not_created() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    lab.key_servers.hide(SERVER_1);
    let result = rekey(&cluster, RekeyTarget::External(1)).await;
    assert_eq!(error_name(&result), Some("xKmipServerError"), "{result}");
    let [new] = lab.key_servers.keys(SERVER_1).into_iter().collect::<Vec<_>>()[..] else {
        panic!("the key server has made one key")
    };
    let not_confirmed = |c: &Cluster| {
        let words = format!("{new} is not confirmed");
        faults(c).iter().any(|(_, details)| details.contains(&words))
    };
    until(&cluster, "the fault names the key", not_confirmed).await;
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    // Tried again for longer than a Create can be late.
    let tried = lab.key_servers.callers(Call::Destroy).len();
    let late = tokio::time::Instant::now() + cluster.settings.create_late_max * 2;
    at_last("it is tried again", || {
        cluster.retry_now();
        let again = lab.key_servers.callers(Call::Destroy).len() > tried + 2;
        again && tokio::time::Instant::now() > late
    })
    .await;
    assert!(not_confirmed(&cluster));
    lab.key_servers.show(SERVER_1);
    assert_whole(&lab, cluster, &[SERVER_1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_ends_the_wait_for_a_confirmed_destruction() {
    let (lab, cluster, old) = with_a_hidden_key().await;
    let (current, _) = current_key(&cluster);
    let refused = cluster.forget_master_key(current).await.unwrap_err();
    assert!(matches!(refused, ForgetKeyError::Needed(key) if key == current));
    cluster.forget_master_key(old).await.unwrap();
    let refused = cluster.forget_master_key(old).await.unwrap_err();
    assert!(matches!(refused, ForgetKeyError::Unknown(key) if key == old));
    assert_eq!(cluster.read(|ledger| ledger.ring.active_providers()), [].into());
    until(&cluster, "the fault is over", |c| faults(c).is_empty()).await;
    lab.key_servers.show(SERVER_1);
    assert_eq!(lab.key_servers.keys(SERVER_1), [old].into(), "it is the operator's");
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destruction_that_was_answered_and_not_done_is_tried_again() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    lab.key_servers.do_not_destroy(3);
    let result = rekey(&cluster, RekeyTarget::External(2)).await;
    assert_eq!(result["result"]["warning"], Value::Null, "{result}");
    assert_eq!(lab.key_servers.callers(Call::Destroy).len(), 4);
    assert_whole(&lab, cluster, &[SERVER_1, SERVER_2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_header_names_is_not_destroyed_whatever_the_ledger_says() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (old, _) = current_key(&cluster);
    // The ledger loses both drives' wrappings, as an older one has lost them.
    cluster
        .change(|ledger| {
            let drives: Vec<_> = ledger.drives().map(|(_, drive)| drive.drive_id).collect();
            let other = KeyId::random();
            ledger.ring.plan(other, KeyManagement::Internal, String::new());
            let created = CreatedKey { dealing: None, identifier: None, check: String::new() };
            ledger.ring.put_in_use(other, created)?;
            for drive in drives {
                ledger.ring.note_wrapped(drive, other)?;
                ledger.ring.note_unwrapped(drive, old)?;
            }
            ledger.ring.make_current(other)?;
            ledger.ring.retire(old)?;
            Ok::<_, AbandonRekeyError>(())
        })
        .await
        .unwrap();
    until(&cluster, "the fault names the reason", |c| {
        faults(c).iter().any(|(_, details)| details.contains("drive.json names master key"))
    })
    .await;
    assert_eq!(lab.key_servers.keys(SERVER_1), [old].into());
    assert_eq!(lab.key_servers.callers(Call::Destroy), []);
    cluster.close().await;
}
