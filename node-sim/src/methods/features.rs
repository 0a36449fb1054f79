//! Features that a cluster can have and that this one does not.

use super::params::{Kind, Params, optional, required};
use super::{Act, Element, Method, Outcome, Scope};
use crate::error::{ElementError, ErrorName};
use crate::rpc::version::version;
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
pub const METHODS: &[Method] = &[
    Method {
        name: "GetFeatureStatus",
        since: version(9, 0),
        scope: Scope::Cluster,
        parameters: &[optional("feature", FEATURE)],
        act: Act::Tell(get_feature_status),
    },
    Method {
        name: "EnableFeature",
        since: version(9, 0),
        scope: Scope::Cluster,
        parameters: &[required("feature", FEATURE)],
        act: Act::Tell(enable_feature),
    },
];

fn get_feature_status(_: &Element, params: &Params) -> Outcome {
    let wanted = params.text("feature");
    let features: Vec<_> = FEATURES
        .iter()
        .filter(|(feature, _)| wanted.is_none_or(|wanted| wanted == *feature))
        .map(|(feature, _)| json!({ "enabled": false, "feature": feature }))
        .collect();
    Ok(json!({ "features": features }))
}

fn enable_feature(_: &Element, params: &Params) -> Outcome {
    let wanted = params.the_text("feature")?;
    let reason = FEATURES.iter().find(|(feature, _)| *feature == wanted).map(|(_, reason)| reason);
    let message = format!("{wanted} cannot be enabled: {}.", reason.unwrap_or(&"it is not there"));
    Err(ElementError::new(ErrorName::ApiNotPermitted, message))
}
