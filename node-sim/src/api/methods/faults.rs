//! What is wrong, and what happened.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional};
use crate::api::api_version::version;
use crate::state::error::ElementError;
use crate::state::events::{EventFilter, EventType};
use crate::state::faults::FaultTypes;
use crate::state::timestamps;
use serde_json::json;
use time::OffsetDateTime;

const FAULT_TYPES: Kind = Kind::Choice(&["current", "resolved", "all"]);

const EVENT_TYPES: Kind = Kind::Choice(&[
    "apiEvent",
    "encryptionAtRestEvent",
    "driveEvent",
    "clusterMasterEvent",
    "serviceEvent",
]);

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "ListClusterFaults",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            optional("bestPractices", Kind::Boolean),
            optional("faultTypes", FAULT_TYPES),
        ],
        action: Action::Read(list_cluster_faults),
    },
    Method {
        name: "ClearClusterFaults",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[optional("faultTypes", FAULT_TYPES)],
        action: Action::Change(|api, params| Box::pin(clear_cluster_faults(api, params))),
    },
    Method {
        name: "ListEvents",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            optional("maxEvents", Kind::Integer),
            optional("startEventID", Kind::Integer),
            optional("endEventID", Kind::Integer),
            optional("eventType", EVENT_TYPES),
            optional("serviceID", Kind::Integer),
            optional("nodeID", Kind::Integer),
            optional("driveID", Kind::Integer),
            optional("startReportTime", Kind::Text),
            optional("endReportTime", Kind::Text),
            optional("startPublishTime", Kind::Text),
            optional("endPublishTime", Kind::Text),
        ],
        action: Action::Read(list_events),
    },
];

fn fault_types(params: &Params, default: FaultTypes) -> FaultTypes {
    match params.text("faultTypes") {
        Some("current") => FaultTypes::Current,
        Some("resolved") => FaultTypes::Resolved,
        Some(_) => FaultTypes::All,
        None => default,
    }
}

/// No fault of this cluster is a mere best practice, so `bestPractices` changes nothing.
fn list_cluster_faults(api: &ElementApi, params: &Params) -> MethodResult {
    let types = fault_types(params, FaultTypes::All);
    Ok(json!({ "faults": api.cluster.read(|ledger| ledger.faults.list(types)) }))
}

async fn clear_cluster_faults(api: &ElementApi, params: &Params) -> MethodResult {
    let types = fault_types(params, FaultTypes::Resolved);
    api.cluster
        .change(|ledger| {
            ledger.faults.clear(types);
            Ok::<_, ElementError>(json!({}))
        })
        .await
}

/// An event is published when it is reported, so both pairs of times mean the same.
fn list_events(api: &ElementApi, params: &Params) -> MethodResult {
    let time = |name: &'static str| -> Result<Option<OffsetDateTime>, ElementError> {
        let Some(text) = params.text(name) else { return Ok(None) };
        let date = timestamps::parse(text);
        date.map(Some).ok_or_else(|| ElementError::invalid(name, "a time is 2021-01-01T22:29:18Z"))
    };
    let kind = params.text("eventType");
    let filter = EventFilter {
        kind: EventType::ALL.iter().copied().find(|known| Some(known.text()) == kind),
        start_id: params.integer("startEventID"),
        end_id: params.integer("endEventID"),
        node_id: params.integer("nodeID"),
        drive_id: params.integer("driveID"),
        service_id: params.integer("serviceID"),
        start_time: time("startReportTime")?.max(time("startPublishTime")?),
        end_time: earlier(time("endReportTime")?, time("endPublishTime")?),
        max: params.integer("maxEvents"),
    };
    let events = api.cluster.read(|ledger| ledger.events.list(&filter));
    Ok(json!({ "eventQueueType": "", "events": events }))
}

fn earlier(a: Option<OffsetDateTime>, b: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}
