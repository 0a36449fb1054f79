//! Client of a key server with the cluster's own name.

use std::collections::BTreeMap;

use harness::{KmipServer, Lab};
use kmip::Identifier;
use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::client::Client;
use kmip::payload::{GetAttributesRequest, LocateRequest};
use kmip::vocabulary::State;
use tokio::runtime::Runtime;

/// The common name of the cluster's certificate: who has it owns the cluster's keys.
pub(crate) const COMMON_NAME: &str = "cluster";

/// A client of one key server.
pub(crate) struct KeyServerClient {
    runtime: Runtime,
    client: Client,
}

impl KeyServerClient {
    pub(crate) fn at(lab: &Lab, server: &KmipServer) -> Self {
        let pair = lab.authority().client(COMMON_NAME).unwrap();
        let client = Client::builder()
            .server(server.address().to_string())
            .ca_pem(lab.pem("ca.crt"))
            .identity_pem(&pair.cert_pem, pair.key_pem.as_bytes())
            .build()
            .unwrap();
        Self { runtime: Runtime::new().unwrap(), client }
    }

    /// The names and states of all objects that are not destroyed.
    pub(crate) fn objects(&self) -> BTreeMap<String, State> {
        self.runtime.block_on(async {
            let located = self.client.request(LocateRequest::default()).await.unwrap();
            let mut live = BTreeMap::new();
            for id in located.unique_identifiers {
                let (name, state) = self.name_and_state(&id).await;
                assert_eq!(live.insert(name.clone(), state), None, "two keys are called {name}");
            }
            live
        })
    }

    async fn name_and_state(&self, id: &str) -> (String, State) {
        let request = GetAttributesRequest {
            unique_identifier: Some(Identifier::from(id)),
            attributes: ["Name", "State"].map(AttributeReference::from_name).to_vec(),
        };
        let found = self.client.request(request).await.unwrap().attributes.0;
        let (mut name, mut state) = (None, None);
        for attribute in found {
            if let AttributeValue::Name(value) = attribute.value {
                name = Some(value.value);
            } else if let AttributeValue::State(value) = attribute.value {
                state = Some(value);
            }
        }
        (name.unwrap(), state.unwrap())
    }
}
