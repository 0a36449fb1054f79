//! Volumes. The cluster has none yet, and says so: there is no call that makes one.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;
use serde_json::json;

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "ListVolumes",
        since: version(8, 0),
        scope: Scope::Cluster,
        parameters: &[
            optional("startVolumeID", Kind::Integer),
            optional("limit", Kind::Integer),
            optional("volumeStatus", Kind::Text),
            optional("accounts", Kind::Integers),
            optional("isPaired", Kind::Boolean),
            optional("volumeIDs", Kind::Integers),
            optional("volumeName", Kind::Text),
            optional("includeVirtualVolumes", Kind::Boolean),
            optional("protectionSchemes", Kind::Texts),
        ],
        action: Action::Read(none),
    },
    Method {
        name: "ListActiveVolumes",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            optional("startVolumeID", Kind::Integer),
            optional("limit", Kind::Integer),
            optional("includeVirtualVolumes", Kind::Boolean),
        ],
        action: Action::Read(none),
    },
    Method {
        name: "ListVolumesForAccount",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            required("accountID", Kind::Integer),
            optional("startVolumeID", Kind::Integer),
            optional("limit", Kind::Integer),
            optional("includeVirtualVolumes", Kind::Boolean),
        ],
        action: Action::Read(of_account),
    },
];

fn none(_: &ElementApi, _: &Params) -> MethodResult {
    Ok(json!({ "volumes": [] }))
}

fn of_account(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("accountID")?;
    api.cluster.read(|ledger| ledger.inventory.account(id).map(|_| ()))?;
    none(api, params)
}
