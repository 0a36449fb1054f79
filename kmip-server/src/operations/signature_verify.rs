//! 1.4, 4.32; 2.1, 6.1.56: is a signature genuine? Whole or in parts.

use kmip::SecretBytes;
use kmip::payload::{SignatureVerifyRequest, SignatureVerifyResponse};
use kmip::vocabulary::{Operation, ValidityIndicator};

use crate::crypto::asymmetric::signature::Message;
use crate::keystore::Context;
use crate::keystore::key_use;
use crate::keystore::streaming::{Part, State, Stream, Terms};
use crate::objects::error::{OperationError, Result};

pub(super) async fn signature_verify(
    cx: &mut Context<'_>,
    request: SignatureVerifyRequest,
) -> Result<SignatureVerifyResponse> {
    let part = Part::of(
        cx.version,
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let unique_identifier = cx.identify_in(request.unique_identifier.as_ref(), &part)?;
    let data = cx.data(request.data)?;
    let subject = key_use::subject(cx, &unique_identifier, key_use::VERIFY).await?;
    let key = subject.key()?;
    let id = Some(unique_identifier.as_str());
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, request.cryptographic_parameters)?;
        let message = Message::begin(&key, &parameters)?;
        let terms = Terms::settled(parameters);
        Stream::of(cx, Operation::SignatureVerify, id, terms, State::Message(message))
    } else {
        let said = Terms::of(request.cryptographic_parameters);
        cx.stream(&part, Operation::SignatureVerify, id, &said)?
    };
    stream.keep_proof("Signature Data", request.signature_data.as_deref())?;
    let State::Message(message) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    message.take(
        part == Part::Whole,
        data.as_ref().map(SecretBytes::as_bytes),
        request.digested_data.as_ref().map(SecretBytes::as_bytes),
    )?;
    cx.id_placeholder = Some(unique_identifier.clone());
    let mut response = SignatureVerifyResponse {
        unique_identifier,
        validity_indicator: None,
        data: None,
        correlation_value: None,
    };
    if part.ends() {
        let signature = (stream.proof.as_ref())
            .ok_or_else(|| OperationError::missing("no part has Signature Data to be verified"))?;
        let is_valid = message.clone().verify(&key, signature)?;
        response.validity_indicator = Some(match is_valid {
            true => ValidityIndicator::Valid,
            false => ValidityIndicator::Invalid,
        });
        cx.end(part);
    } else {
        response.correlation_value = Some(cx.go_on(part, stream)?);
    }
    Ok(response)
}
