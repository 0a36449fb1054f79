//! 1.4, 4.29; 2.1, 6.1.17: the server encrypts with a key that stays here, whole or in parts.

use kmip::SecretBytes;
use kmip::payload::{EncryptRequest, EncryptResponse};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::Operation;

use super::Context;
use crate::crypto::asymmetric;
use crate::crypto::cipher::{Beginning, Cipher};
use crate::error::{OperationError, Result};
use crate::streams::{Part, State, Stream};
use crate::using::Subject;
use crate::{usage, using};

pub(super) async fn encrypt(
    cx: &mut Context<'_>,
    request: EncryptRequest,
) -> Result<EncryptResponse> {
    let part =
        Part::of(request.correlation_value, request.init_indicator, request.final_indicator)?;
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let data = cx.data(request.data)?;
    let subject = using::subject(cx, &unique_identifier, using::ENCRYPT).await?;
    if subject.is_of_a_pair() {
        return with_pair(cx, &subject, part, request.cryptographic_parameters, data).await;
    }
    let mut iv_counter_nonce = None;
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, request.cryptographic_parameters)?;
        let algorithm = subject.cipher(&parameters)?;
        let additional = request.authenticated_encryption_additional_data;
        let beginning = Beginning {
            vector: request.iv_counter_nonce.as_deref(),
            additional: additional.as_ref().map(SecretBytes::as_bytes).unwrap_or_default(),
            tag: None,
        };
        let key = subject.secret()?;
        let (cipher, made) = Cipher::encryptor(algorithm, key.as_bytes(), &parameters, beginning)?;
        iv_counter_nonce = made;
        Stream::of(cx, Operation::Encrypt, Some(&unique_identifier), State::Cipher(cipher))
    } else {
        cx.stream(&part, Operation::Encrypt, Some(&unique_identifier))?
    };
    if part == Part::Whole && data.is_none() {
        return Err(OperationError::missing("the request has no Data"));
    }
    let data = data.as_ref().map(SecretBytes::as_bytes).unwrap_or_default();
    usage::protect(cx, &unique_identifier, &subject.metadata, data.len()).await?;
    let State::Cipher(cipher) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    cx.id_placeholder = Some(unique_identifier.clone());
    if part.ends() {
        let finished = cipher.clone().finish(data)?;
        cx.end(part);
        return Ok(EncryptResponse {
            unique_identifier,
            data: Some(SecretBytes::new(&finished.data)),
            iv_counter_nonce,
            correlation_value: None,
            authenticated_encryption_tag: finished.tag,
        });
    }
    let out = cipher.update(data)?;
    Ok(EncryptResponse {
        unique_identifier,
        data: (!out.is_empty()).then(|| SecretBytes::new(&out)),
        iv_counter_nonce,
        correlation_value: Some(cx.go_on(part, stream)?),
        authenticated_encryption_tag: None,
    })
}

/// A public key encrypts a message in one piece: it is no longer than the key.
async fn with_pair(
    cx: &mut Context<'_>,
    subject: &Subject,
    part: Part,
    parameters: Option<Box<CryptographicParameters>>,
    data: Option<SecretBytes>,
) -> Result<EncryptResponse> {
    if part != Part::Whole {
        return Err(OperationError::invalid_field(
            "a key of a pair encrypts a message in one part",
        ));
    }
    let data = data.ok_or_else(|| OperationError::missing("the request has no Data"))?;
    let parameters = subject.parameters(cx, parameters)?;
    let encrypted = asymmetric::encrypt(&subject.key()?, &parameters, data.as_bytes())?;
    usage::protect(cx, &subject.id, &subject.metadata, data.as_bytes().len()).await?;
    cx.id_placeholder = Some(subject.id.clone());
    Ok(EncryptResponse {
        unique_identifier: subject.id.clone(),
        data: Some(SecretBytes::new(&encrypted)),
        iv_counter_nonce: None,
        correlation_value: None,
        authenticated_encryption_tag: None,
    })
}
