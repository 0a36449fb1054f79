//! 1.4, 4.30; 2.1, 6.1.11: the server decrypts with a key that stays here, whole or in parts.
//!
//! What a tag vouches for comes with the last part, once its tag was compared.

use kmip::SecretBytes;
use kmip::payload::{DecryptRequest, DecryptResponse};
use kmip::vocabulary::Operation;

use super::Context;
use crate::crypto::cipher::{Beginning, Cipher};
use crate::error::{OperationError, Result};
use crate::streams::{Part, State, Stream};
use crate::using;

pub(super) async fn decrypt(
    cx: &mut Context<'_>,
    request: DecryptRequest,
) -> Result<DecryptResponse> {
    let part =
        Part::of(request.correlation_value, request.init_indicator, request.final_indicator)?;
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let data = cx.data(request.data)?;
    let subject = using::subject(cx, &unique_identifier, using::DECRYPT).await?;
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, request.cryptographic_parameters)?;
        let algorithm = subject.cipher(&parameters)?;
        let additional = request.authenticated_encryption_additional_data;
        let beginning = Beginning {
            vector: request.iv_counter_nonce.as_deref(),
            additional: additional.as_ref().map(SecretBytes::as_bytes).unwrap_or_default(),
            tag: request.authenticated_encryption_tag.as_deref(),
        };
        let key = subject.secret()?;
        let cipher = Cipher::decryptor(algorithm, key.as_bytes(), &parameters, beginning)?;
        Stream::of(cx, Operation::Decrypt, Some(&unique_identifier), State::Cipher(cipher))
    } else {
        cx.stream(&part, Operation::Decrypt, Some(&unique_identifier))?
    };
    if part == Part::Whole && data.is_none() {
        return Err(OperationError::missing("the request has no Data"));
    }
    let data = data.as_ref().map(SecretBytes::as_bytes).unwrap_or_default();
    let State::Cipher(cipher) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    cx.id_placeholder = Some(unique_identifier.clone());
    if part.ends() {
        let finished = cipher.clone().finish(data)?;
        cx.end(part);
        return Ok(DecryptResponse {
            unique_identifier,
            data: Some(SecretBytes::new(&finished.data)),
            correlation_value: None,
        });
    }
    let out = cipher.update(data)?;
    Ok(DecryptResponse {
        unique_identifier,
        data: (!out.is_empty()).then(|| SecretBytes::new(&out)),
        correlation_value: Some(cx.go_on(part, stream)?),
    })
}
