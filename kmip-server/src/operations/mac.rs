//! 1.4, 4.33; 2.1, 6.1.32: a code over data with a key that stays here, whole or in parts.

use kmip::SecretBytes;
use kmip::payload::{MACRequest, MACResponse};
use kmip::vocabulary::Operation;

use crate::crypto::hash::mac::Mac;
use crate::keystore::Context;
use crate::keystore::key_use;
use crate::keystore::streaming::{Part, State, Stream, Terms};
use crate::keystore::usage_accounting;
use crate::objects::error::{OperationError, Result};

pub(super) async fn mac(cx: &mut Context<'_>, request: MACRequest) -> Result<MACResponse> {
    let part = Part::of(
        cx.version,
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let unique_identifier = cx.identify_in(request.unique_identifier.as_ref(), &part)?;
    let data = cx.data(request.data)?;
    let subject = key_use::subject(cx, &unique_identifier, key_use::MAC).await?;
    let id = Some(unique_identifier.as_str());
    let mut stream = if part.begins() {
        let parameters = subject.parameters(cx, request.cryptographic_parameters)?;
        let key = subject.secret()?;
        let mac = Mac::new(subject.algorithm(), key.as_bytes(), &parameters)?;
        let terms = Terms::settled(parameters);
        Stream::of(cx, Operation::MAC, id, terms, State::Mac(mac))
    } else {
        cx.stream(&part, Operation::MAC, id, &Terms::of(request.cryptographic_parameters))?
    };
    if part == Part::Whole && data.is_none() {
        return Err(OperationError::missing("the request has no Data"));
    }
    let data = data.as_ref().map(SecretBytes::as_bytes).unwrap_or_default();
    usage_accounting::count_protected(cx, &unique_identifier, &subject.metadata, data.len())
        .await?;
    let State::Mac(mac) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    mac.update(data);
    cx.id_placeholder = Some(unique_identifier.clone());
    if part.ends() {
        let code = mac.clone().finish();
        cx.end(part);
        return Ok(MACResponse {
            unique_identifier,
            mac_data: Some(code.to_vec()),
            correlation_value: None,
        });
    }
    let correlation_value = Some(cx.go_on(part, stream)?);
    Ok(MACResponse { unique_identifier, mac_data: None, correlation_value })
}
