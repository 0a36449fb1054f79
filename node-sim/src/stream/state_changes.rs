//! Changes of the cluster as events: members of the overview that changed, cluster events and
//! cluster faults.

use super::Stream;
use super::event_log::EventKind;
use super::overview::overview_of;
use crate::cluster::Cluster;
use crate::state::events::EventFilter;
use crate::state::faults::FaultTypes;
use crate::state::ledger::Ledger;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Shortest time between two looks at the cluster: a rekey of 960 drives changes it that often.
const PAUSE: Duration = Duration::from_millis(40);

/// Publishes the changes of the cluster until it closes.
pub(crate) async fn run(cluster: Arc<Cluster>, stream: Arc<Stream>) {
    let mut changes = cluster.changes();
    let mut closing = cluster.closing();
    let mut ledger = cluster.ledger();
    let mut state = overview_of(&cluster, &ledger, &stream);
    stream.log.begin_with(state.clone());
    loop {
        tokio::select! {
            _ = changes.changed() => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
        changes.borrow_and_update();
        let newer = cluster.ledger();
        publish_events(&stream, &ledger, &newer);
        publish_faults(&stream, &ledger, &newer);
        let after = overview_of(&cluster, &newer, &stream);
        let change = difference(&state, &after);
        if !change.is_empty() {
            stream.log.publish_state(change, after.clone());
        }
        (ledger, state) = (newer, after);
        tokio::time::sleep(PAUSE).await;
    }
}

/// The members that differ; of nodes only those that differ, with the drives that differ.
fn difference(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let differs = |(name, value): &(&String, &Value)| before.get(*name) != Some(*value);
    let changed = after.iter().filter(differs).map(|(name, value)| {
        let value = match (name.as_str(), before.get(name)) {
            ("nodes", Some(before)) => changed_nodes(before, value),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    let mut changed: Map<_, _> = changed.collect();
    // The number of the ledger says nothing by itself.
    if changed.keys().eq(["generation"]) {
        changed.clear();
    }
    changed
}

fn changed_nodes(before: &Value, after: &Value) -> Value {
    let before = by_id(before, "nodeID");
    let nodes = after.as_array().into_iter().flatten();
    let changed = nodes.filter_map(|node| {
        let id = node.get("nodeID").and_then(Value::as_u64)?;
        let Some(known) = before.get(&id) else { return Some(node.clone()) };
        if *known == node {
            return None;
        }
        let known = by_id(known.get("drives")?, "driveID");
        let drives = node.get("drives")?.as_array()?.iter().filter(|drive| {
            let id = drive.get("driveID").and_then(Value::as_u64);
            id.and_then(|id| known.get(&id)) != Some(drive)
        });
        let mut changed = node.as_object()?.clone();
        changed.insert("drives".to_owned(), drives.cloned().collect());
        Some(Value::Object(changed))
    });
    changed.collect()
}

/// The members of a list by their ids.
fn by_id<'a>(list: &'a Value, id: &str) -> BTreeMap<u64, &'a Value> {
    let members = list.as_array().into_iter().flatten();
    members.filter_map(|member| Some((member.get(id)?.as_u64()?, member))).collect()
}

fn publish_events(stream: &Stream, before: &Ledger, after: &Ledger) {
    if before.events == after.events {
        return;
    }
    let filter = EventFilter { start_id: before.events.next_id(), ..EventFilter::default() };
    for event in after.events.list(&filter).into_iter().rev() {
        publish(stream, EventKind::ClusterEvent, event);
    }
}

fn publish_faults(stream: &Stream, before: &Ledger, after: &Ledger) {
    if before.faults == after.faults {
        return;
    }
    let known = Value::from(before.faults.list(FaultTypes::All));
    let known = by_id(&known, "clusterFaultID");
    for fault in after.faults.list(FaultTypes::All) {
        let id = fault.get("clusterFaultID").and_then(Value::as_u64);
        if id.and_then(|id| known.get(&id)) != Some(&&fault) {
            publish(stream, EventKind::ClusterFault, fault);
        }
    }
}

fn publish(stream: &Stream, kind: EventKind, data: Value) {
    if let Value::Object(data) = data {
        stream.log.publish(kind, data);
    }
}

#[cfg(test)]
mod tests {
    use super::difference;
    use serde_json::{Map, Value, json};

    fn state(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_members_nodes_and_drives_that_changed_are_in_a_change() {
        let before = state(json!({
            "generation": 1, "unlocked": true, "rekey": null,
            "nodes": [
                { "nodeID": 1, "powered": true, "drives": [{ "driveID": 1, "state": "active" },
                                                           { "driveID": 2, "state": "active" }] },
                { "nodeID": 2, "powered": true, "drives": [{ "driveID": 3, "state": "active" }] },
            ],
        }));
        let mut after = before.clone();
        assert!(difference(&before, &after).is_empty());
        after["generation"] = json!(2);
        assert!(difference(&before, &after).is_empty());
        after["nodes"][0]["drives"][1]["state"] = json!("locked");
        after["unlocked"] = json!(false);
        let expected = json!({
            "generation": 2, "unlocked": false,
            "nodes": [{ "nodeID": 1, "powered": true,
                        "drives": [{ "driveID": 2, "state": "locked" }] }],
        });
        assert_eq!(Value::Object(difference(&before, &after)), expected);
        let mut off = before.clone();
        off["nodes"][1]["powered"] = json!(false);
        let expected = json!([{ "nodeID": 2, "powered": false, "drives": [] }]);
        assert_eq!(difference(&before, &off)["nodes"], expected);
    }
}
