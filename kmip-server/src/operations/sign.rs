//! 1.4, 4.31; 2.1, 6.1.55: the server signs with a key that stays here, whole or in parts.

use kmip::SecretBytes;
use kmip::payload::{SignRequest, SignResponse};
use kmip::vocabulary::Operation;

use crate::crypto::asymmetric::signature::Message;
use crate::keystore::Context;
use crate::keystore::key_use;
use crate::keystore::streaming::{Part, State, Stream, Terms};
use crate::keystore::usage_accounting;
use crate::objects::error::{OperationError, Result};

pub(super) async fn sign(cx: &mut Context<'_>, request: SignRequest) -> Result<SignResponse> {
    let part = Part::of(
        cx.version,
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let unique_identifier = cx.identify_in(request.unique_identifier.as_ref(), &part)?;
    let data = cx.data(request.data)?;
    let subject = key_use::subject(cx, &unique_identifier, key_use::SIGN).await?;
    let key = subject.key()?;
    let id = Some(unique_identifier.as_str());
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, request.cryptographic_parameters)?;
        let message = Message::begin(&key, &parameters)?;
        let terms = Terms::settled(parameters);
        Stream::of(cx, Operation::Sign, id, terms, State::Message(message))
    } else {
        cx.stream(&part, Operation::Sign, id, &Terms::of(request.cryptographic_parameters))?
    };
    let State::Message(message) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    message.take(
        part == Part::Whole,
        data.as_ref().map(SecretBytes::as_bytes),
        request.digested_data.as_ref().map(SecretBytes::as_bytes),
    )?;
    let len = data.as_ref().map_or(0, |data| data.as_bytes().len());
    usage_accounting::count_protected(cx, &unique_identifier, &subject.metadata, len).await?;
    cx.id_placeholder = Some(unique_identifier.clone());
    if part.ends() {
        let signature = message.clone().sign(&key)?;
        cx.end(part);
        return Ok(SignResponse {
            unique_identifier,
            signature_data: Some(signature),
            correlation_value: None,
        });
    }
    let correlation_value = Some(cx.go_on(part, stream)?);
    Ok(SignResponse { unique_identifier, signature_data: None, correlation_value })
}
