//! The key pair for key servers is one pair, whenever the power goes.

use crate::cluster::{Cluster, ClusterSettings};
use crate::key_server::client_key_pair::{NewKeyPair, Subject};
use crate::key_server::in_memory::InMemoryKeyServers;
use crate::state::durable_file::{Crash, Steps};
use rcgen::{KeyPair, PublicKeyData};
use std::path::Path;
use std::sync::Arc;

async fn open(folder: &Path, steps: Arc<Steps>) -> Option<Arc<Cluster>> {
    let settings = ClusterSettings {
        folder: folder.to_owned(),
        nodes: 1,
        drives_per_node: 1,
        blocks_per_drive: 256,
        steps,
        ..ClusterSettings::default()
    };
    Cluster::open(settings, Arc::new(InMemoryKeyServers::new())).await.ok()
}

/// The private key that the cluster uses is that of the request that it shows.
fn assert_one_pair(cluster: &Cluster, folder: &Path) {
    let request = cluster.read(|ledger| ledger.key_pair.clone()).expect("it has a pair");
    let private_key = KeyPair::from_pem(&cluster.client_key().expect("its key is there")).unwrap();
    assert_eq!(request.public_key_der(), Some(private_key.subject_public_key_info()));
    let files = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().starts_with("kmip-key-pair-")
    });
    assert_eq!(files.count(), 1, "a key that is not used is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_durable_step_of_a_new_pair_leaves_the_old_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let steps = Arc::new(Steps::new());
    let cluster = open(folder.path(), Arc::clone(&steps)).await.unwrap();
    cluster.adopt_key_pair(NewKeyPair::create(&Subject::default()).unwrap()).await.unwrap();
    let opened = steps.passed();
    cluster.adopt_key_pair(NewKeyPair::create(&Subject::default()).unwrap()).await.unwrap();
    let needed = steps.passed() - opened;
    assert!(needed >= 4, "a key file, a ledger and a removal are durable steps");
    cluster.close().await;
    drop(cluster);

    // Opening passes steps as well, so there are more crashes than the new pair has steps.
    for at in 1..=opened + needed {
        let crashing = Arc::new(Steps::with_crash(at, Crash::Steps));
        if let Some(cluster) = open(folder.path(), crashing).await {
            let pair = NewKeyPair::create(&Subject::default()).unwrap();
            let _ = cluster.adopt_key_pair(pair).await;
            cluster.close().await;
        }
        let cluster = open(folder.path(), Arc::new(Steps::new())).await.unwrap();
        assert_one_pair(&cluster, folder.path());
        cluster.close().await;
    }
}
