//! 1.4, 4.29; 2.1, 6.1.17: the server encrypts with a key that stays here, whole or in parts.

use kmip::payload::{EncryptRequest, EncryptResponse};

use crate::keystore::Context;
use crate::keystore::encryption::{self, CipherRequest, CipherResult, Way};
use crate::keystore::streaming::Part;
use crate::objects::error::Result;

pub(super) async fn encrypt(
    cx: &mut Context<'_>,
    request: EncryptRequest,
) -> Result<EncryptResponse> {
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
        tag: None,
    };
    let CipherResult { unique_identifier, data, vector, correlation, tag } =
        encryption::run(cx, Way::There, asked).await?;
    Ok(EncryptResponse {
        unique_identifier,
        data,
        iv_counter_nonce: vector,
        correlation_value: correlation,
        authenticated_encryption_tag: tag,
    })
}
