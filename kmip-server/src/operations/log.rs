//! 2.1, 6.1.29: a line of the client's in the server's log, once the batch is durable.
//!
//! It stands there as quoted text with the client's name beside it, so that no line of it can be
//! taken for one of the server's own.

use kmip::payload::{LogRequest, LogResponse};

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

/// The log target of the clients' lines: `kmip_server::clients=off` leaves them out.
const CLIENTS: &str = "kmip_server::clients";

/// The longest line in bytes: a client shall not fill the disk with few requests, and what people
/// write into a log is shorter.
pub(super) const LOG_MESSAGE_MAX: usize = 4096;

pub(super) async fn log(cx: &mut Context<'_>, request: LogRequest) -> Result<LogResponse> {
    let message = request.log_message;
    if message.len() > LOG_MESSAGE_MAX {
        return Err(OperationError::invalid_field(format!(
            "a Log Message may be {LOG_MESSAGE_MAX} bytes long, and this one has {}",
            message.len()
        )));
    }
    let owner = cx.client.owner.clone();
    cx.effects.then(move |_| tracing::info!(target: CLIENTS, %owner, ?message, "a client says"));
    Ok(LogResponse {})
}
