//! Features that a cluster can have and that this one does not.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;
use crate::state::error::{ElementError, ErrorName};
use serde_json::json;

/// A feature, and why it cannot be enabled here.
const FEATURES: &[(&str, &str)] = &[
    ("fips", "this build's cryptography is not a validated module"),
    ("FipsDrives", "the simulated drives do not encrypt by themselves"),
    ("SnapMirror", "volumes are not replicated"),
    ("vvols", "there is no VASA provider"),
];

const FEATURE: Kind = Kind::Choice(&["fips", "FipsDrives", "SnapMirror", "vvols"]);

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "GetFeatureStatus",
        since: version(9, 0),
        scope: Scope::Cluster,
        parameters: &[optional("feature", FEATURE)],
        action: Action::Read(get_feature_status),
    },
    Method {
        name: "EnableFeature",
        since: version(9, 0),
        scope: Scope::Cluster,
        parameters: &[required("feature", FEATURE)],
        action: Action::Read(enable_feature),
    },
    Method {
        name: "GetFipsReport",
        since: version(10, 3),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_fips_report),
    },
    Method {
        name: "GetNodeFipsDrivesReport",
        since: version(11, 5),
        scope: Scope::Node,
        parameters: &[],
        action: Action::Read(|_, _| Ok(json!({ "fipsDrives": FIPS_DRIVES }))),
    },
];

/// How many of a node's drives are FIPS drives.
const FIPS_DRIVES: &str = "None";

fn get_feature_status(_: &ElementApi, params: &Params) -> MethodResult {
    let wanted = params.text("feature");
    let features: Vec<_> = FEATURES
        .iter()
        .filter(|(feature, _)| wanted.is_none_or(|wanted| wanted == *feature))
        .map(|(feature, _)| json!({ "enabled": false, "feature": feature }))
        .collect();
    Ok(json!({ "features": features }))
}

fn enable_feature(_: &ElementApi, params: &Params) -> MethodResult {
    let wanted = params.required_text("feature")?;
    let reason = FEATURES.iter().find(|(feature, _)| *feature == wanted).map(|(_, reason)| reason);
    let message = format!("{wanted} cannot be enabled: {}.", reason.unwrap_or(&"it is not there"));
    Err(ElementError::new(ErrorName::ApiNotPermitted, message))
}

/// A node that is switched off cannot report.
fn get_fips_report(api: &ElementApi, _: &Params) -> MethodResult {
    let (mut nodes, mut errors) = (Vec::new(), Vec::new());
    for node in api.cluster.nodes() {
        if node.powered {
            nodes.push(json!({
                "fipsDrives": FIPS_DRIVES, "httpsEnabled": false, "nodeID": node.node_id,
            }));
        } else {
            let name = ErrorName::NodeOffline.text();
            let error = json!({ "message": "The node is offline.", "name": name });
            errors.push(json!({ "error": error, "nodeID": node.node_id }));
        }
    }
    Ok(json!({ "errorNodes": errors, "nodes": nodes }))
}
