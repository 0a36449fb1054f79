//! Client of the key server with the cluster's identity: the lab's authority issues a second
//! certificate with the cluster's name.

use crate::lab::{CLUSTER_NAME, Lab};
use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::client::Client;
use kmip::payload::{GetAttributesRequest, LocateRequest};
use kmip::vocabulary::State;
use kmip::{Identifier, tags};

/// A key of the cluster at the key server.
pub(crate) struct Key {
    /// Its Name.
    pub(crate) name: String,
    /// Its State.
    pub(crate) state: Option<State>,
}

/// All keys that the cluster has at the key server.
pub(crate) async fn keys(lab: &Lab) -> Result<Vec<Key>, String> {
    let authority = certs::Authority::read(&lab.pki()).map_err(|why| why.to_string())?;
    let pair = authority.client(CLUSTER_NAME).map_err(|why| why.to_string())?;
    let client = Client::builder()
        .server(lab.key_server_address.to_string())
        .ca_pem(lab.pem("ca.crt")?)
        .identity_pem(&pair.cert_pem, pair.key_pem.as_bytes())
        .build()
        .map_err(|why| why.to_string())?;
    let located = client.request(LocateRequest::default()).await.map_err(|why| why.to_string())?;
    let mut keys = Vec::new();
    for identifier in &located.unique_identifiers {
        keys.push(key(&client, identifier).await?);
    }
    Ok(keys)
}

async fn key(client: &Client, identifier: &str) -> Result<Key, String> {
    let request = GetAttributesRequest {
        unique_identifier: Some(Identifier::from(identifier)),
        attributes: vec![
            AttributeReference::Standard(tags::Name),
            AttributeReference::Standard(tags::State),
        ],
    };
    let answer = client.request(request).await.map_err(|why| why.to_string())?;
    let mut key = Key { name: String::new(), state: None };
    for attribute in answer.attributes.0 {
        if let AttributeValue::Name(name) = attribute.value {
            key.name = name.value;
        } else if let AttributeValue::State(state) = attribute.value {
            key.state = Some(state);
        }
    }
    Ok(key)
}
