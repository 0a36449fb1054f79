//! Either program is killed at each of its steps during a rekey, and nothing is lost.
//!
//! The cluster dies at each of its durable steps, one after another, by `NODE_SIM_CRASH_AT_STEP`;
//! the key server by SIGKILL at each message that passes. After every kill the program is started
//! again, the rekey finishes by itself, all data reads back, exactly one new key is at the key
//! server, and the old one is gone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it says"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::{KmipServer, Lab, Process, Program};
use kmip::attributes::AttributeValue;
use kmip::client::{Client, Direction, Trace};
use kmip::payload::{Filter, LocateRequest};
use kmip::vocabulary::ObjectType;
use node_sim::cluster::{Cluster, Settings, Target};
use node_sim::error::ElementError;
use node_sim::key_pair::{NewKeyPair, Subject};
use node_sim::node::BLOCK_LEN;
use node_sim::registry::KeyServerKmip;
use node_sim::vault::kmip::KmipVault;
use node_sim::vault::memory::MemoryVault;
use node_sim::vault::{KeyVault, VaultError};
use serde_json::Value;
use tokio::runtime::Runtime;

/// More steps, or messages, than a rekey of this cluster takes.
const STEPS_MAX: u32 = 400;
/// Longer than anything here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the ledger is looked at while another process writes it.
const POLL: Duration = Duration::from_millis(2);

/// A key server, and a cluster that was made once and is copied for each kill.
struct Bench {
    lab: Lab,
    server: Mutex<KmipServer>,
    client: Client,
    copies: AtomicU32,
}

impl Bench {
    fn new() -> Self {
        let lab = Lab::new();
        let server = KmipServer::start(&lab);
        let pair = lab.authority().client("cluster").unwrap();
        let client = Client::builder()
            .server(server.address().to_string())
            .ca_pem(lab.pem("ca.crt"))
            .identity_pem(pair.cert_pem, pair.key_pem.as_bytes())
            .build()
            .unwrap();
        Self { lab, server: Mutex::new(server), client, copies: AtomicU32::new(0) }
    }

    fn template(&self) -> PathBuf {
        self.lab.path("template")
    }

    /// Makes the cluster: registered at the key server, with data, under an internal key.
    async fn create(&self) {
        let cluster = open(&self.template(), Arc::new(KmipVault::new(None))).await;
        let subject = Subject { common_name: Some("cluster".to_owned()), ..Subject::default() };
        cluster.adopt_key_pair(NewKeyPair::create(&subject).unwrap()).await.unwrap();
        let request = cluster
            .read(|ledger| ledger.key_pair.as_ref().unwrap().certificate_sign_request().to_owned());
        let address = self.server.lock().unwrap().address();
        let server = KeyServerKmip {
            name: "kms".to_owned(),
            hostnames: vec![address.ip().to_string()],
            port: address.port(),
            ca_certificate: self.lab.pem("ca.crt"),
            client_certificate: self.lab.authority().sign(&request).unwrap(),
        };
        cluster
            .change(|ledger| {
                let provider = ledger.registry.create_provider("kms")?;
                let server = ledger.registry.create_server(server.clone())?;
                ledger.registry.add_to_provider(server, provider)?;
                Ok::<_, ElementError>(())
            })
            .await
            .unwrap();
        until(&cluster, "unlocked", Cluster::is_unlocked).await;
        for drive in cluster.drives() {
            let pattern = pattern(drive.drive_id.0);
            cluster.write_blocks(drive.drive_id, 1, pattern).await.unwrap();
            cluster.flush(drive.drive_id).await.unwrap();
        }
        cluster.close().await;
    }

    /// A copy of the cluster.
    fn copy(&self) -> PathBuf {
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let folder = self.lab.path(format!("copy-{number}"));
        copy(&self.template(), &folder);
        folder
    }

    /// How many keys the cluster has at the server.
    async fn keys(&self) -> usize {
        let attributes: Filter =
            [AttributeValue::ObjectType(ObjectType::SymmetricKey)].into_iter().collect();
        let request = LocateRequest { attributes, ..LocateRequest::default() };
        self.client.request(request).await.unwrap().unique_identifiers.len()
    }

    /// Everything that must hold when all is over.
    async fn assert_whole(&self, folder: &Path, step: u32) {
        let cluster = open(folder, Arc::new(KmipVault::new(None))).await;
        until(&cluster, "unlocked", Cluster::is_unlocked).await;
        assert!(is_idle(&cluster), "step {step}: the rekey finished by itself");
        for drive in cluster.drives() {
            let read = cluster.read_blocks(drive.drive_id, 1, vec![0; BLOCK_LEN]).await.unwrap();
            assert_eq!(read, pattern(drive.drive_id.0), "step {step}: drive {}", drive.drive_id);
        }
        let info = cluster.encryption_info();
        let key = info.master_key_info.unwrap();
        assert_eq!(key.key_provider_id, Some(1), "step {step}");
        assert!(cluster.drives().iter().all(|drive| drive.wrapped_by == Some(key.key_id)));
        assert_eq!(cluster.read(|ledger| ledger.ring.keys().count()), 1, "step {step}");
        let handle = info.rekey_async_handle.unwrap();
        let result = cluster.read(|ledger| ledger.asyncs.get(handle)).unwrap();
        assert_eq!(result["result"]["state"], "Ready", "step {step}: {result}");
        cluster.close().await;
    }
}

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

fn pattern(drive: u32) -> Vec<u8> {
    format!("drive {drive} ... ").bytes().cycle().take(BLOCK_LEN).collect()
}

async fn open(folder: &Path, vault: Arc<dyn KeyVault>) -> Arc<Cluster> {
    let settings = Settings {
        folder: folder.to_owned(),
        nodes: 2,
        drives_per_node: 1,
        blocks_per_drive: 8,
        retry_min: Duration::from_millis(2),
        retry_max: Duration::from_millis(50),
        ..Settings::default()
    };
    Cluster::open(settings, vault).await.unwrap()
}

fn is_idle(cluster: &Cluster) -> bool {
    cluster.read(|ledger| ledger.rekey.is_none())
}

async fn until(cluster: &Cluster, what: &str, holds: impl Fn(&Cluster) -> bool) {
    let mut changes = cluster.changes();
    let waiting = async {
        loop {
            changes.borrow_and_update();
            if holds(cluster) {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// Brings the cluster under an external key, through the key server.
async fn go_external(folder: &Path) {
    let cluster = open(folder, Arc::new(KmipVault::new(None))).await;
    until(&cluster, "unlocked", Cluster::is_unlocked).await;
    cluster.start_rekey(Target::External(1)).await.unwrap();
    until(&cluster, "rekeyed", is_idle).await;
    cluster.close().await;
}

/// Begins a rekey and stops before anything of it is done: no key server can be reached.
async fn begin(folder: &Path) {
    let vault = Arc::new(MemoryVault::new());
    vault.switch_off(1, VaultError::connection("It is away."));
    let cluster = open(folder, vault).await;
    cluster.start_rekey(Target::External(1)).await.unwrap();
    cluster.close().await;
}

fn rekey_is_over(folder: &Path) -> bool {
    let text = std::fs::read(folder.join("ledger.json")).unwrap();
    let ledger: Value = serde_json::from_slice(&text).unwrap();
    ledger["rekey"].is_null()
}

fn program(folder: &Path) -> Program {
    let program = Program::new("node-sim", "node-sim listening on https://").arg("serve");
    let program = program.arg("--listen").arg("127.0.0.1:0").arg("--data").arg(folder);
    program.arg("--user").arg("admin").arg("--password").arg("solidfire")
}

/// Waits until the rekey is over; false if the process died before.
fn wait(process: &mut Process, folder: &Path) -> bool {
    let begun = Instant::now();
    while !rekey_is_over(folder) {
        if process.wait(Duration::ZERO).is_some() {
            return rekey_is_over(folder);
        }
        assert!(begun.elapsed() < PATIENCE, "the rekey does not end:\n{}", process.log());
        std::thread::sleep(POLL);
    }
    true
}

/// Kills the cluster at each durable step of a rekey from this kind of key to an external one.
fn kill_the_cluster_at_every_step(from_external: bool) {
    let bench = Bench::new();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(bench.create());
    for step in 1..STEPS_MAX {
        let folder = bench.copy();
        let keys_before = runtime.block_on(bench.keys());
        runtime.block_on(async {
            if from_external {
                go_external(&folder).await;
            }
            begin(&folder).await;
        });
        let killed = program(&folder).env("NODE_SIM_CRASH_AT_STEP", step.to_string());
        let finished = match killed.try_start() {
            Ok(mut process) => wait(&mut process, &folder),
            // It died before it was ready.
            Err(_) => rekey_is_over(&folder),
        };
        if !finished {
            let mut process = program(&folder).start();
            assert!(wait(&mut process, &folder), "step {step}: {}", process.log());
        }
        runtime.block_on(async {
            bench.assert_whole(&folder, step).await;
            // Exactly one more: the new one, and an old one that was there is gone.
            assert_eq!(bench.keys().await, keys_before.saturating_add(1), "step {step}");
        });
        if finished {
            assert!(step > 20, "only {step} steps were seen");
            return;
        }
    }
    panic!("the rekey takes more than {STEPS_MAX} steps");
}

#[test]
fn a_cluster_killed_at_every_durable_step_finishes_its_rekey_from_internal() {
    kill_the_cluster_at_every_step(false);
}

#[test]
fn a_cluster_killed_at_every_durable_step_finishes_its_rekey_from_external() {
    kill_the_cluster_at_every_step(true);
}

/// Kills the key server when the `at`-th message passes.
struct KillAt {
    at: u32,
    passed: AtomicU32,
    bench: Arc<Bench>,
    restart: std::sync::mpsc::Sender<()>,
}

impl Trace for KillAt {
    fn frame(&self, _: &str, _: Direction, _: &[u8]) {
        let number = self.passed.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if number == self.at {
            self.bench.server.lock().unwrap().kill();
            self.restart.send(()).unwrap();
        }
    }
}

#[test]
fn a_key_server_killed_at_every_message_delays_the_rekey_and_no_more() {
    let bench = Arc::new(Bench::new());
    let runtime = Runtime::new().unwrap();
    runtime.block_on(bench.create());
    for at in 1..STEPS_MAX {
        let folder = bench.copy();
        let keys_before = runtime.block_on(bench.keys());
        let (restart, restarts) = std::sync::mpsc::channel();
        let kill = KillAt { at, passed: AtomicU32::new(0), bench: Arc::clone(&bench), restart };
        let kill = Arc::new(kill);
        let vault = KmipVault::new(Some(kill.clone()));
        let cluster = runtime.block_on(async {
            let cluster = open(&folder, Arc::new(vault)).await;
            until(&cluster, "unlocked", Cluster::is_unlocked).await;
            cluster.start_rekey(Target::External(1)).await.unwrap();
            cluster
        });
        // Fewer messages than `at` and the rekey is over without a kill.
        let killed = loop {
            match restarts.recv_timeout(POLL) {
                Ok(()) => break true,
                Err(_) if is_idle(&cluster) => break restarts.try_recv().is_ok(),
                Err(_) => {}
            }
        };
        if killed {
            bench.server.lock().unwrap().restart();
        }
        runtime.block_on(async {
            until(&cluster, "rekeyed", is_idle).await;
            cluster.close().await;
        });
        drop(cluster);
        runtime.block_on(async {
            bench.assert_whole(&folder, at).await;
            assert_eq!(bench.keys().await, keys_before.saturating_add(1), "message {at}");
        });
        if !killed {
            assert!(at > 20, "only {at} messages were seen");
            return;
        }
    }
    panic!("the rekey takes more than {STEPS_MAX} messages");
}
