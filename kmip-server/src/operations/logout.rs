//! 2.1, 6.1.31: a ticket is good no more.

use kmip::payload::{LogoutRequest, LogoutResponse};
use kmip::vocabulary::ResultReason;

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

pub(super) async fn logout(cx: &mut Context<'_>, request: LogoutRequest) -> Result<LogoutResponse> {
    let value = request.ticket.ticket_value;
    if !cx.state.tickets.is_of(value.as_bytes(), &cx.client.owner) {
        return Err(OperationError::new(
            ResultReason::InvalidTicket,
            "the client has no such ticket, or it was good no more",
        ));
    }
    cx.effects.then(move |live| live.tickets.forget(value.as_bytes()));
    Ok(LogoutResponse {})
}
