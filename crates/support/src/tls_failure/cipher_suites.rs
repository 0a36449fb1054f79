//! Cipher suites that a client offers.

use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;

/// Returns whether none of the cipher suites that a client offers is the provider's. rustls looks
/// for a key exchange group before it looks for a suite, so its error does not report that.
pub fn shares_no_suite(offered: &[CipherSuite], provider: &CryptoProvider) -> bool {
    !provider.cipher_suites.iter().any(|suite| offered.contains(&suite.suite()))
}
