//! Key providers: groups of key servers that hold the same keys.

use super::key_servers::{ask_deadline, check_name, key_server_error};
use super::method::{Act, Element, Method, Outcome, Scope};
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
        act: Act::Change(|element, params| Box::pin(create(element, params))),
    },
    Method {
        name: "DeleteKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderID", Kind::Integer)],
        act: Act::Change(|element, params| Box::pin(delete(element, params))),
    },
    Method {
        name: "GetKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderID", Kind::Integer)],
        act: Act::Tell(get),
    },
    Method {
        name: "ListKeyProvidersKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            optional("keyProviderIsActive", Kind::Boolean),
            optional("kmipKeyProviderHasServerAssigned", Kind::Boolean),
        ],
        act: Act::Tell(list),
    },
    Method {
        name: "TestKeyProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyProviderID", Kind::Integer)],
        act: Act::Ask(|element, params| Box::pin(test(element, params))),
    },
];

async fn create(element: &Element, params: &Params) -> Outcome {
    let name = params.the_text("keyProviderName")?;
    check_name("keyProviderName", name)?;
    let id = element.cluster.change(|ledger| ledger.registry.create_provider(name)).await?;
    show(element, id)
}

async fn delete(element: &Element, params: &Params) -> Outcome {
    let id = params.the_integer("keyProviderID")?;
    element
        .cluster
        .change(|ledger| ledger.registry.delete_provider(id, &ledger.ring.active_providers()))
        .await?;
    Ok(json!({}))
}

fn get(element: &Element, params: &Params) -> Outcome {
    show(element, params.the_integer("keyProviderID")?)
}

fn show(element: &Element, id: KeyProviderId) -> Outcome {
    element.cluster.read(|ledger| {
        let provider = ledger.registry.provider(id)?;
        let provider = provider_json(id, provider, &ledger.ring.active_providers());
        Ok(json!({ "kmipKeyProvider": provider }))
    })
}

fn list(element: &Element, params: &Params) -> Outcome {
    let is_active = params.boolean("keyProviderIsActive");
    let has_server = params.boolean("kmipKeyProviderHasServerAssigned");
    element.cluster.read(|ledger| {
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
async fn test(element: &Element, params: &Params) -> Outcome {
    let id = params.the_integer("keyProviderID")?;
    let ledger = element.cluster.ledger();
    ledger.registry.servers_of(id)?;
    let provider = element
        .cluster
        .provider_access(ledger.master_node(), id)
        .map_err(|error| key_server_error(&error))?;
    ask_deadline(element.cluster.key_servers().test(&provider)).await?;
    Ok(json!({}))
}
