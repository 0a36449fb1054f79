//! 1.4, 4.30; 2.1, 6.1.11: the server decrypts with a key that stays here, whole or in parts.
//!
//! What a tag vouches for comes with the last part, once its tag was compared.

use kmip::SecretBytes;
use kmip::payload::{DecryptRequest, DecryptResponse};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::Operation;

use super::Context;
use crate::crypto::asymmetric;
use crate::crypto::cipher::{Beginning, Cipher};
use crate::error::{OperationError, Result};
use crate::streams::{Part, State, Stream};
use crate::using::{self, Subject};

pub(super) async fn decrypt(
    cx: &mut Context<'_>,
    request: DecryptRequest,
) -> Result<DecryptResponse> {
    let part =
        Part::of(request.correlation_value, request.init_indicator, request.final_indicator)?;
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let data = cx.data(request.data)?;
    let subject = using::subject(cx, &unique_identifier, using::DECRYPT).await?;
    if subject.is_of_a_pair() {
        return with_pair(cx, &subject, &part, request.cryptographic_parameters, data);
    }
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

/// A private key decrypts a message in one piece: it is no longer than the key.
fn with_pair(
    cx: &mut Context<'_>,
    subject: &Subject,
    part: &Part,
    parameters: Option<Box<CryptographicParameters>>,
    data: Option<SecretBytes>,
) -> Result<DecryptResponse> {
    if *part != Part::Whole {
        return Err(OperationError::invalid_field(
            "a key of a pair decrypts a message in one part",
        ));
    }
    let data = data.ok_or_else(|| OperationError::missing("the request has no Data"))?;
    let parameters = subject.parameters(cx, parameters)?;
    let decrypted = asymmetric::decrypt(&subject.key()?, &parameters, data.as_bytes())?;
    cx.id_placeholder = Some(subject.id.clone());
    Ok(DecryptResponse {
        unique_identifier: subject.id.clone(),
        data: Some(SecretBytes::new(&decrypted)),
        correlation_value: None,
    })
}
