//! Encryption at rest: that of the drives themselves, which these do not have, and that of the
//! cluster's software, whose master key can be replaced.

use super::cluster::enabled_text;
use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional};
use crate::api::api_version::version;
use crate::cluster::{RekeyTarget, StartRekeyError};
use crate::state::error::{ElementError, ErrorName};
use serde_json::{Map, Value, json};

/// Where a master key can live. The reference writes them with a capital, its samples without.
const KEY_MANAGEMENT_TYPE: Kind = Kind::Choice(&["internal", "external"]);

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "EnableEncryptionAtRest",
        since: version(5, 0),
        scope: Scope::Cluster,
        parameters: &[optional("keyProviderID", Kind::Integer)],
        action: Action::Read(enable_encryption_at_rest),
    },
    Method {
        name: "DisableEncryptionAtRest",
        since: version(5, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(disable_encryption_at_rest),
    },
    Method {
        name: "GetEncryptionAtRestInfo",
        since: version(12, 3),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|_, _| Ok(json!({ "state": enabled_text(false) }))),
    },
    Method {
        name: "GetSoftwareEncryptionAtRestInfo",
        since: version(12, 3),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_software_encryption_at_rest_info),
    },
    Method {
        name: "RekeySoftwareEncryptionAtRestMasterKey",
        since: version(12, 3),
        scope: Scope::Cluster,
        parameters: &[
            optional("keyManagementType", KEY_MANAGEMENT_TYPE),
            optional("keyProviderID", Kind::Integer),
        ],
        action: Action::Change(|api, params| Box::pin(rekey(api, params))),
    },
];

/// Element's own refusal on nodes of a type that ends in `-NE`. A provider that does not exist is
/// told first, because that is wrong on any cluster.
fn enable_encryption_at_rest(api: &ElementApi, params: &Params) -> MethodResult {
    if let Some(provider) = params.integer("keyProviderID") {
        api.cluster.read(|ledger| ledger.registry.provider(provider).map(|_| ()))?;
    }
    Err(ElementError::new(
        ErrorName::ApiNotPermitted,
        "Encryption not allowed. Cluster detected non-encryptable node",
    ))
}

fn disable_encryption_at_rest(_: &ElementApi, _: &Params) -> MethodResult {
    Err(ElementError::new(
        ErrorName::ApiNotPermitted,
        "Encryption at rest of the drives is not enabled. Software encryption at rest cannot be \
         disabled.",
    ))
}

/// The API reference calls the state `state`, the user guide's sample `status`: both are told.
fn get_software_encryption_at_rest_info(api: &ElementApi, _: &Params) -> MethodResult {
    let info = api.cluster.encryption_info();
    let state = enabled_text(info.enabled);
    let mut answer = Map::new();
    if let Some(key) = info.master_key_info {
        answer.insert("masterKeyInfo".into(), json!(key));
    }
    // "Not deleted yet" is what makes it present, and a fetched result is deleted.
    if let Some(handle) = info.rekey_async_handle {
        answer.insert("rekeyMasterKeyAsyncResultID".into(), handle.into());
    }
    answer.insert("state".into(), state.into());
    answer.insert("status".into(), state.into());
    answer.insert("version".into(), info.version.into());
    Ok(answer.into())
}

async fn rekey(api: &ElementApi, params: &Params) -> MethodResult {
    let target = target(params.text("keyManagementType"), params.integer("keyProviderID"))?;
    let handle = api.cluster.start_rekey(target).await.map_err(refusal)?;
    Ok(Value::from(Map::from_iter([("asyncHandle".to_owned(), handle.into())])))
}

/// Without parameters the new key is made where the present one is.
fn target(management: Option<&str>, provider: Option<u64>) -> Result<RekeyTarget, ElementError> {
    match (management, provider) {
        (None, None) => Ok(RekeyTarget::Same),
        (Some("external"), Some(provider)) => Ok(RekeyTarget::External(provider)),
        (Some("external"), None) => Err(ElementError::missing("keyProviderID")),
        (Some(_), None) => Ok(RekeyTarget::Internal),
        (Some(_) | None, Some(_)) => Err(ElementError::invalid(
            "keyProviderID",
            "it is only valid together with keyManagementType external",
        )),
    }
}

fn refusal(refusal: StartRekeyError) -> ElementError {
    let name = match refusal {
        StartRekeyError::NotEnabled => ErrorName::SoftwareEncryptionAtRestNotEnabled,
        StartRekeyError::InProgress { .. } => ErrorName::RekeyInProgress,
        StartRekeyError::Provider(error) => return error,
        StartRekeyError::Ledger(error) => return error.into(),
    };
    ElementError::new(name, sentence(&refusal))
}

/// A reason as a sentence: with a capital and a full stop.
fn sentence(reason: &impl std::fmt::Display) -> String {
    let reason = reason.to_string();
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::target;
    use crate::cluster::RekeyTarget;

    #[test]
    fn where_a_rekey_leads() {
        let table = [
            (None, None, Ok(RekeyTarget::Same)),
            (Some("internal"), None, Ok(RekeyTarget::Internal)),
            (Some("external"), Some(3), Ok(RekeyTarget::External(3))),
            (Some("external"), None, Err("xMissingParameter")),
            (Some("internal"), Some(3), Err("xInvalidParameter")),
            (None, Some(3), Err("xInvalidParameter")),
        ];
        for (management, provider, expected) in table {
            let found = target(management, provider).map_err(|error| error.name.text());
            assert_eq!(found, expected, "{management:?} {provider:?}");
        }
    }
}
