//! 1.4, 4.30; 2.1, 6.1.11: the server decrypts with a key that stays here, whole or in parts.
//!
//! What a tag vouches for comes with the last part, once its tag was compared.

use kmip::payload::{DecryptRequest, DecryptResponse};

use crate::keystore::Context;
use crate::keystore::encryption::{self, CipherRequest, CipherResult, Way};
use crate::keystore::streaming::Part;
use crate::objects::error::Result;

pub(super) async fn decrypt(
    cx: &mut Context<'_>,
    request: DecryptRequest,
) -> Result<DecryptResponse> {
    let part = Part::of(
        cx.version,
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let asked = CipherRequest {
        unique_identifier: request.unique_identifier,
        parameters: request.cryptographic_parameters,
        data: request.data,
        part,
        vector: request.iv_counter_nonce,
        additional: request.authenticated_encryption_additional_data,
        tag: request.authenticated_encryption_tag,
    };
    let CipherResult { unique_identifier, data, correlation, .. } =
        encryption::run(cx, Way::Back, asked).await?;
    Ok(DecryptResponse { unique_identifier, data, correlation_value: correlation })
}
