//! The client's end: to which server, and as whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, Error, RootCertStore};
use serde::Deserialize;
use support::quick_ack::QuickAckStream;
use support::tls_failure::{CertificateSummary, failure_at_client};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client};

use super::pem_files::{WrongFile, authorities, identity};
use crate::subject::names;

/// A connection to the server after its handshake.
pub(crate) type ServerStream = client::TlsStream<QuickAckStream>;

/// Where the server is, and how it is known.
pub(crate) struct UpstreamSettings<'a> {
    /// `host:port`.
    pub(crate) address: &'a str,
    /// The name that its certificate must be for; the host if unset.
    pub(crate) name: Option<&'a str>,
    pub(crate) ca: &'a Path,
    /// Certificate and key for clients that have no row of their own.
    pub(crate) default_identity: Option<(&'a Path, &'a Path)>,
    pub(crate) identities: Vec<IdentityFiles>,
}

/// The identity of one inbound client at the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityFiles {
    /// Subject of the client's certificate: the whole name, or the Common Name.
    pub(crate) subject: String,
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// The client's end of TLS.
pub(crate) struct Upstream {
    address: String,
    name: ServerName<'static>,
    default: Option<Identity>,
    of_subjects: Vec<(String, Identity)>,
}

/// Who the proxy is at the server.
struct Identity {
    connector: TlsConnector,
    certificate: CertificateSummary,
}

impl Upstream {
    /// Reads all certificates and keys.
    pub(crate) fn open(settings: UpstreamSettings<'_>) -> Result<Self, String> {
        let host = settings.address.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']));
        let host = host
            .filter(|host| !host.is_empty())
            .ok_or_else(|| format!("upstream {:?} must be HOST:PORT", settings.address))?;
        let name = settings.name.unwrap_or(host);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| format!("upstream name {name:?} must be a DNS name or an IP address"))?;
        let roots = authorities(settings.ca).map_err(|why| why.to_string())?;
        let of_files = |cert: &Path, key: &Path| {
            Identity::open(roots.clone(), cert, key).map_err(|why| why.to_string())
        };
        let default = settings.default_identity.map(|(cert, key)| of_files(cert, key));
        let mut of_subjects = Vec::new();
        for files in &settings.identities {
            of_subjects.push((files.subject.clone(), of_files(&files.cert, &files.key)?));
        }
        let (address, default) = (settings.address.to_owned(), default.transpose()?);
        Ok(Self { address, name, default, of_subjects })
    }

    /// Connects to the server as the identity of this client; the reason if that fails.
    pub(crate) async fn connect(
        &self,
        subject: &str,
        deadline: Duration,
    ) -> Result<ServerStream, String> {
        let identity = self.identity(subject).ok_or_else(|| {
            format!("no upstream identity for the client {subject:?}, and no default one")
        })?;
        let server = &self.address;
        let connected = timeout(deadline, async {
            let tcp = TcpStream::connect(server.as_str())
                .await
                .map_err(|why| format!("cannot connect to {server}: {why}"))?;
            // A message is one write: Nagle's algorithm could only delay it.
            tcp.set_nodelay(true).map_err(|why| why.to_string())?;
            let tcp = QuickAckStream::from(tcp);
            let shaken = identity.connector.connect(self.name.clone(), tcp).await;
            shaken.map_err(|why| {
                let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
                let why = match inner {
                    Some(inner) => {
                        failure_at_client(inner, Some(&identity.certificate)).to_string()
                    }
                    None => why.to_string(),
                };
                format!("TLS with {server} failed: {why}")
            })
        });
        let late = |_| Err(format!("connecting to {server} took more than {deadline:?}"));
        connected.await.unwrap_or_else(late)
    }

    fn identity(&self, subject: &str) -> Option<&Identity> {
        let of_subject = self.of_subjects.iter().find(|(row, _)| names(row, subject));
        of_subject.map(|(_, identity)| identity).or(self.default.as_ref())
    }
}

impl Identity {
    fn open(roots: RootCertStore, cert: &Path, key: &Path) -> Result<Self, WrongFile> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (own, certificate) = identity(cert, key)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| WrongFile::new("certificate", cert, why))?
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        config.resumption = Resumption::disabled();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), certificate })
    }
}
