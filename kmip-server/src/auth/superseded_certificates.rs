//! Credentials that their clients have replaced (2.1, 6.1.48): what Re-Provision has made invalid
//! stays so, whatever the handshake thinks of it.
//!
//! ```text
//! x/<hash of the certificate's fingerprint> -> -
//! ```
//!
//! A connection may have been open before; so every message is asked, and not every handshake.

use std::borrow::Cow;

use kmip::vocabulary::ResultReason;

use crate::auth::client::Client;
use crate::crypto::x509::certificate::Certificate;
use crate::objects::error::{OperationError, Result};
use crate::secret::SecretBuffer;
use crate::store::Key;
use crate::store::root_key::IndexKey;
use crate::store::transaction::Transaction;

/// What the keys of the rows begin with.
pub(crate) const ROWS: &[u8] = b"x/";

/// The row of a certificate.
pub(crate) fn row(key: &IndexKey, certificate: &Certificate) -> Key {
    let hash = key.hash(&[b"replaced", certificate.fingerprint.as_bytes()]);
    [ROWS, hash.as_slice()].concat()
}

/// Was the certificate replaced?
pub(crate) async fn is_replaced(
    view: &mut Transaction<'_>,
    key: &IndexKey,
    certificate: &Certificate,
) -> Result<bool> {
    Ok(view.get_guarded(&row(key, certificate)).await?.is_some())
}

/// The certificate is invalid from now on.
pub(crate) async fn mark_superseded(
    view: &mut Transaction<'_>,
    key: &IndexKey,
    certificate: &Certificate,
) -> Result<()> {
    let row = row(key, certificate);
    view.get(&row).await?;
    view.put(row, SecretBuffer::default());
    Ok(())
}

/// Refuses a message under a certificate that its client has replaced. What the message writes is
/// committed only if the certificate is still in use then.
pub(crate) async fn reject_superseded(
    view: &mut Transaction<'_>,
    key: &IndexKey,
    client: &Client,
) -> Result<()> {
    let Some(certificate) = &client.certificate else { return Ok(()) };
    let row = match &client.replaced_row {
        Some(row) => Cow::Borrowed(row.as_slice()),
        None => Cow::Owned(row(key, certificate)),
    };
    match view.get_guarded(&row).await?.is_some() {
        true => Err(OperationError::new(
            ResultReason::AuthenticationNotSuccessful,
            "this certificate was replaced by Re-Provision: connect with the one in its place",
        )),
        false => Ok(()),
    }
}
