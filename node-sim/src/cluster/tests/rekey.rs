//! The rekey in all its directions.

use super::lab::{
    Lab, Refused, SERVER_1, SERVER_2, assert_pattern, current_key, rekey, rekeyed, unlocked, until,
};
use crate::cluster::{RekeyTarget, StartRekeyError};
use crate::key_server::KeyServerError;
use crate::key_server::in_memory::Call;
use crate::state::error::ErrorName;
use crate::state::key_ring::KeyManagement;
use serde_json::{Value, json};

/// The result without what the cluster chose or the clock gave.
fn shape(mut answer: Value) -> Value {
    for key in ["keyToDecommission", "newKey"] {
        assert!(answer["result"][key]["keyID"].is_string());
        answer["result"][key]["keyID"] = json!("<id>");
    }
    answer["createTime"] = json!("<time>");
    answer["lastUpdateTime"] = json!("<time>");
    answer
}

fn key(provider: Option<u64>) -> Value {
    match provider {
        None => json!({"keyID": "<id>", "keyManagementType": "internal"}),
        Some(provider) => {
            json!({"keyID": "<id>", "keyManagementType": "external", "keyProviderID": provider})
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_direction_ends_with_exactly_the_documented_members() {
    const REKEYING: &str = "Rekeying Master Key. Master Key management";
    const INTERNAL: &str = "Internal Key Management";
    const EXTERNAL: &str = "External Key Management with keyProviderID=";
    let lab = Lab::new(4, 3);
    let cluster = lab.create().await;
    let table = [
        (RekeyTarget::Same, None, None, format!("{REKEYING} remaining {INTERNAL}")),
        (
            RekeyTarget::External(1),
            None,
            Some(1),
            format!("{REKEYING} being transferred from {INTERNAL} to {EXTERNAL}1"),
        ),
        (RekeyTarget::Same, Some(1), Some(1), format!("{REKEYING} remaining {EXTERNAL}1")),
        (
            RekeyTarget::External(2),
            Some(1),
            Some(2),
            format!("{REKEYING} being transferred from {EXTERNAL}1 to {EXTERNAL}2"),
        ),
        (
            RekeyTarget::Internal,
            Some(2),
            None,
            format!("{REKEYING} being transferred from {EXTERNAL}2 to {INTERNAL}"),
        ),
        (RekeyTarget::Internal, None, None, format!("{REKEYING} remaining {INTERNAL}")),
    ];
    for (target, from, to, operation) in table {
        let (old, _) = current_key(&cluster);
        let answer = rekey(&cluster, target).await;
        let (new, management) = current_key(&cluster);
        assert_eq!(answer["result"]["keyToDecommission"]["keyID"], json!(old));
        assert_eq!(answer["result"]["newKey"]["keyID"], json!(new));
        assert_eq!(
            shape(answer),
            json!({
                "createTime": "<time>", "lastUpdateTime": "<time>",
                "result": {
                    "keyToDecommission": key(from), "newKey": key(to),
                    "operation": operation, "state": "Ready"
                },
                "resultType": "RekeySoftwareEncryptionAtRestMasterKey", "status": "complete"
            })
        );
        assert_ne!(old, new);
        assert_eq!(management.key_provider_id(), to);
        assert_eq!(cluster.read(|ledger| ledger.ring.active_providers()), to.into_iter().collect());
        assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1);
        assert_eq!(lab.key_servers.keys(SERVER_1).len() + lab.key_servers.keys(SERVER_2).len(), {
            usize::from(to.is_some())
        });
        assert!(cluster.drives().iter().all(|drive| drive.wrapped_by == Some(new)));
        let info = cluster.encryption_info();
        let info = info.master_key_info.unwrap();
        assert_eq!((info.key_id, info.key_provider_id), (new, to));
        assert!(info.key_created_time.is_some());
        assert_pattern(&cluster).await;
    }
    cluster.close().await;
    drop(cluster);
    let cluster = lab.open().await;
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_fetches_the_new_key_by_itself() {
    let lab = Lab::new(3, 2);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let callers = lab.key_servers.callers(Call::Fetch);
    for node in cluster.nodes() {
        assert!(callers.contains(&node.node_id), "node {}", node.node_id);
    }
    assert_eq!(lab.key_servers.callers(Call::Ensure).len(), 1);
    assert_eq!(lab.key_servers.callers(Call::Destroy), [], "the old key was internal");
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rekeys_at_once_are_refused() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    lab.key_servers.switch_off(SERVER_1, KeyServerError::connection("The server is away."));
    let handle = cluster.start_rekey(RekeyTarget::External(1)).await.unwrap();
    for target in [RekeyTarget::Same, RekeyTarget::Internal, RekeyTarget::External(2)] {
        let refused = cluster.start_rekey(target).await.unwrap_err();
        let StartRekeyError::InProgress { async_handle } = refused else { panic!("{refused}") };
        assert_eq!(async_handle, handle);
    }
    lab.key_servers.switch_on(SERVER_1);
    cluster.retry_now();
    rekeyed(&cluster).await;
    cluster.start_rekey(RekeyTarget::Internal).await.unwrap();
    rekeyed(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_or_has_no_server_is_refused() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    let empty =
        cluster.change(|ledger| ledger.registry.create_provider("none").map_err(Refused::from));
    for (provider, name) in [
        (9, ErrorName::KeyProviderIdDoesNotExist),
        (empty.await.unwrap(), ErrorName::KeyProviderHasNoServer),
    ] {
        let refused = cluster.start_rekey(RekeyTarget::External(provider)).await.unwrap_err();
        assert!(matches!(refused, StartRekeyError::Provider(error) if error.name == name));
        assert!(cluster.read(|ledger| ledger.rekey.is_none()));
        assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1);
    }
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_active_from_the_key_s_naming_to_its_destruction() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    lab.key_servers.switch_off(SERVER_1, KeyServerError::connection("The server is away."));
    cluster.start_rekey(RekeyTarget::External(2)).await.unwrap();
    until(&cluster, "the old key is being given up", |c| {
        c.read(|ledger| ledger.ring.keys().count()) == 2 && current_key(c).1 != PROVIDER_1
    })
    .await;
    assert_eq!(
        cluster.read(|ledger| ledger.ring.active_providers()),
        [1, 2].into(),
        "both, while the old one is not gone"
    );
    lab.key_servers.switch_on(SERVER_1);
    rekeyed(&cluster).await;
    assert_eq!(cluster.read(|ledger| ledger.ring.active_providers()), [2].into());
    assert!(lab.key_servers.keys(SERVER_1).is_empty());
    cluster.close().await;
}

const PROVIDER_1: KeyManagement = KeyManagement::External { key_provider_id: 1 };
