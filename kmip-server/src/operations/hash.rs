//! 1.4, 4.37; 2.1, 6.1.24: a digest of data, whole or in parts.

use kmip::SecretBytes;
use kmip::payload::{HashRequest, HashResponse};
use kmip::vocabulary::Operation;

use crate::crypto::hash;
use crate::keystore::Context;
use crate::keystore::streaming::{Part, State, Stream, Terms};
use crate::objects::error::{OperationError, Result};

pub(super) async fn hash(cx: &mut Context<'_>, request: HashRequest) -> Result<HashResponse> {
    let part = Part::of(
        cx.version,
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let data = cx.data(request.data)?;
    let parameters = request.cryptographic_parameters;
    let mut stream = if part.begins() {
        let algorithm = parameters.hashing_algorithm.ok_or_else(|| {
            OperationError::missing("the Cryptographic Parameters name no Hashing Algorithm")
        })?;
        cx.policy.disabled.check_hash(algorithm)?;
        let state = State::Hash(hash::hash(algorithm)?);
        Stream::of(cx, Operation::Hash, None, Terms::settled(*parameters), state)
    } else {
        cx.stream(&part, Operation::Hash, None, &Terms::of(Some(parameters)))?
    };
    if part == Part::Whole && data.is_none() {
        return Err(OperationError::missing("the request has no Data"));
    }
    let State::Hash(hash) = &mut stream.state else {
        return Err(OperationError::internal("go on with the stream"));
    };
    hash.update(data.as_ref().map(SecretBytes::as_bytes).unwrap_or_default());
    if part.ends() {
        let digest = hash.clone().finish();
        cx.end(part);
        return Ok(HashResponse { data: Some(SecretBytes::new(&digest)), correlation_value: None });
    }
    let correlation_value = Some(cx.go_on(part, stream)?);
    Ok(HashResponse { data: None, correlation_value })
}
