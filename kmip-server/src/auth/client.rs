//! Who is asking: the client is its certificate.
//!
//! Whether the certificate may be trusted was decided by the handshake; here it only gets a name.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::sync::watch;

use crate::auth::endpoint_role::Endpoint;
use crate::auth::held_bytes::ClientBytes;
use crate::auth::rights::Rights;
use crate::config::Identity;
use crate::config::limits::OWNER_LEN_MAX;
use crate::crypto::x509::certificate::{Certificate, hex};
use crate::objects::index::OwnRows;
use crate::store::Key;

/// The certificates that a client showed, in DER: its own, and those between it and its authority.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CertificateChain(pub Vec<Vec<u8>>);

/// The authorities whose clients may connect, as far as an operation needs them.
pub(crate) trait ClientAuthorities: Send + Sync {
    /// Would a client with these certificates be let in now? If not, why.
    fn check(&self, chain: &CertificateChain) -> Result<(), String>;
}

/// The client that sent a message, as its certificate names it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The owner of what this client makes: stable over a renewal of the certificate.
    pub owner: String,
    /// Where it speaks from; for the log alone.
    pub peer: SocketAddr,
    /// The certificate that it showed; nothing where no certificate was (tests, other doors).
    pub certificate: Option<Certificate>,
    /// All certificates that it showed.
    pub(crate) chain: Option<Arc<CertificateChain>>,
    /// The row of the store that says whether the certificate was replaced, where a server has
    /// worked it out once for all messages of a connection.
    pub(crate) replaced_row: Option<Key>,
    /// The rows of the owner, likewise.
    pub(crate) own_rows: Option<Arc<OwnRows>>,
    /// What it may do when it acts for the owner; nothing when it is the owner itself.
    pub rights: Option<Arc<Rights>>,
    /// The roles on its connection, where they can be swapped.
    pub endpoint: Option<Arc<Endpoint>>,
    /// Becomes true when it has closed its connection, where there is one.
    pub(crate) departed: Option<watch::Receiver<bool>>,
    /// What is held for it, on all of its connections.
    pub(crate) held: Option<Arc<ClientBytes>>,
}

impl Client {
    /// A client that owns what belongs to `owner`.
    pub fn new(owner: impl Into<String>, peer: SocketAddr) -> Self {
        Self {
            owner: owner.into(),
            peer,
            certificate: None,
            chain: None,
            replaced_row: None,
            own_rows: None,
            rights: None,
            endpoint: None,
            departed: None,
            held: None,
        }
    }

    /// The client that showed `certificate`, named as the setting says.
    pub fn from_certificate(
        certificate: Certificate,
        identity: Identity,
        peer: SocketAddr,
    ) -> Self {
        let owner = Self::owner_name(&certificate, identity);
        Self { certificate: Some(certificate), ..Self::new(owner, peer) }
    }

    /// The name under which objects belong to the holder; its kind stands before it, so that no
    /// subject can be chosen that reads like another kind's name.
    pub fn owner_name(certificate: &Certificate, identity: Identity) -> String {
        let named = match identity {
            Identity::Subject if !certificate.subject.is_empty() => {
                format!("subject:{}", certificate.subject)
            }
            Identity::Subject => match certificate.names.first() {
                Some(name) => format!("name:{name}"),
                None => format!("sha256:{}", certificate.fingerprint),
            },
            Identity::Fingerprint => format!("sha256:{}", certificate.fingerprint),
        };
        if named.len() <= OWNER_LEN_MAX {
            return named;
        }
        format!("digest:{}", hex(digest(&SHA256, named.as_bytes()).as_ref()))
    }

    /// The same client on a connection that may end while it waits, and who says so.
    #[must_use]
    pub(crate) fn on_connection(self) -> (watch::Sender<bool>, Self) {
        let (departure, departed) = watch::channel(false);
        (departure, Self { departed: Some(departed), ..self })
    }

    /// The same client as it acts for the owner of a ticket.
    #[must_use]
    pub(crate) fn acting_for(&self, owner: String, rights: Option<Arc<Rights>>) -> Self {
        Self { owner, rights, own_rows: None, ..self.clone() }
    }
}
