//! 2.1, 6.1.26 and 11.22: a test case begins or ends, or all is put back. Where the settings do
//! not allow it, which is wherever the server is in use, there is no such operation.
//!
//! Begin and End change nothing, and the log tells of them. At the beginning of a session a client
//! has no objects, defaults or constraints, so Reset forgets all of its own: what other clients
//! have is not its to put back.

use kmip::payload::{Constraints, InteropRequest, InteropResponse};
use kmip::vocabulary::{InteropFunction, ResultReason};

use crate::keystore::Context;
use crate::keystore::{constraints, defaults};
use crate::objects::error::{OperationError, Result};
use crate::objects::index::id_of;
use crate::store::CHANGES_MAX;

/// Rows read at once.
const PAGE: usize = 256;

pub(super) async fn interop(
    cx: &mut Context<'_>,
    request: InteropRequest,
) -> Result<InteropResponse> {
    let function = request.interop_function;
    match function {
        InteropFunction::Begin | InteropFunction::End => {
            if request.interop_identifier.is_none() {
                return Err(OperationError::missing("the request names no Interop Identifier"));
            }
        }
        InteropFunction::Reset => reset(cx).await?,
        other => {
            return Err(OperationError::invalid_field(format!(
                "{other:?} is no Interop Function of this server"
            )));
        }
    }
    let owner = cx.client.owner.clone();
    cx.effects.then(move |_| {
        let test = request.interop_identifier.unwrap_or_default();
        tracing::info!(%owner, ?function, ?test, "a client tests");
    });
    Ok(InteropResponse {})
}

/// Forgets every object of the client, destroyed ones too, and its defaults and constraints.
async fn reset(cx: &mut Context<'_>) -> Result<()> {
    let prefix = cx.index().client();
    loop {
        // What is forgotten is in the rows no more: the first page is always the next one.
        let page = cx.transaction.page(&prefix, None, PAGE).await?;
        let ids: Vec<String> = page.iter().filter_map(|key| id_of(&prefix, key)).collect();
        for id in &ids {
            let metadata = cx.object(id).await?;
            cx.forget(id, &metadata).await?;
            if cx.transaction.changed() > CHANGES_MAX {
                return Err(OperationError::new(
                    ResultReason::ServerLimitExceeded,
                    "the client has more objects than can be forgotten at once: Reset more often, \
                     or begin with an empty store",
                ));
            }
        }
        if ids.is_empty() {
            break;
        }
    }
    cx.id_placeholder = None;
    defaults::keep(cx, None).await?;
    constraints::keep(cx, &Constraints::default()).await
}
