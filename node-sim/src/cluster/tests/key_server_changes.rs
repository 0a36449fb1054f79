//! Tests and changes of key servers while a master key is in use: both look for the key.

use super::lab::{Lab, SERVER_1, assert_pattern, current_key, rekey, unlocked};
use crate::cluster::RekeyTarget;
use crate::key_server::KeyServerError;
use crate::state::error::ErrorName;
use crate::state::key_server_registry::KeyServerChange;

fn other_port() -> KeyServerChange {
    KeyServerChange { port: Some(5700), ..KeyServerChange::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_server_that_does_not_show_the_key_in_use_is_not_tested_well() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    lab.key_servers.hide(SERVER_1);
    cluster.test_key_server(SERVER_1).await.unwrap();
    cluster.test_key_provider(1).await.unwrap();
    lab.key_servers.show(SERVER_1);
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (key_id, _) = current_key(&cluster);
    cluster.test_key_server(SERVER_1).await.unwrap();
    cluster.test_key_provider(1).await.unwrap();
    lab.key_servers.hide(SERVER_1);
    for tested in [cluster.test_key_server(SERVER_1).await, cluster.test_key_provider(1).await] {
        let error = tested.unwrap_err();
        assert_eq!(error.name, ErrorName::KmipServerError);
        assert!(error.message.contains(&key_id.to_string()), "{}", error.message);
        assert!(error.message.contains("one.example:5696"), "{}", error.message);
    }
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_would_lock_the_cluster_is_refused_unless_an_operator_insists() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.modify_key_server(SERVER_1, &other_port()).await.unwrap();
    let away = KeyServerError::connection("Connection refused.");
    let back = KeyServerChange { port: Some(5696), ..KeyServerChange::default() };
    for cut in ["hidden", "away"] {
        match cut {
            "hidden" => lab.key_servers.hide(SERVER_1),
            _ => lab.key_servers.switch_off(SERVER_1, away.clone()),
        }
        let before = cluster.read(|ledger| ledger.registry.clone());
        let refused = cluster.modify_key_server(SERVER_1, &back).await.unwrap_err();
        let expected = if cut == "away" {
            ErrorName::KmipConnectionFailure
        } else {
            ErrorName::KmipServerError
        };
        assert_eq!(refused.name, expected, "{cut}");
        assert_eq!(cluster.read(|ledger| ledger.registry.clone()), before, "{cut}");
        // Insisting is for one change.
        cluster.allow_unchecked_change(SERVER_1).unwrap();
        cluster.modify_key_server(SERVER_1, &back).await.unwrap();
        assert!(cluster.modify_key_server(SERVER_1, &other_port()).await.is_err(), "{cut}");
        lab.key_servers.show(SERVER_1);
        lab.key_servers.switch_on(SERVER_1);
        cluster.modify_key_server(SERVER_1, &other_port()).await.unwrap();
    }
    assert!(cluster.allow_unchecked_change(99).is_err());
    unlocked(&cluster).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}
