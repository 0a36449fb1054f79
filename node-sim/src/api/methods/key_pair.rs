//! The cluster's key pair for KMIP, and its request for a certificate.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional};
use crate::api::api_version::version;
use crate::key_server::client_key_pair::{NewKeyPair, Subject};
use crate::state::error::{ElementError, ErrorName};
use serde_json::json;

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "CreatePublicPrivateKeyPair",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[
            optional("commonName", Kind::Text),
            optional("country", Kind::Text),
            optional("emailAddress", Kind::Text),
            optional("locality", Kind::Text),
            optional("organization", Kind::Text),
            optional("organizationalUnit", Kind::Text),
            optional("state", Kind::Text),
        ],
        action: Action::Change(|api, params| Box::pin(create(api, params))),
    },
    Method {
        name: "GetClientCertificateSignRequest",
        since: version(11, 7),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_client_certificate_sign_request),
    },
];

async fn create(api: &ElementApi, params: &Params) -> MethodResult {
    let part = |name| params.text(name).map(str::to_owned);
    let subject = Subject {
        common_name: part("commonName"),
        organization: part("organization"),
        organizational_unit: part("organizationalUnit"),
        locality: part("locality"),
        state: part("state"),
        country: part("country"),
        email_address: part("emailAddress"),
    };
    // Finding the primes takes long enough to hold up others.
    let pair = tokio::task::spawn_blocking(move || NewKeyPair::create(&subject))
        .await
        .map_err(|_| ElementError::new(ErrorName::Internal, "The key pair was not made."))??;
    api.cluster.adopt_key_pair(pair).await?;
    Ok(json!({}))
}

fn get_client_certificate_sign_request(api: &ElementApi, _: &Params) -> MethodResult {
    api.cluster.read(|ledger| {
        let pair = ledger.key_pair.as_ref().ok_or_else(|| {
            ElementError::new(
                ErrorName::KeyPairDoesNotExist,
                "The cluster has no key pair yet. Make one with CreatePublicPrivateKeyPair.",
            )
        })?;
        Ok(json!({ "clientCertificateSignRequest": pair.certificate_sign_request() }))
    })
}
