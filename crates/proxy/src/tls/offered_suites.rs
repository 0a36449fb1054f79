//! Cipher suites that a client offers, noted for the sentence about a handshake that failed.

use std::cell::Cell;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use support::tls_failure::cipher_suites::shares_no_suite;

use super::shown_certificate::ShownCertificate;

tokio::task_local! {
    /// Whether the client of this task's handshake offers none of the proxy's cipher suites.
    pub(super) static NO_COMMON_SUITE: Cell<bool>;
}

/// Resolver of the proxy's certificate that notes what a client offers.
#[derive(Debug)]
pub(super) struct RecordingResolver {
    pub(super) shown: Arc<ShownCertificate>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ResolvesServerCert for RecordingResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let no_common_suite = shares_no_suite(hello.cipher_suites(), &self.provider);
        // Unset outside a handshake, where nothing reads it.
        let _ = NO_COMMON_SUITE.try_with(|noted| noted.set(no_common_suite));
        Some(self.shown.resolve(&hello))
    }
}
