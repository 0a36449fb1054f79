//! Agreement of what a cluster shows in its several places, over the public API only:
//! `ListDrives`, `ListClusterFaults`, `ListEvents`, `ListKeyServersKmip`,
//! `GetSoftwareEncryptionAtRestInfo` and `/sim/v1/state`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Cluster;

/// Longer than a cluster changes without a pause.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What the API has shown while the state of the cluster stayed the same.
struct Shown {
    state: Value,
    drives: Vec<Value>,
    faults: Vec<Value>,
    events: Vec<Value>,
    servers: Vec<Value>,
    encryption: Value,
}

impl Cluster {
    /// Asserts that drives, faults, events, keys and the simulator's state agree.
    #[track_caller]
    pub fn assert_agreement(&self) {
        let wrong = self.disagreements();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// What drives, faults, events, keys and the simulator's state do not agree on; and then what
    /// they are.
    #[track_caller]
    pub fn disagreements(&self) -> Vec<String> {
        let shown = self.until("the cluster stays as it is for a moment", TIMEOUT, Self::shown);
        let mut wrong = Vec::new();
        check_drives(&shown, &mut wrong);
        check_faults(&shown, &mut wrong);
        check_key_server_faults(&shown, &mut wrong);
        check_events(&shown, &mut wrong);
        check_encryption(&shown, &mut wrong);
        if !wrong.is_empty() {
            wrong.push(format!("{}\n{:?}\n{:?}", shown.state, shown.drives, shown.faults));
        }
        wrong
    }

    /// Reads all, unless the cluster changes meanwhile.
    fn shown(&self) -> Option<Shown> {
        let state = self.simulator_state();
        let list = |method: &str, params: Value, member: &str| -> Vec<Value> {
            let result = self.call(method, params);
            result.get(member).and_then(Value::as_array).expect("a list").clone()
        };
        let current = json!({ "faultTypes": "current", "bestPractices": true });
        let shown = Shown {
            drives: list("ListDrives", json!({}), "drives"),
            faults: list("ListClusterFaults", current, "faults"),
            events: list("ListEvents", json!({}), "events"),
            servers: list("ListKeyServersKmip", json!({}), "kmipKeyServers"),
            encryption: self.call("GetSoftwareEncryptionAtRestInfo", json!({})),
            state,
        };
        (self.simulator_state() == shown.state).then_some(shown)
    }

    fn simulator_state(&self) -> Value {
        let answer = self.send("GET", "/sim/v1/state", "").expect("an answer");
        serde_json::from_str(&answer.body).expect("an answer in JSON")
    }
}

impl Shown {
    fn nodes(&self) -> impl Iterator<Item = &Value> {
        items(&self.state, "nodes")
    }

    fn faults_of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Value> {
        self.faults.iter().filter(move |fault| text(fault, "code") == code)
    }

    /// States of all drives by id, as the simulator's API shows them.
    fn drive_states(&self) -> BTreeMap<u64, &str> {
        let drives = self.nodes().flat_map(|node| items(node, "drives"));
        drives.map(|drive| (number(drive, "driveID"), text(drive, "state"))).collect()
    }
}

/// A drive is failed exactly if it is locked or absent, and exactly then it has its fault. A drive
/// whose key is being acquired for the first time is neither.
fn check_drives(shown: &Shown, wrong: &mut Vec<String>) {
    let states = shown.drive_states();
    let mut failed = BTreeSet::new();
    for drive in &shown.drives {
        let (id, status) = (number(drive, "driveID"), text(drive, "status"));
        let state = states.get(&id).copied().unwrap_or_default();
        let agree = match status {
            "active" => state == "active",
            "available" => state == "locked",
            "failed" => matches!(state, "locked" | "absent"),
            _ => false,
        };
        if !agree {
            wrong.push(format!("drive {id} is {status}, and {state} in the simulator's state"));
        }
        if status == "failed" {
            failed.insert((id, number(drive, "nodeID")));
        }
    }
    if shown.drives.len() != states.len() {
        wrong.push(format!("{} drives, and {states:?}", shown.drives.len()));
    }
    let mut with_fault = BTreeSet::new();
    for fault in shown.faults_of("driveFailed") {
        let place = (number(fault, "driveID"), number(fault, "nodeID"));
        if !with_fault.insert(place) {
            wrong.push(format!("two faults driveFailed of drive {}", place.0));
        }
    }
    if failed != with_fault {
        wrong.push(format!("failed are {failed:?}, and driveFailed have {with_fault:?}"));
    }
}

/// Nodes that are off have their fault; severities are those of the state.
fn check_faults(shown: &Shown, wrong: &mut Vec<String>) {
    let off = shown.nodes().filter(|node| !truth(node, "powered"));
    let off: BTreeSet<_> = off.map(|node| number(node, "nodeID")).collect();
    let offline = shown.faults_of("nodeOffline").map(|fault| number(fault, "nodeID"));
    let offline: BTreeSet<_> = offline.collect();
    if !off.is_subset(&offline) {
        wrong.push(format!("nodes {off:?} are off, and nodeOffline have {offline:?}"));
    }
    let starting = shown.drives.iter().any(|drive| text(drive, "status") == "available");
    let serving = shown.drives.iter().any(|drive| text(drive, "status") == "active");
    let expected = if serving || starting { "error" } else { "critical" };
    for fault in shown.faults_of("driveFailed").chain(shown.faults_of("nodeOffline")) {
        if text(fault, "severity") != expected {
            wrong.push(format!("the severity is not {expected}: {fault}"));
        }
    }
    let mut places = BTreeSet::new();
    for fault in &shown.faults {
        let blocks = matches!(text(fault, "severity"), "error" | "critical");
        if truth(fault, "blocksUpgrade") != blocks {
            wrong.push(format!("blocksUpgrade does not follow from the severity: {fault}"));
        }
        if truth(fault, "resolved") || !text(fault, "resolvedDate").is_empty() {
            wrong.push(format!("a current fault is resolved: {fault}"));
        }
        let details = text(fault, "details");
        if details.contains("[]") || details.contains("+00:00") {
            wrong.push(format!("an empty list, or a date that is not ISO 8601: {fault}"));
        }
        let place = (number(fault, "nodeID"), number(fault, "driveID"));
        if !places.insert((text(fault, "code"), details, place)) {
            wrong.push(format!("a fault is there twice: {fault}"));
        }
    }
}

/// Faults about key servers are about servers that exist and, unless they are warnings about
/// certificates, hold a key of the cluster; and about nodes that are on.
fn check_key_server_faults(shown: &Shown, wrong: &mut Vec<String>) {
    let servers: BTreeMap<_, _> = shown
        .servers
        .iter()
        .map(|server| {
            (number(server, "keyServerID"), truth(server, "kmipAssignedProviderIsActive"))
        })
        .collect();
    let about = shown.faults_of("kmipServerFault").chain(shown.faults_of("kmipCertificateFault"));
    for fault in about {
        let server = fault.get("data").and_then(|data| data.get("keyServerID"));
        let Some(id) = server.and_then(Value::as_u64) else { continue };
        let is_certificate = text(fault, "code") == "kmipCertificateFault";
        match servers.get(&id) {
            None => wrong.push(format!("key server {id} does not exist: {fault}")),
            Some(true) => {}
            Some(false) if is_certificate && text(fault, "severity") == "warning" => {}
            Some(false) => wrong.push(format!("no provider in use has server {id}: {fault}")),
        }
        let node = number(fault, "nodeID");
        let is_on = |of: &Value| number(of, "nodeID") == node && truth(of, "powered");
        if node != 0 && !shown.nodes().any(is_on) {
            wrong.push(format!("node {node} is off: {fault}"));
        }
    }
}

/// The latest events of a node say how its switch and its drives are.
fn check_events(shown: &Shown, wrong: &mut Vec<String>) {
    for node in shown.nodes() {
        let id = number(node, "nodeID");
        let events: Vec<_> =
            shown.events.iter().filter(|event| number(event, "nodeID") == id).collect();
        let is_switch = |event: &&&Value| text(event, "message").contains(" switched ");
        let switched = events.iter().find(is_switch);
        if let Some(event) = switched
            && text(event, "message").ends_with("switched on") != truth(node, "powered")
        {
            wrong.push(format!("the latest event of node {id} about its switch: {event}"));
        }
        let counts = |state: &str| {
            items(node, "drives").filter(|drive| text(drive, "state") == state).count()
        };
        let latest = events.iter().find(|event| unlocked_by(event).is_some());
        let since = switched.map_or(0, |event| number(event, "eventID"));
        // Without an event since its start the node has not got so far.
        let Some(event) = latest.filter(|event| number(event, "eventID") > since) else { continue };
        let starting = shown
            .drives
            .iter()
            .any(|drive| number(drive, "nodeID") == id && text(drive, "status") == "available");
        let unlocked = unlocked_by(event);
        if truth(node, "powered") && !starting && unlocked != u64::try_from(counts("active")).ok() {
            wrong.push(format!("the latest event of node {id} about its drives: {event}"));
        }
    }
}

/// How many drives of its node are unlocked, as an event says.
fn unlocked_by(event: &Value) -> Option<u64> {
    event.get("details").and_then(|details| details.get("unlocked")).and_then(Value::as_u64)
}

/// Both APIs show the same master key, and whether all drives of nodes that are on are unlocked.
fn check_encryption(shown: &Shown, wrong: &mut Vec<String>) {
    let current = items(&shown.state, "masterKeys").find(|key| truth(key, "current"));
    let info = shown.encryption.get("masterKeyInfo");
    for member in ["keyID", "keyManagementType"] {
        let of = |key: Option<&Value>| key.map(|key| text(key, member).to_owned());
        if of(current) != of(info) {
            wrong.push(format!("{member} of the master key: {current:?}, {info:?}"));
        }
    }
    let locked = shown.drive_states().into_values().filter(|state| *state == "locked").count();
    if truth(&shown.state, "unlocked") != (locked == 0) {
        wrong.push(format!("{locked} drives are locked, and unlocked says otherwise"));
    }
}

fn items<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, member: &str) -> u64 {
    value.get(member).and_then(Value::as_u64).unwrap_or_default()
}

fn truth(value: &Value, member: &str) -> bool {
    value.get(member).and_then(Value::as_bool).unwrap_or_default()
}
