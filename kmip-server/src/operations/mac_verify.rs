//! 1.4, 4.34; 2.1, 6.1.33: is this the code of the data? Whole or in parts.

use kmip::SecretBytes;
use kmip::payload::{MACVerifyRequest, MACVerifyResponse};
use kmip::vocabulary::{Operation, ValidityIndicator};

use crate::crypto::hash::mac::Mac;
use crate::keystore::Context;
use crate::keystore::key_use;
use crate::keystore::streaming::{Part, State, Stream, Terms};
use crate::objects::error::{OperationError, Result};

pub(super) async fn mac_verify(
    cx: &mut Context<'_>,
    request: MACVerifyRequest,
) -> Result<MACVerifyResponse> {
    let part = Part::of(
        cx.version,
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let unique_identifier = cx.identify_in(request.unique_identifier.as_ref(), &part)?;
    let data = cx.data(request.data)?;
    let subject = key_use::subject(cx, &unique_identifier, key_use::MAC_VERIFY).await?;
    let id = Some(unique_identifier.as_str());
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, request.cryptographic_parameters)?;
        let key = subject.secret()?;
        let mac = Mac::new(subject.algorithm(), key.as_bytes(), &parameters)?;
        let terms = Terms::settled(parameters);
        Stream::of(cx, Operation::MACVerify, id, terms, State::Mac(mac))
    } else {
        cx.stream(&part, Operation::MACVerify, id, &Terms::of(request.cryptographic_parameters))?
    };
    stream.keep_proof("MAC Data", request.mac_data.as_deref())?;
    if part == Part::Whole && data.is_none() {
        return Err(OperationError::missing("the request has no Data"));
    }
    let State::Mac(mac) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    mac.update(data.as_ref().map(SecretBytes::as_bytes).unwrap_or_default());
    cx.id_placeholder = Some(unique_identifier.clone());
    if part.ends() {
        let code = (stream.proof.as_ref())
            .ok_or_else(|| OperationError::missing("no part has MAC Data to be verified"))?;
        let validity = match mac.clone().verify(code) {
            true => ValidityIndicator::Valid,
            false => ValidityIndicator::Invalid,
        };
        cx.end(part);
        return Ok(MACVerifyResponse {
            unique_identifier,
            validity_indicator: Some(validity),
            correlation_value: None,
        });
    }
    let correlation_value = Some(cx.go_on(part, stream)?);
    Ok(MACVerifyResponse { unique_identifier, validity_indicator: None, correlation_value })
}
