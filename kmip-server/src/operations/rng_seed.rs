//! 1.4, 4.36; 2.1, 6.1.50: what a client adds to the server's chance, if the settings let it.

use kmip::SecretBytes;
use kmip::payload::{RNGSeedRequest, RNGSeedResponse};
use kmip::vocabulary::ResultReason;

use crate::config::RngSeed;
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

/// How many bytes are used when the settings say "some".
const SOME_LEN: usize = 16;

pub(super) async fn rng_seed(
    cx: &mut Context<'_>,
    request: RNGSeedRequest,
) -> Result<RNGSeedResponse> {
    let seed = cx.data(Some(request.data))?.unwrap_or_default();
    let len = match cx.policy.rng_seed {
        RngSeed::All => seed.as_bytes().len(),
        RngSeed::Some => seed.as_bytes().len().min(SOME_LEN),
        RngSeed::None => 0,
        RngSeed::Refuse => {
            return Err(OperationError::new(
                ResultReason::PermissionDenied,
                "the settings of this server let no client seed its random bytes",
            ));
        }
    };
    let used = SecretBytes::new(seed.as_bytes().get(..len).unwrap_or_default());
    if len > 0 {
        cx.effects.then(move |live| live.stir(used.as_bytes()));
    }
    let data_length = i32::try_from(len)
        .map_err(|_| OperationError::invalid_field("the seed is longer than can be answered"))?;
    Ok(RNGSeedResponse { data_length })
}
