//! Master keys at a key server, as a client with the cluster's name or another one sees them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kmip::Identifier;
use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::client::Client;
use kmip::payload::{GetAttributesRequest, LocateRequest};
use kmip::structures::Name;
use kmip::vocabulary::{State, StorageStatusMask};
use tokio::runtime::Runtime;

use crate::Lab;

/// What the names of master keys begin with.
const PREFIX: &str = "SolidFire-KeyID-";

/// A client of one key server.
pub struct MasterKeys {
    runtime: Runtime,
    client: Client,
}

impl MasterKeys {
    /// A client with this common name, which sees the keys that it owns.
    #[track_caller]
    pub fn at(lab: &Lab, address: SocketAddr, common_name: &str) -> Self {
        let pair = lab.authority().client(common_name).expect("a certificate");
        let client = Client::builder()
            .server(address.to_string())
            .ca_pem(lab.pem("ca.crt"))
            .identity_pem(&pair.cert_pem, pair.key_pem.as_bytes())
            .build()
            .expect("a client");
        Self { runtime: Runtime::new().expect("a runtime"), client }
    }

    /// The `keyID`s of the master keys that are not destroyed, with their States.
    pub fn living(&self) -> BTreeMap<String, State> {
        self.runtime.block_on(async {
            let mut living = BTreeMap::new();
            for id in self.locate(LocateRequest::default()).await {
                let (key_id, state) = self.look(&id).await;
                assert_eq!(living.insert(key_id.clone(), state), None, "two keys {key_id}");
            }
            living.retain(|_, state| !is_destroyed(*state));
            living
        })
    }

    /// Whether the server has a record of this master key, and shows it as destroyed.
    pub fn has_destroyed(&self, key_id: &str) -> bool {
        self.runtime.block_on(async {
            let name = AttributeValue::Name(Name::text(&format!("{PREFIX}{key_id}")));
            let destroyed = LocateRequest {
                attributes: [name].into_iter().collect(),
                storage_status_mask: Some(StorageStatusMask::DestroyedStorage),
                ..LocateRequest::default()
            };
            match self.locate(destroyed).await.as_slice() {
                [] => false,
                [id] => is_destroyed(self.look(id).await.1),
                several => panic!("master key {key_id} was destroyed as each of {several:?}"),
            }
        })
    }

    async fn locate(&self, request: LocateRequest) -> Vec<String> {
        self.client.request(request).await.expect("an answer to Locate").unique_identifiers
    }

    async fn look(&self, id: &str) -> (String, State) {
        let request = GetAttributesRequest {
            unique_identifier: Some(Identifier::from(id)),
            attributes: ["Name", "State"].map(AttributeReference::from_name).to_vec(),
        };
        let found = self.client.request(request).await.expect("attributes").attributes.0;
        let (mut name, mut state) = (None, None);
        for attribute in found {
            if let AttributeValue::Name(value) = attribute.value {
                name = Some(value.value);
            } else if let AttributeValue::State(value) = attribute.value {
                state = Some(value);
            }
        }
        let name = name.expect("a Name");
        (name.strip_prefix(PREFIX).unwrap_or(&name).to_owned(), state.expect("a State"))
    }
}

fn is_destroyed(state: State) -> bool {
    matches!(state, State::Destroyed | State::DestroyedCompromised)
}
