//! 1.4, 4.22; 2.1, 6.1.4: the client needs an object no more for a while. From its Archive Date on
//! every operation but Recover refuses it, and Locate finds it only when asked for the archive.
//!
//! The archive is the store itself: its records are sealed as all are, and it has no slower place.

use kmip::attributes::AttributeValue;
use kmip::payload::{ArchiveRequest, ArchiveResponse};

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn archive(
    cx: &mut Context<'_>,
    request: ArchiveRequest,
) -> Result<ArchiveResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let mut new = old.clone();
    new.set(AttributeValue::ArchiveDate(cx.now));
    cx.update(&unique_identifier, &old, new).await?;
    Ok(ArchiveResponse { unique_identifier })
}
