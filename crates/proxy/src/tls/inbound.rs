//! The server's end: which clients come in, and what their certificate says of them.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{Error, ServerConfig};
use support::quick_ack::QuickAckStream;
use support::tls_failure::{PresentedCertificate, failure_at_server, transport_failure};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server};

use super::offered_suites::{NO_COMMON_SUITE, RecordingResolver};
use super::pem_files::{WrongFile, authorities, identity, summary};
use super::shown_certificate::ShownCertificate;

/// A client's connection after its handshake.
pub(crate) type ClientStream = server::TlsStream<QuickAckStream>;

/// The server's end of TLS.
pub(crate) struct Inbound {
    acceptor: TlsAcceptor,
    client_ca: PathBuf,
    shown: Arc<ShownCertificate>,
}

/// A client that has come in.
pub(crate) struct Inlet {
    pub(crate) stream: ClientStream,
    /// Subject of its certificate.
    pub(crate) subject: String,
}

impl Inbound {
    /// Reads our certificate and key, and the authorities of clients. Certificates of the folder
    /// `others` can be shown in place of our own.
    pub(crate) fn open(
        cert: &Path,
        key: &Path,
        client_ca: &Path,
        others: Option<&Path>,
    ) -> Result<Self, WrongFile> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (own, _) = identity(cert, key)?;
        let shown = Arc::new(ShownCertificate::new(own, others));
        let own = RecordingResolver { shown: Arc::clone(&shown), provider: Arc::clone(&provider) };
        let roots = Arc::new(authorities(client_ca)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|why| WrongFile::new("list of authorities", client_ca, why))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| WrongFile::new("certificate", cert, why))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(own));
        // A resumed session is not checked again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, client_ca: client_ca.to_owned(), shown })
    }

    /// The certificate that clients are shown.
    pub(crate) const fn shown(&self) -> &Arc<ShownCertificate> {
        &self.shown
    }

    /// Shakes hands with a client within `deadline`; the reason if that fails.
    pub(crate) async fn accept(&self, tcp: TcpStream, deadline: Duration) -> Result<Inlet, String> {
        let shaken = NO_COMMON_SUITE.scope(Cell::default(), async {
            let accepted = self.acceptor.accept(QuickAckStream::from(tcp)).await;
            accepted.map_err(|why| self.failure(&why, NO_COMMON_SUITE.with(Cell::get)))
        });
        let late = |_| Err(format!("the handshake took more than {deadline:?}"));
        let stream = timeout(deadline, shaken).await.unwrap_or_else(late)?;
        let (_, session) = stream.get_ref();
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        let leaf = leaf.and_then(|leaf| summary(leaf));
        let leaf = leaf.ok_or("the client's certificate cannot be read")?;
        Ok(Inlet { stream, subject: leaf.subject })
    }

    fn failure(&self, why: &io::Error, no_common_suite: bool) -> String {
        let presented = PresentedCertificate {
            title: "the client".to_owned(),
            leaf: None,
            chain_verified: false,
            no_common_suite,
        };
        match why.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(inner) => failure_at_server(inner, &presented, &self.client_ca),
            None => transport_failure(why),
        }
    }
}
