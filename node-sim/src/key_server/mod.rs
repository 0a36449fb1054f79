//! Client of the key servers that hold external master keys.
//!
//! [`KeyServerClient`] knows keys by the cluster's `keyID`, and every call names the node that
//! makes it, because each node has its own session with each host. It does not retry, raises no
//! fault and touches no ledger. It reports what a host proved: bytes that have the Digest that the
//! server keeps of them, a destruction that was read back. That a host does not show a key proves
//! nothing: it may be a replica without it, or another server.

pub(crate) mod certificate_checks;
pub(crate) mod client_key_pair;
mod digest;
mod error;
mod host_inventory;
mod host_session;
#[cfg(test)]
pub(crate) mod in_memory;
mod key_destruction;
pub(crate) mod kmip_client;
pub(crate) mod message_trace;
pub(crate) mod object_inventory;

use self::certificate_checks::fingerprint;
use self::object_inventory::ObjectInventory;
use crate::crypto::master_key::MasterKey;
use crate::state::key_ring::{KeyId, KeyOrigin, KnownKey, NodeId, RetiredKey};
use crate::state::key_server_registry::{KeyServerId, KeyServerKmip};
use kmip::vocabulary::State;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use zeroize::Zeroizing;

pub use error::KeyServerError;

/// Address of one key server, and the credentials of the cluster there.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyServerAccess {
    /// Element's id of the server.
    pub key_server_id: KeyServerId,
    /// Its names, port and certificates.
    pub server: KeyServerKmip,
    /// The private key of the client certificate, PEM.
    pub client_key: Zeroizing<String>,
}

impl KeyServerAccess {
    fn certificate_fingerprint(&self) -> String {
        fingerprint(&self.server.client_certificate)
    }

    /// The hosts of the server as `host:port`, with an IPv6 address in brackets.
    fn hosts(&self) -> impl Iterator<Item = String> {
        self.server.hostnames.iter().map(|hostname| address(hostname, self.server.port))
    }
}

impl fmt::Debug for KeyServerAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyServerAccess")
            .field("key_server_id", &self.key_server_id)
            .field("hostnames", &self.server.hostnames)
            .field("port", &self.server.port)
            .finish_non_exhaustive()
    }
}

/// Key servers that hold the same keys, as one node reaches them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProviderAccess {
    /// The node whose sessions are used.
    pub node_id: NodeId,
    /// The servers that hold the same keys, tried in order.
    pub servers: Vec<KeyServerAccess>,
}

/// Why the origin of a key cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OriginLost {
    /// The host is not a host of the provider any more.
    Host,
    /// The client certificate was replaced.
    Certificate,
}

impl OriginLost {
    /// The end of a sentence about a key that is or was to be created there.
    fn text(self, origin: &KeyOrigin) -> String {
        let host = &origin.host;
        match self {
            Self::Host => format!("at {host}, which is not a host of the key provider any more"),
            Self::Certificate => {
                format!("at {host} under another client certificate than the present one")
            }
        }
    }
}

impl KeyProviderAccess {
    /// Returns the origin that a key has if this host is asked to create it now.
    fn origin(&self, host: String) -> KeyOrigin {
        let access = self.hosts().find(|(_, name)| *name == host).map(|(access, _)| access);
        let client_certificate = access.map(KeyServerAccess::certificate_fingerprint);
        KeyOrigin { host, client_certificate }
    }

    /// Returns the server of a host that is reached as it was when this origin was chosen.
    fn server_of(&self, origin: &KeyOrigin) -> Result<&KeyServerAccess, OriginLost> {
        let host = self.hosts().find(|(_, name)| *name == origin.host);
        let (access, _) = host.ok_or(OriginLost::Host)?;
        match &origin.client_certificate {
            Some(known) if *known != access.certificate_fingerprint() => {
                Err(OriginLost::Certificate)
            }
            Some(_) | None => Ok(access),
        }
    }

    /// The hosts of the provider in the order in which they are tried, each with its server.
    fn hosts(&self) -> impl Iterator<Item = (&KeyServerAccess, String)> {
        self.servers.iter().flat_map(|access| access.hosts().map(move |host| (access, host)))
    }
}

/// A key that was fetched, and what the host showed of it.
#[derive(Debug)]
pub struct FetchedKey {
    /// The key.
    pub key: MasterKey,
    /// The host that answered, as `host:port`.
    pub host: String,
    /// The server's Unique Identifier of the key.
    pub identifier: String,
    /// What the server's Digest says of the bytes.
    pub digest: DigestProof,
}

/// What the Digest that a server keeps of a key says of the bytes that it answered (KMIP 1.4,
/// 3.17). Bytes that do not have it are an error and never returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestProof {
    /// The server keeps a Digest of the key, and the bytes have it.
    Matches,
    /// The server does not keep one that can be compared.
    NotGiven,
}

/// Outcome of destroying a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destruction {
    /// A host that showed the key shows it as destroyed, or answered Destroy with success and does
    /// not show it any more; no host shows it living, and all hosts were reached.
    Confirmed,
    /// All hosts were reached and none shows the key, living or destroyed: nothing proves that it
    /// does not exist any more.
    NotConfirmed {
        /// The hosts, for people.
        reason: String,
        /// The host that was to create the key is one of them, and was asked under the same client
        /// certificate.
        origin_asked: bool,
    },
}

/// What one host shows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReport {
    /// Element's id of the server.
    pub key_server_id: KeyServerId,
    /// The host, as `host:port`.
    pub host: String,
    /// The key, if the host shows it; or why the host cannot be used.
    pub shown: Result<Option<ShownKey>, KeyServerError>,
}

/// A key as a host shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// The server's Unique Identifier.
    pub identifier: String,
    /// Its State.
    pub state: State,
}

/// Result of a call to a key server, once it is there.
pub type KeyServerFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, KeyServerError>> + Send + 'a>>;

/// What the hosts of a provider show, once they were all asked.
pub type SurveyFuture<'a> = Pin<Box<dyn Future<Output = Vec<HostReport>> + Send + 'a>>;

/// Client of key servers. Every call may be repeated after a crash or a lost response. If several
/// hosts were tried and all failed, the error names each of them.
pub trait KeyServerClient: Send + Sync {
    /// Tests that the key servers can be used: at least one host is reached, trusted both ways, and
    /// offers the operations.
    fn test<'a>(&'a self, provider: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()>;

    /// Returns the first host that can be used. A new key is created there. The caller makes the
    /// choice durable before it calls [`Self::ensure`], so that no other host, and no host under
    /// another client certificate, is ever asked to create the key.
    fn choose_host<'a>(&'a self, provider: &'a KeyProviderAccess)
    -> KeyServerFuture<'a, KeyOrigin>;

    /// Finds the key by its `keyID` at this host, or creates it there, and activates it. However
    /// often and however late this is called, there is one key of this `keyID`.
    fn ensure<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        origin: &'a KeyOrigin,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, ()>;

    /// Fetches the key for this node from the first host that shows it and answers bytes that have
    /// the server's Digest and, if it is known, the key's check value.
    fn fetch<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
        known: &'a KnownKey,
    ) -> KeyServerFuture<'a, FetchedKey>;

    /// Destroys the key at every host that shows it, and reads the destruction back. A host that
    /// cannot be reached, a lost answer and a destruction that is not shown afterwards are errors:
    /// the caller tries again.
    fn destroy<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key: &'a RetiredKey,
    ) -> KeyServerFuture<'a, Destruction>;

    /// Lists the objects that the first host that can be used shows, without their bytes.
    fn inventory<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
    ) -> KeyServerFuture<'a, ObjectInventory>;

    /// Revokes and destroys an object at the first host that can be used, whatever it is.
    fn destroy_object<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        unique_identifier: &'a str,
    ) -> KeyServerFuture<'a, ()>;

    /// Reports what each host of the provider shows of this key, without fetching its bytes. Hosts
    /// are asked at the same time.
    fn survey<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
        identifier: Option<&'a str>,
    ) -> SurveyFuture<'a>;
}

/// `host:port`, with an IPv6 address in brackets.
fn address(hostname: &str, port: u16) -> String {
    if hostname.contains(':') && !hostname.starts_with('[') {
        format!("[{hostname}]:{port}")
    } else {
        format!("{hostname}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::address;

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
