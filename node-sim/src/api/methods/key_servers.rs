//! Key servers: how each is reached, and to which provider it belongs.

use super::hostnames::check_hostnames;
use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;
use crate::key_server::certificate_checks::check_pem;
use crate::state::error::ElementError;
use crate::state::key_server_registry::{KMIP_PORT, KeyServerChange, KeyServerId, KeyServerKmip};
use serde_json::{Value, json};

/// Longest name of a provider or a server. It is for display only; Element names no limit.
pub(crate) const NAME_LEN_MAX: usize = 128;

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "CreateKeyServerKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            required("kmipCaCertificate", Kind::Text),
            required("kmipClientCertificate", Kind::Text),
            required("kmipKeyServerHostnames", Kind::Texts),
            required("kmipKeyServerName", Kind::Text),
            optional("kmipKeyServerPort", Kind::Integer),
        ],
        action: Action::Change(|api, params| Box::pin(create(api, params))),
    },
    Method {
        name: "ModifyKeyServerKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            required("keyServerID", Kind::Integer),
            optional("kmipCaCertificate", Kind::Text),
            optional("kmipClientCertificate", Kind::Text),
            optional("kmipKeyServerHostnames", Kind::Texts),
            optional("kmipKeyServerName", Kind::Text),
            optional("kmipKeyServerPort", Kind::Integer),
        ],
        action: Action::Change(|api, params| Box::pin(modify(api, params))),
    },
    Method {
        name: "DeleteKeyServerKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyServerID", Kind::Integer)],
        action: Action::Change(|api, params| Box::pin(delete(api, params))),
    },
    Method {
        name: "GetKeyServerKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyServerID", Kind::Integer)],
        action: Action::Read(get),
    },
    Method {
        name: "ListKeyServersKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            optional("keyProviderID", Kind::Integer),
            optional("kmipAssignedProviderIsActive", Kind::Boolean),
            optional("kmipHasProviderAssigned", Kind::Boolean),
        ],
        action: Action::Read(list),
    },
    Method {
        name: "TestKeyServerKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyServerID", Kind::Integer)],
        action: Action::Query(|api, params| Box::pin(test(api, params))),
    },
    Method {
        name: "AddKeyServerToProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            required("keyProviderID", Kind::Integer),
            required("keyServerID", Kind::Integer),
        ],
        action: Action::Change(|api, params| Box::pin(add_to_provider(api, params))),
    },
    Method {
        name: "RemoveKeyServerFromProviderKmip",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[required("keyServerID", Kind::Integer)],
        action: Action::Change(|api, params| Box::pin(remove_from_provider(api, params))),
    },
];

/// A name that can be shown.
pub(crate) fn check_name(parameter: &str, name: &str) -> Result<(), ElementError> {
    let len = name.chars().count();
    if name.trim().is_empty() || len > NAME_LEN_MAX || name.chars().any(char::is_control) {
        let reason = format!("a name has 1 to {NAME_LEN_MAX} characters that can be shown");
        return Err(ElementError::invalid(parameter, &reason));
    }
    Ok(())
}

/// The values that were given, each of a form that could be one.
fn given(params: &Params) -> Result<KeyServerChange, ElementError> {
    let pem = |name: &'static str| -> Result<Option<String>, ElementError> {
        let Some(text) = params.text(name) else { return Ok(None) };
        check_pem(name, text)?;
        Ok(Some(text.trim().to_owned()))
    };
    let name = params.text("kmipKeyServerName");
    name.map_or(Ok(()), |name| check_name("kmipKeyServerName", name))?;
    let hostnames = params.texts("kmipKeyServerHostnames");
    hostnames.as_deref().map_or(Ok(()), check_hostnames)?;
    Ok(KeyServerChange {
        name: name.map(str::to_owned),
        hostnames,
        port: params.integer("kmipKeyServerPort").map(check_port).transpose()?,
        ca_certificate: pem("kmipCaCertificate")?,
        client_certificate: pem("kmipClientCertificate")?,
    })
}

fn check_port(port: u64) -> Result<u16, ElementError> {
    let port = u16::try_from(port).ok().filter(|port| *port != 0);
    port.ok_or_else(|| ElementError::invalid("kmipKeyServerPort", "a port is 1 to 65535"))
}

/// The server is not contacted and need not exist yet.
async fn create(api: &ElementApi, params: &Params) -> MethodResult {
    let given = given(params)?;
    let server = KeyServerKmip {
        name: given.name.unwrap_or_default(),
        hostnames: given.hostnames.unwrap_or_default(),
        port: given.port.unwrap_or(KMIP_PORT),
        ca_certificate: given.ca_certificate.unwrap_or_default(),
        client_certificate: given.client_certificate.unwrap_or_default(),
    };
    let id = api.cluster.change(|ledger| ledger.registry.create_server(server)).await?;
    show(api, id)
}

/// The server is contacted with the new values; if that fails the old ones stay.
async fn modify(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("keyServerID")?;
    api.cluster.modify_key_server(id, &given(params)?).await?;
    show(api, id)
}

async fn delete(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("keyServerID")?;
    api.cluster
        .change(|ledger| ledger.registry.delete_server(id, &ledger.ring.active_providers()))
        .await?;
    Ok(json!({}))
}

fn get(api: &ElementApi, params: &Params) -> MethodResult {
    show(api, params.required_integer("keyServerID")?)
}

fn show(api: &ElementApi, id: KeyServerId) -> MethodResult {
    api.cluster.read(|ledger| {
        let server = ledger.registry.server(id)?;
        let provider = ledger.registry.provider_of(id);
        let active = provider.map(|id| ledger.ring.active_providers().contains(&id));
        Ok(json!({ "kmipKeyServer": server_json(id, server, provider, active) }))
    })
}

fn list(api: &ElementApi, params: &Params) -> MethodResult {
    let of_provider = params.integer("keyProviderID");
    let is_active = params.boolean("kmipAssignedProviderIsActive");
    let has_provider = params.boolean("kmipHasProviderAssigned");
    api.cluster.read(|ledger| {
        let active = ledger.ring.active_providers();
        let servers: Vec<_> = ledger
            .registry
            .servers()
            .filter_map(|(id, server)| {
                let provider = ledger.registry.provider_of(id);
                let provider_is_active = provider.map(|id| active.contains(&id));
                let wanted = of_provider.is_none_or(|of| provider == Some(of))
                    && is_active.is_none_or(|wanted| provider_is_active == Some(wanted))
                    && has_provider.is_none_or(|wanted| wanted == provider.is_some());
                wanted.then(|| server_json(id, server, provider, provider_is_active))
            })
            .collect();
        Ok(json!({ "kmipKeyServers": servers }))
    })
}

fn server_json(
    id: KeyServerId,
    server: &KeyServerKmip,
    provider: Option<u64>,
    provider_is_active: Option<bool>,
) -> Value {
    json!({
        "keyProviderID": provider,
        "keyServerID": id,
        "kmipAssignedProviderIsActive": provider_is_active,
        "kmipCaCertificate": server.ca_certificate,
        "kmipClientCertificate": server.client_certificate,
        "kmipKeyServerHostnames": server.hostnames,
        "kmipKeyServerName": server.name,
        "kmipKeyServerPort": server.port,
    })
}

async fn test(api: &ElementApi, params: &Params) -> MethodResult {
    api.cluster.test_key_server(params.required_integer("keyServerID")?).await?;
    Ok(json!({}))
}

/// A server that is in the provider already is not contacted again: that is no error and no news.
async fn add_to_provider(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("keyServerID")?;
    let provider = params.required_integer("keyProviderID")?;
    api.cluster.add_key_server_to_provider(id, provider).await?;
    Ok(json!({}))
}

async fn remove_from_provider(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("keyServerID")?;
    api.cluster
        .change(|ledger| ledger.registry.remove_from_provider(id, &ledger.ring.active_providers()))
        .await?;
    Ok(json!({}))
}
