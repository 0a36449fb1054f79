//! 1.4, 4.35; 2.1, 6.1.49: random bytes.

use kmip::SecretBytes;
use kmip::payload::{RNGRetrieveRequest, RNGRetrieveResponse};
use kmip::vocabulary::ResultReason;

use crate::crypto::random::RANDOM_LEN_MAX;
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

pub(super) async fn rng_retrieve(
    cx: &mut Context<'_>,
    request: RNGRetrieveRequest,
) -> Result<RNGRetrieveResponse> {
    let len = usize::try_from(request.data_length)
        .map_err(|_| OperationError::invalid_field("Data Length is less than nothing"))?;
    if len > RANDOM_LEN_MAX {
        return Err(OperationError::new(
            ResultReason::ServerLimitExceeded,
            format!("this server gives {RANDOM_LEN_MAX} random bytes at once and no more"),
        ));
    }
    let bytes = cx.state.pool().bytes(len)?;
    Ok(RNGRetrieveResponse { data: SecretBytes::new(&bytes) })
}
