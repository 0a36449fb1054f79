//! Where master keys must not be: in no file in the clear, and not in fewer nodes than it takes.

use super::lab::{Lab, SERVER_1, current_key, files, rekey, unlocked};
use crate::cluster::RekeyTarget;
use crate::cluster::master_keys::threshold;
use crate::crypto::master_key::MasterKey;
use crate::node::ShareFile;
use crate::state::checked_json;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The bytes as a file may hold them: raw, in hex, in base64.
fn spellings(key: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![key.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), {
        STANDARD.encode(key).into_bytes()
    }]
}

fn assert_nowhere(folder: &Path, key: &[u8]) {
    for file in files(folder) {
        let bytes = std::fs::read(&file).unwrap();
        for spelling in spellings(key) {
            let found = bytes.windows(spelling.len()).any(|window| window == spelling);
            assert!(!found, "{} holds the key", file.display());
        }
    }
}

/// The key, from the shares that these nodes' folders hold, as a thief would make it whole.
fn stolen(lab: &Lab, nodes: &[u32], key_id: crate::state::key_ring::KeyId) -> Option<MasterKey> {
    let share = |node: &u32| {
        let path = lab.node_folder(*node).join("shares").join(format!("{key_id}.json"));
        checked_json::decode::<ShareFile>(&std::fs::read(path).unwrap()).unwrap()
    };
    let shares: Vec<_> = nodes.iter().map(share).collect();
    ShareFile::combine(key_id, &shares).ok().map(|whole| whole.key)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_key_is_in_no_file_and_in_no_minority_of_the_nodes() {
    let lab = Lab::new(4, 2);
    let cluster = lab.create().await;
    let (key_id, _) = current_key(&cluster);
    let needed = threshold(4);
    let key = stolen(&lab, &[1, 2, 3, 4], key_id).unwrap();
    assert_nowhere(lab.path(), key.bytes());
    for mask in 0_u32..16 {
        let nodes: Vec<_> = (1..=4).filter(|node| mask >> (node - 1) & 1 == 1).collect();
        let whole = stolen(&lab, &nodes, key_id);
        assert_eq!(whole.is_some(), nodes.len() >= needed, "nodes {nodes:?}");
    }
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_key_is_in_no_file() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    let (key_id, _) = current_key(&cluster);
    let bytes = lab.key_servers.bytes(SERVER_1, key_id).unwrap();
    assert_nowhere(lab.path(), &bytes);
    unlocked(&cluster).await;
    cluster.close().await;
    let shares = files(lab.path());
    assert!(!shares.iter().any(|file| file.to_string_lossy().contains("/shares/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_is_its_owner_s_alone() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::Same).await;
    cluster.close().await;
    for file in files(lab.path()).iter().filter(|file| !file.ends_with("lock")) {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}
