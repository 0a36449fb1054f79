//! KMIP client: mutual TLS, a session for each node and key server.
//!
//! ```text
//! test      Query: are the operations there that the rest needs?
//! ensure    Locate, Get Attributes -> Create -> Activate
//! fetch     Locate, Get Attributes -> Get
//! destroy   Locate, Get Attributes -> Revoke -> Destroy
//! ```
//!
//! A key is found by its custom attribute `x-SolidFire-KeyID-<keyID>`, which is the cluster's name
//! for it; the server's own identifier is not kept. Its Name is made of the same `keyID`, and a
//! Name is unique at a server (1.4, 3.2): a Create that comes late, or twice, is refused there, and
//! Locate then finds the first. What Locate finds is looked at before it is believed, because there
//! are servers that pass over a custom attribute and find everything.

use super::{KeyProviderAccess, KeyServerAccess, KeyServerClient, KeyServerError, KeyServerFuture};
use crate::crypto::master_key::MasterKey;
use crate::state::key_ring::{KeyId, NodeId, RetiredKey};
use crate::state::key_server_registry::KeyServerId;
use kmip::attributes::{AttributeReference, AttributeValue, Attributes, VendorAttribute};
use kmip::client::{Client, Error, ErrorKind, Trace};
use kmip::payload::{
    ActivateRequest, CreateRequest, DestroyRequest, Filter, GetAttributesRequest, GetRequest,
    LocateRequest, QueryRequest, Request, RevokeRequest,
};
use kmip::structures::{Name, RevocationReason};
use kmip::vocabulary::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType, Operation,
    QueryFunction, ResultReason, RevocationReasonCode, State,
};
use kmip::{Identifier, tags};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bits of a master key: AES-256.
const MASTER_KEY_BITS: i32 = 256;

/// What a key server must be able to do, or it cannot keep master keys.
const OPERATIONS: &[Operation] = &[
    Operation::Create,
    Operation::Locate,
    Operation::Get,
    Operation::GetAttributes,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
];

/// How long a request may take. Longer than a server needs to flush its disk and ask its replicas,
/// and short enough that a node that unlocks soon tries the next server or says what is wrong.
pub(crate) const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// The most objects that Locate may find: one is right, two are a fault, and a server that passes
/// over the attribute shall not send all that it has.
const LOCATED_MAX: i32 = 16;

/// Client of KMIP servers.
pub struct KmipClient {
    trace: Option<Arc<dyn Trace>>,
    sessions: Mutex<BTreeMap<(NodeId, KeyServerId), Session>>,
}

/// A node's own client of one server, and what it was made of.
struct Session {
    access: KeyServerAccess,
    client: Client,
}

impl KmipClient {
    /// A client without sessions. The trace gets every message: **its bytes hold keys in the
    /// clear**.
    #[must_use]
    pub fn new(trace: Option<Arc<dyn Trace>>) -> Self {
        Self { trace, sessions: Mutex::default() }
    }

    /// The node's client of this server; a new one, if its names or certificates were changed.
    fn client(&self, node_id: NodeId, access: &KeyServerAccess) -> Result<Client, Error> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session_id = (node_id, access.key_server_id);
        if let Some(session) = sessions.get(&session_id)
            && session.access == *access
        {
            return Ok(session.client.clone());
        }
        let server = &access.server;
        let mut builder = Client::builder()
            .ca_pem(&server.ca_certificate)
            .identity_pem(&server.client_certificate, access.client_key.as_bytes())
            .request_deadline(REQUEST_DEADLINE);
        for hostname in &server.hostnames {
            builder = builder.server(address(hostname, server.port));
        }
        if let Some(trace) = &self.trace {
            builder = builder.trace(Arc::clone(trace));
        }
        let client = builder.build()?;
        sessions.insert(session_id, Session { access: access.clone(), client: client.clone() });
        Ok(client)
    }

    /// Calls the servers of the provider in order, until one succeeds.
    async fn try_servers<T>(
        &self,
        provider: &KeyProviderAccess,
        ask: impl AsyncFn(KeyServer) -> Result<T, KeyServerError>,
    ) -> Result<T, KeyServerError> {
        let mut last = KeyServerError::server("The key provider has no key server.");
        for access in &provider.servers {
            let asked = match self.client(provider.node_id, access) {
                Ok(client) => ask(KeyServer(client)).await,
                Err(error) => Err(error.into()),
            };
            match asked {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// `host:port`, with an IPv6 address in brackets.
fn address(hostname: &str, port: u16) -> String {
    if hostname.contains(':') && !hostname.starts_with('[') {
        format!("[{hostname}]:{port}")
    } else {
        format!("{hostname}:{port}")
    }
}

impl KeyServerClient for KmipClient {
    fn test<'a>(&'a self, provider: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()> {
        Box::pin(self.try_servers(provider, async |server| server.test().await))
    }

    fn ensure<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async move {
            // Once a server may have made the key, no other server is asked to.
            let reached = self.try_servers(provider, async |server| {
                server.test().await?;
                Ok(server)
            });
            reached.await?.ensure(key_id).await
        })
    }

    fn fetch<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, MasterKey> {
        Box::pin(self.try_servers(provider, async move |server| server.fetch(key_id).await))
    }

    fn destroy<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key: &'a RetiredKey,
    ) -> KeyServerFuture<'a, ()> {
        let key_id = key.key_id();
        Box::pin(self.try_servers(provider, async move |server| server.destroy(key_id).await))
    }
}

/// One server, as a node's session reaches it.
struct KeyServer(Client);

/// A key at a server.
struct FoundKey {
    identifier: String,
    state: State,
}

impl KeyServer {
    async fn test(&self) -> Result<(), KeyServerError> {
        let questions = vec![QueryFunction::QueryOperations];
        let query = QueryRequest { query_functions: questions, object_groups: None };
        let offered = self.ask(query).await?.operations;
        let missing: Vec<_> = OPERATIONS.iter().filter(|o| !offered.contains(o)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(KeyServerError::server(format!("The key server does not offer {missing:?}.")))
    }

    async fn ensure(&self, key_id: KeyId) -> Result<(), KeyServerError> {
        if self.find_only(key_id).await?.is_none() {
            let created = self.ask(create(key_id)).await;
            // Perhaps an earlier Create that was given up for lost has come through meanwhile.
            if self.find_only(key_id).await?.is_none() {
                created?;
            }
        }
        let mut key = self.find_existing(key_id).await?;
        if key.state == State::PreActive {
            let request = ActivateRequest { unique_identifier: identifier_of(&key.identifier) };
            let activated = self.ask(request).await;
            // The answer may be lost and the request repeated: what counts is the state.
            key = self.find_existing(key_id).await?;
            if key.state == State::PreActive {
                activated?;
            }
        }
        match key.state {
            State::Active => Ok(()),
            state => Err(KeyServerError::server(format!(
                "Master key {key_id} is {state:?} at the key server and cannot be used. Give the \
                 rekey up and start another."
            ))),
        }
    }

    /// Finds the key, which must be there.
    async fn find_existing(&self, key_id: KeyId) -> Result<FoundKey, KeyServerError> {
        self.find_only(key_id).await?.ok_or_else(|| {
            KeyServerError::server(format!(
                "The key server has no master key {key_id}, or does not show it to this client. \
                 Restore the key, or the certificate that it was made under."
            ))
        })
    }

    async fn fetch(&self, key_id: KeyId) -> Result<MasterKey, KeyServerError> {
        let identifier = self.find_existing(key_id).await?.identifier;
        let request = GetRequest {
            unique_identifier: identifier_of(&identifier),
            key_format_type: Some(KeyFormatType::Raw),
            key_wrap_type: None,
            key_compression_type: None,
            key_wrapping_specification: None,
        };
        let got = self.ask(request).await?;
        let bytes = got.object.key_block().and_then(|block| block.bytes());
        bytes.and_then(MasterKey::from_bytes).ok_or_else(|| {
            KeyServerError::server(format!(
                "Master key {key_id} is no AES-256 key in the clear at the key server."
            ))
        })
    }

    /// Destroys every object of this `keyID`, should there be several. The caller holds a
    /// [`RetiredKey`].
    async fn destroy(&self, key_id: KeyId) -> Result<(), KeyServerError> {
        for FoundKey { identifier, state } in self.find_all(key_id).await? {
            if state == State::Active {
                let reason = RevocationReason {
                    code: RevocationReasonCode::CessationOfOperation,
                    message: Some("The master key was replaced.".to_owned()),
                };
                ignore_absent(self.0.request(RevokeRequest {
                    unique_identifier: identifier_of(&identifier),
                    revocation_reason: reason,
                    compromise_occurrence_date: None,
                }))
                .await?;
            }
            let request = DestroyRequest { unique_identifier: identifier_of(&identifier) };
            ignore_absent(self.0.request(request)).await?;
        }
        Ok(())
    }

    /// Finds the one key of this `keyID`, if there is one.
    async fn find_only(&self, key_id: KeyId) -> Result<Option<FoundKey>, KeyServerError> {
        let mut found = self.find_all(key_id).await?;
        match (found.pop(), found.is_empty()) {
            (only, true) => Ok(only),
            (_, false) => Err(KeyServerError::server(format!(
                "The key server has {} objects with attribute {}, and nobody can tell which is \
                 the master key.",
                found.len().saturating_add(1),
                key_id.attribute_name()
            ))),
        }
    }

    /// Finds the objects that carry the attribute of this `keyID` and are not destroyed.
    async fn find_all(&self, key_id: KeyId) -> Result<Vec<FoundKey>, KeyServerError> {
        let attributes: Filter =
            [AttributeValue::Vendor(key_id_attribute(key_id))].into_iter().collect();
        let maximum_items = Some(LOCATED_MAX);
        let request = LocateRequest { attributes, maximum_items, ..LocateRequest::default() };
        let mut found = Vec::new();
        for identifier in self.ask(request).await?.unique_identifiers {
            if let Some(state) = self.state_of(&identifier, key_id).await?
                && !matches!(state, State::Destroyed | State::DestroyedCompromised)
            {
                found.push(FoundKey { identifier, state });
            }
        }
        Ok(found)
    }

    /// Returns the object's state, if it is a key of this `keyID`.
    async fn state_of(
        &self,
        identifier: &str,
        key_id: KeyId,
    ) -> Result<Option<State>, KeyServerError> {
        let expected = AttributeValue::Vendor(key_id_attribute(key_id));
        let request = GetAttributesRequest {
            unique_identifier: identifier_of(identifier),
            attributes: vec![AttributeReference::Standard(tags::State), expected.reference()],
        };
        let answered = match self.0.request(request).await {
            Ok(answered) => answered.attributes.0,
            // Destroyed since it was located.
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !answered.iter().any(|attribute| attribute.value == expected) {
            return Ok(None);
        }
        let state = answered.into_iter().find_map(|attribute| {
            if let AttributeValue::State(state) = attribute.value { Some(state) } else { None }
        });
        let untold = || KeyServerError::server("The key server does not tell a key's state.");
        state.map(Some).ok_or_else(untold)
    }

    async fn ask<R: Request>(&self, request: R) -> Result<R::Response, KeyServerError> {
        Ok(self.0.request(request).await?)
    }
}

/// Succeeds also if the object is gone already, or revoked.
async fn ignore_absent<T>(
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<(), KeyServerError> {
    match asked.await {
        Ok(_) => Ok(()),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) if error.reason() == Some(ResultReason::WrongKeyLifecycleState) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the server says that there is no such object; 1.x and 2.x have their own words for it.
fn is_absent(error: &Error) -> bool {
    matches!(
        error.reason(),
        Some(
            ResultReason::ItemNotFound
                | ResultReason::ObjectNotFound
                | ResultReason::ObjectDestroyed
        )
    )
}

fn identifier_of(identifier: &str) -> Option<Identifier> {
    Some(Identifier::from(identifier))
}

/// The custom attribute with the `keyID`; 1.x writes it as `x-SolidFire-KeyID-<keyID>`.
fn key_id_attribute(key_id: KeyId) -> VendorAttribute {
    VendorAttribute::text(&name(key_id), &key_id.to_string())
}

fn name(key_id: KeyId) -> String {
    format!("SolidFire-KeyID-{key_id}")
}

fn create(key_id: KeyId) -> CreateRequest {
    // Wrapping is what it is for; a server that knows no wrapping asks for Encrypt and Decrypt.
    let mask = CryptographicUsageMask::Encrypt
        .union(CryptographicUsageMask::Decrypt)
        .union(CryptographicUsageMask::WrapKey)
        .union(CryptographicUsageMask::UnwrapKey);
    let attributes = Attributes::new([
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(MASTER_KEY_BITS),
        AttributeValue::CryptographicUsageMask(mask),
        AttributeValue::Name(Name::text(&name(key_id))),
        AttributeValue::Vendor(key_id_attribute(key_id)),
    ]);
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes,
        protection_storage_masks: None,
    }
}

impl From<Error> for KeyServerError {
    fn from(error: Error) -> Self {
        let message = format!("{error}.");
        match error.kind() {
            ErrorKind::Connection => Self::connection(message),
            ErrorKind::Authentication => Self::authentication(message),
            ErrorKind::Server => Self::server(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{address, create, key_id_attribute};
    use crate::state::key_ring::KeyId;
    use kmip::attributes::AttributeValue;

    #[test]
    fn a_key_is_marked_as_element_marks_it() {
        let key_id = KeyId::random();
        let name = AttributeValue::Vendor(key_id_attribute(key_id)).name();
        assert_eq!(name, key_id.attribute_name());
        let names: Vec<_> = create(key_id).attributes.values().map(|v| v.name()).collect();
        assert!(names.contains(&name) && names.contains(&"Name".to_owned()), "{names:?}");
    }

    #[test]
    fn an_address_of_either_kind_takes_a_port() {
        for (hostname, expected) in [
            ("kms.example", "kms.example:5696"),
            ("10.0.0.1", "10.0.0.1:5696"),
            ("::1", "[::1]:5696"),
            ("[::1]", "[::1]:5696"),
        ] {
            assert_eq!(address(hostname, 5696), expected);
        }
    }
}
