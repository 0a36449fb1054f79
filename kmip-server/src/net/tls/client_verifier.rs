//! The check of a client's certificate, and what it looked at.

use std::cell::RefCell;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use support::tls_failure::cipher_suites::shares_no_suite;
use support::tls_failure::{CertificateSummary, PresentedCertificate};

use crate::crypto::x509::certificate::Certificate;

tokio::task_local! {
    /// The certificate that the client of this task's handshake showed: rustls drops it on failure.
    pub(super) static SHOWN: RefCell<PresentedChain>;
}

/// What is known of the client's certificate while a handshake goes on.
#[derive(Default)]
pub(super) struct PresentedChain {
    /// The certificate, if it could be read.
    pub(super) leaf: Option<Certificate>,
    /// Whether the chain was found good; what fails after it is the handshake's signature.
    pub(super) trusted: bool,
    /// Whether the client offers none of the server's cipher suites.
    pub(super) no_common_suite: bool,
}

impl PresentedChain {
    /// The certificate as the text of a failure needs it.
    pub(super) fn presented(&self) -> PresentedCertificate {
        let leaf = self.leaf.as_ref();
        PresentedCertificate {
            title: leaf.map_or("the client", Certificate::title).to_owned(),
            leaf: leaf.map(|leaf| CertificateSummary {
                subject: leaf.subject.clone(),
                issuer: leaf.issuer.clone(),
                not_before: leaf.validity.0,
                not_after: leaf.validity.1,
            }),
            chain_verified: self.trusted,
            no_common_suite: self.no_common_suite,
        }
    }
}

/// Resolver of the server's certificate, which also notes what a client offers: rustls looks for a
/// group before it looks for a cipher suite.
#[derive(Debug)]
pub(super) struct RecordingResolver {
    pub(super) resolver: SingleCertAndKey,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ResolvesServerCert for RecordingResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let no_common_suite = shares_no_suite(hello.cipher_suites(), &self.provider);
        // Outside a handshake of ours nobody asks for it.
        let _ = SHOWN.try_with(|shown| shown.borrow_mut().no_common_suite = no_common_suite);
        self.resolver.resolve(hello)
    }
}

/// WebPKI's verifier, which also remembers for the log what it looked at.
///
/// It is stricter in one thing: WebPKI takes a certificate without extended key usage for any use,
/// and this port wants clientAuth said, so that no server's certificate passes for a client's.
#[derive(Debug)]
pub(super) struct RecordingVerifier(pub(super) Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for RecordingVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let leaf = Certificate::parse(end_entity).ok();
        let named = leaf.as_ref().is_some_and(|leaf| leaf.usage.client);
        let note = |trusted| {
            // Outside a handshake of ours nobody asks for it.
            let _ = SHOWN.try_with(|shown| {
                let no_common_suite = shown.borrow().no_common_suite;
                shown.replace(PresentedChain { leaf, trusted, no_common_suite });
            });
        };
        let verified = self.0.verify_client_cert(end_entity, intermediates, now);
        let verified = match verified {
            Ok(_) if !named => Err(CertificateError::InvalidPurpose.into()),
            other => other,
        };
        note(verified.is_ok());
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
