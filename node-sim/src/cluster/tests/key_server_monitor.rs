//! The monitor of key servers: what is wrong is a fault before a power cycle needs the key.

use super::lab::{Lab, SERVER_1, current_key, faults, rekey, until};
use crate::cluster::{Cluster, RekeyTarget};
use crate::key_server::KeyServerError;
use crate::key_server::in_memory::Call;

fn kmip_fault(cluster: &Cluster, words: &str) -> bool {
    let found = faults(cluster);
    found.iter().any(|(code, details)| code == "kmipServerFault" && details.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_server_that_is_away_or_does_not_show_the_key_is_a_fault_until_it_does() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (key_id, _) = current_key(&cluster);
    assert_eq!(faults(&cluster), []);
    let away = || KeyServerError::connection("Connection refused.");
    let unknown = || KeyServerError::authentication("Unknown CA.");
    let key = key_id.to_string();
    let cases: [(&dyn Fn(), &str); 3] = [
        (&|| lab.key_servers.switch_off(SERVER_1, away()), "connection failure"),
        (&|| lab.key_servers.switch_off(SERVER_1, unknown()), "authentication failure"),
        (&|| lab.key_servers.hide(SERVER_1), &key),
    ];
    for (cut, words) in cases {
        cut();
        cluster.retry_now();
        until(&cluster, words, |c| kmip_fault(c, words)).await;
        assert_eq!(faults(&cluster).len(), 1, "{:?}", faults(&cluster));
        lab.key_servers.switch_on(SERVER_1);
        lab.key_servers.show(SERVER_1);
        cluster.retry_now();
        until(&cluster, "it is resolved by itself", |c| faults(c).is_empty()).await;
    }
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_servers_without_a_key_in_use_are_left_alone() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    rekey(&cluster, RekeyTarget::Internal).await;
    let asked = lab.key_servers.callers(Call::Survey).len();
    let away = KeyServerError::connection("Connection refused.");
    lab.key_servers.switch_off(SERVER_1, away);
    for _ in 0..3 {
        cluster.retry_now();
        tokio::task::yield_now().await;
    }
    assert_eq!(lab.key_servers.callers(Call::Survey).len(), asked);
    assert_eq!(faults(&cluster), []);
    cluster.close().await;
}
