//! 2.1, 6.1.30: a ticket that stands for the client's credentials.

use kmip::payload::{LoginRequest, LoginResponse};

use crate::keystore::Context;
use crate::keystore::login_tickets::{TicketLimits, issue_ticket, terms};
use crate::objects::error::Result;

pub(super) async fn login(cx: &mut Context<'_>, request: LoginRequest) -> Result<LoginResponse> {
    let limits = TicketLimits {
        lease_time: request.lease_time,
        request_count: request.request_count,
        usage_limits: request.usage_limits.as_ref(),
    };
    let terms = terms(cx, &limits)?;
    Ok(LoginResponse { ticket: issue_ticket(cx, terms)? })
}
