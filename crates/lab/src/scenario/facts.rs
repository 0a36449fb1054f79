//! What is known of a running lab, in few words that scenarios name, and comparisons with it.

use serde_json::{Map, Value, json};

/// Facts by name.
pub(super) type Facts = Map<String, Value>;

/// The facts of a state of the cluster, as `GET /sim/v1/state` answers it.
pub(super) fn facts_of(state: &Value) -> Facts {
    let list = |pointer: &str| state.pointer(pointer).and_then(Value::as_array).cloned();
    let nodes = list("/nodes").unwrap_or_default();
    let drives: Vec<_> = nodes
        .iter()
        .flat_map(|node| node.get("drives").and_then(Value::as_array).cloned().unwrap_or_default())
        .collect();
    let in_state = |wanted: &str| {
        drives.iter().filter(|drive| drive.get("state").is_some_and(|s| s == wanted)).count()
    };
    let keys = list("/masterKeys").unwrap_or_default();
    let current = keys.iter().find(|key| key.get("current") == Some(&Value::Bool(true)));
    let of_current = |member| current.and_then(|key: &Value| key.get(member)).cloned();
    let faults = list("/clusterFaults").unwrap_or_default();
    let texts = |member| {
        let texts: Vec<_> = faults.iter().filter_map(|fault| fault.get(member)?.as_str()).collect();
        texts.join("; ")
    };
    let rekey = state.get("rekey").filter(|rekey| !rekey.is_null());
    let of_rekey = |member| rekey.and_then(|rekey| rekey.get(member)).cloned().unwrap_or_default();
    let powered = |node: &&Value| node.get("powered") == Some(&Value::Bool(true));
    Map::from_iter([
        ("cluster-faults".to_owned(), json!(texts("code"))),
        ("drives".to_owned(), drives.len().into()),
        ("drives-absent".to_owned(), in_state("absent").into()),
        ("drives-active".to_owned(), in_state("active").into()),
        ("drives-locked".to_owned(), in_state("locked").into()),
        ("drives-rewrapped".to_owned(), of_rekey("drivesRewrapped")),
        ("fault-details".to_owned(), json!(texts("details"))),
        ("key-provider".to_owned(), of_current("keyProviderID").unwrap_or_default()),
        (
            "last-rekey-error".to_owned(),
            state.pointer("/lastRekey/error").cloned().unwrap_or_default(),
        ),
        ("master-key".to_owned(), of_current("keyManagementType").unwrap_or_default()),
        ("master-keys".to_owned(), keys.len().into()),
        ("nodes-on".to_owned(), nodes.iter().filter(powered).count().into()),
        ("rekey".to_owned(), of_rekey("state")),
        ("waiting-for".to_owned(), of_rekey("waitingFor")),
    ])
}

/// The current master key of a state.
pub(super) fn current_key(state: &Value) -> Option<String> {
    let keys = state.get("masterKeys")?.as_array()?;
    let current = keys.iter().find(|key| key.get("current") == Some(&Value::Bool(true)))?;
    current.get("keyID")?.as_str().map(str::to_owned)
}

/// What does not hold of the facts, a sentence each.
pub(super) fn differences(wanted: &Map<String, Value>, facts: &Facts) -> Vec<String> {
    let difference = |(name, wanted): (&String, &Value)| match facts.get(name) {
        None => Some(format!("fact {name:?} is not known")),
        Some(found) if holds(wanted, found) => None,
        Some(found) => Some(format!("{name} is {found}, wanted {wanted}")),
    };
    wanted.iter().filter_map(difference).collect()
}

/// Whether a value is as wanted: equal, or as a table with `contains`, `at-least` or `not` says.
fn holds(wanted: &Value, found: &Value) -> bool {
    let Some(conditions) = wanted.as_object() else {
        // TOML has no null: an empty text stands for nothing.
        return wanted == found || (wanted == "" && found.is_null());
    };
    conditions.iter().all(|(condition, value)| match condition.as_str() {
        "contains" => {
            let (part, text) = (value.as_str(), found.as_str());
            part.zip(text).is_some_and(|(part, text)| text.contains(part))
        }
        "at-least" => value.as_u64().zip(found.as_u64()).is_some_and(|(min, found)| found >= min),
        "not" => !holds(value, found),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{differences, facts_of};

    #[test]
    fn facts_follow_from_a_state_and_are_compared() {
        let state = json!({
            "masterKeys": [
                { "current": true, "keyManagementType": "external", "keyProviderID": 1 },
            ],
            "nodes": [
                { "powered": true, "drives": [{ "state": "active" }, { "state": "locked" }] },
            ],
            "clusterFaults": [{ "code": "kmipServerFault", "details": "away" }],
            "rekey": { "state": "RewrapDataEncryptionKeys", "drivesRewrapped": 3 },
        });
        let facts = facts_of(&state);
        let check = |wanted: Value| differences(wanted.as_object().unwrap(), &facts);
        let right = json!({
            "master-key": "external", "key-provider": 1, "drives-active": 1, "nodes-on": 1,
            "cluster-faults": { "contains": "kmipServerFault" }, "last-rekey-error": "",
            "drives-rewrapped": { "at-least": 3 }, "rekey": { "not": "" },
        });
        assert!(check(right).is_empty());
        let wrong = json!({
            "master-key": "internal", "drives-rewrapped": { "at-least": 4 }, "unknown": 1,
            "rekey": { "is": "Ready" },
        });
        assert_eq!(check(wrong).len(), 4);
    }
}
