//! A crash at every durable step, on real folders: the cluster is dropped where the steps end, and
//! opened again.

use super::lab::{Lab, SERVER_1, assert_pattern, current_key, unlocked};
use crate::cluster::{Cluster, RekeyTarget};
use crate::state::durable_file::{Crash, Steps};
use crate::state::key_ring::KeyId;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// More steps than a rekey of this cluster takes.
const STEPS_MAX: u64 = 500;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// A fresh copy of a cluster that was created once: what is tested is the rekey.
fn copy_of(template: &Lab) -> Lab {
    let lab = Lab::new(template.nodes, template.drives_per_node);
    copy(template.path(), lab.path());
    lab
}

/// One life: opens the cluster, does this, and dies where the steps end. Everything of that life is
/// gone afterwards; true if it did not have to die.
fn live(lab: &Lab, crash_at: Option<u64>, act: impl AsyncFnOnce(&Arc<Cluster>)) -> bool {
    let runtime = Runtime::new().unwrap();
    let steps = crash_at.map_or_else(Steps::new, |at| Steps::with_crash(at, Crash::Steps));
    let survived = runtime.block_on(async {
        let Ok(cluster) = lab.open_with(steps).await else {
            return false;
        };
        act(&cluster).await;
        over(&cluster).await
    });
    drop(runtime);
    survived
}

/// Waits until no rekey runs and all is unlocked, or until the ledger could not be written.
async fn over(cluster: &Arc<Cluster>) -> bool {
    let mut changes = cluster.changes();
    loop {
        changes.borrow_and_update();
        let crash = cluster.settings.steps.has_crashed();
        let idle = cluster.read(|ledger| ledger.rekey.is_none())
            && cluster.read(crate::state::ledger::Ledger::is_unlocked);
        if crash || idle {
            return idle && !crash;
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = cluster.settings.steps.crashed() => {}
        }
    }
}

/// What must hold after everything, whatever died in between.
fn assert_whole(lab: &Lab, external: bool, old: KeyId) {
    live(lab, None, async |cluster| {
        unlocked(cluster).await;
        assert_pattern(cluster).await;
        let (current, management) = current_key(cluster);
        assert_ne!(current, old, "the rekey was finished");
        assert_eq!(management.key_provider_id(), external.then_some(1));
        assert!(cluster.drives().iter().all(|drive| drive.wrapped_by == Some(current)));
        assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1);
        let at_server: Vec<_> = lab.key_servers.keys(SERVER_1).into_iter().collect();
        assert_eq!(at_server, if external { vec![current] } else { vec![] });
    });
    let mut shares = super::lab::files(lab.path());
    shares.retain(|file| file.to_string_lossy().contains("/shares/"));
    let expected = if external { 0 } else { usize::try_from(lab.nodes).unwrap() };
    assert_eq!(shares.len(), expected, "shares of keys that are gone are gone: {shares:?}");
}

async fn start(cluster: &Arc<Cluster>, target: RekeyTarget) {
    unlocked(cluster).await;
    if cluster.read(|ledger| ledger.rekey.is_none()) {
        // It may be refused because the steps have ended.
        let _ = cluster.start_rekey(target).await;
    }
}

fn template() -> Lab {
    let lab = Lab::new(2, 1);
    Runtime::new().unwrap().block_on(async {
        lab.create().await.close().await;
    });
    lab
}

#[test]
fn a_crash_at_any_durable_step_of_a_rekey_to_external_loses_nothing() {
    let template = template();
    let mut survived = false;
    let mut crashes = 0;
    for at in 1..STEPS_MAX {
        let lab = copy_of(&template);
        let mut old = None;
        survived = live(&lab, Some(at), async |cluster| {
            old = Some(current_key(cluster).0);
            start(cluster, RekeyTarget::External(1)).await;
        });
        if survived {
            break;
        }
        crashes += 1;
        let mut began = false;
        live(&lab, None, async |cluster| {
            let (current, _) = current_key(cluster);
            began = current != old.unwrap() || cluster.read(|ledger| ledger.rekey.is_some());
        });
        if began {
            assert_whole(&lab, true, old.unwrap());
        }
        assert!(lab.key_servers.made(SERVER_1).len() <= 1, "one key was made, step {at}");
    }
    assert!(survived && crashes > 20, "{crashes} steps");
}

#[test]
fn a_crash_at_any_durable_step_of_a_rekey_to_internal_loses_nothing() {
    let template = template();
    Runtime::new().unwrap().block_on(async {
        let cluster = template.open().await;
        unlocked(&cluster).await;
        super::lab::rekey(&cluster, RekeyTarget::External(1)).await;
        cluster.close().await;
    });
    let (key, bytes) = {
        let key = template.key_servers.keys(SERVER_1).into_iter().next().unwrap();
        (key, template.key_servers.bytes(SERVER_1, key).unwrap())
    };
    let mut survived = false;
    let mut crashes = 0;
    for at in 1..STEPS_MAX {
        let lab = copy_of(&template);
        lab.key_servers.put(SERVER_1, key, bytes);
        survived =
            live(&lab, Some(at), async |cluster| start(cluster, RekeyTarget::Internal).await);
        if survived {
            break;
        }
        crashes += 1;
        let mut began = false;
        live(&lab, None, async |cluster| {
            let (current, _) = current_key(cluster);
            began = current != key || cluster.read(|ledger| ledger.rekey.is_some());
        });
        if began {
            assert_whole(&lab, false, key);
        }
    }
    assert!(survived && crashes > 20, "{crashes} steps");
}

#[test]
fn a_crash_at_any_durable_step_of_the_creation_is_made_good() {
    let mut survived = false;
    let mut crashes = 0;
    for at in 1..STEPS_MAX {
        let lab = Lab::new(2, 1);
        survived = live(&lab, Some(at), async |_| {});
        if survived {
            break;
        }
        crashes += 1;
        let whole = live(&lab, None, async |cluster| {
            unlocked(cluster).await;
            super::lab::write_pattern(cluster).await;
            assert_pattern(cluster).await;
        });
        assert!(whole, "step {at}");
    }
    assert!(survived && crashes > 8, "{crashes} steps");
}
