//! Key providers: groups of key servers that hold the same keys.

use super::key_servers::check_name;
use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;
use crate::state::key_server_registry::{ActiveProviders, KeyProviderId, KeyProviderKmip};
use serde_json::{Value, json};

/// What is told of a provider's abilities: KMIP over TLS with certificates.
const CAPABILITIES: &str = "SSL";

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "CreateKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderName", Kind::Text)],
        action: Action::Change(|api, params| Box::pin(create(api, params))),
    },
    Method {
        name: "DeleteKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderID", Kind::Integer)],
        action: Action::Change(|api, params| Box::pin(delete(api, params))),
    },
    Method {
        name: "GetKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderID", Kind::Integer)],
        action: Action::Read(get),
    },
    Method {
        name: "ListKeyProvidersKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            optional("keyProviderIsActive", Kind::Boolean),
            optional("kmipKeyProviderHasServerAssigned", Kind::Boolean),
        ],
        action: Action::Read(list),
    },
    Method {
        name: "TestKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderID", Kind::Integer)],
        action: Action::Query(|api, params| Box::pin(test(api, params))),
    },
];

async fn create(api: &ElementApi, params: &Params) -> MethodResult {
    let name = params.required_text("keyProviderName")?;
    check_name("keyProviderName", name)?;
    let id = api.cluster.change(|ledger| ledger.registry.create_provider(name)).await?;
    show(api, id)
}

async fn delete(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("keyProviderID")?;
    api.cluster
        .change(|ledger| ledger.registry.delete_provider(id, &ledger.ring.active_providers()))
        .await?;
    Ok(json!({}))
}

fn get(api: &ElementApi, params: &Params) -> MethodResult {
    show(api, params.required_integer("keyProviderID")?)
}

fn show(api: &ElementApi, id: KeyProviderId) -> MethodResult {
    api.cluster.read(|ledger| {
        let provider = ledger.registry.provider(id)?;
        let provider = provider_json(id, provider, &ledger.ring.active_providers());
        Ok(json!({ "kmipKeyProvider": provider }))
    })
}

fn list(api: &ElementApi, params: &Params) -> MethodResult {
    let is_active = params.boolean("keyProviderIsActive");
    let has_server = params.boolean("kmipKeyProviderHasServerAssigned");
    api.cluster.read(|ledger| {
        let active = ledger.ring.active_providers();
        let providers: Vec<_> = ledger
            .registry
            .providers()
            .filter(|(id, provider)| {
                is_active.is_none_or(|wanted| wanted == active.contains(id))
                    && has_server.is_none_or(|wanted| wanted != provider.key_server_ids.is_empty())
            })
            .map(|(id, provider)| provider_json(id, provider, &active))
            .collect();
        Ok(json!({ "kmipKeyProviders": providers }))
    })
}

fn provider_json(id: KeyProviderId, provider: &KeyProviderKmip, active: &ActiveProviders) -> Value {
    json!({
        "keyProviderID": id,
        "keyProviderIsActive": active.contains(&id),
        "keyProviderName": provider.name,
        "keyServerIDs": provider.key_server_ids,
        "kmipCapabilities": CAPABILITIES,
    })
}

/// Asks the servers of the provider, as the rekey would.
async fn test(api: &ElementApi, params: &Params) -> MethodResult {
    api.cluster.test_key_provider(params.required_integer("keyProviderID")?).await?;
    Ok(json!({}))
}
