//! Tickets of Login and Delegated Login (2.1, 6.1.12 and 6.1.30).

use aws_lc_rs::rand;
use kmip::payload::{Ticket, TicketLease};
use kmip::structures::UsageLimits;
use kmip::vocabulary::{ResultReason, TicketType, UsageLimitsUnit};
use kmip::{DateTime, Interval, SecretBytes};
use zeroize::Zeroizing;

use crate::auth::tickets::{LEASE, LEASE_MAX, PER_CLIENT_MAX, Terms, VALUE_LEN};
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

/// Limits that a request sets on its ticket.
pub(crate) struct TicketLimits<'a> {
    /// The Lease Time of the request.
    pub(crate) lease_time: Option<TicketLease>,
    /// The Request Count of the request.
    pub(crate) request_count: Option<i32>,
    /// The Usage Limits of the request.
    pub(crate) usage_limits: Option<&'a UsageLimits>,
}

/// Returns the terms of a ticket of the client.
pub(crate) fn terms(cx: &Context<'_>, limits: &TicketLimits<'_>) -> Result<Terms> {
    let latest = cx.now.0.saturating_add(LEASE_MAX);
    let until = match limits.lease_time {
        None => cx.now.0.saturating_add(LEASE),
        // No limit of the client's: as long as the server lets one be.
        Some(TicketLease::For(Interval(0))) => latest,
        Some(TicketLease::For(interval)) => cx.now.0.saturating_add(i64::from(interval.0)),
        Some(TicketLease::Until(date)) => date.0,
    };
    if until <= cx.now.0 {
        return Err(OperationError::invalid_field("the Lease Time is over before it begins"));
    }
    let requests = match limits.request_count.map(u32::try_from) {
        None => None,
        Some(Ok(count)) if count > 0 => Some(count),
        Some(_) => return Err(OperationError::invalid_field("Request Count is not above 0")),
    };
    let items = match limits.usage_limits {
        None => None,
        Some(limits) if limits.unit != UsageLimitsUnit::Object => {
            return Err(OperationError::new(
                ResultReason::FeatureNotSupported,
                "the Usage Limits of a ticket count its batch items: their unit is Object",
            ));
        }
        Some(limits) => {
            Some(u64::try_from(limits.count.unwrap_or(limits.total)).map_err(|_| {
                OperationError::invalid_field("the Usage Limits of the ticket are negative")
            })?)
        }
    };
    // What a certificate gives ends with it.
    let not_after = cx.client.certificate.as_ref().map_or(i64::MAX, |shown| shown.validity.1);
    let (owner, until) = (cx.client.owner.clone(), DateTime(until.min(latest).min(not_after)));
    let shown = cx.client.chain.clone();
    Ok(Terms { owner, shown, rights: None, until, requests, items })
}

/// Issues a ticket, valid once the batch is durable.
pub(crate) fn issue_ticket(cx: &mut Context<'_>, terms: Terms) -> Result<Ticket> {
    let reservation = cx.state.tickets.reserve(&terms.owner, cx.now).ok_or_else(|| {
        OperationError::new(
            ResultReason::ServerLimitExceeded,
            format!("the client has {PER_CLIENT_MAX} tickets: log out with one of them first"),
        )
    })?;
    let mut value = Zeroizing::new([0; VALUE_LEN]);
    rand::fill(value.as_mut()).map_err(|_| OperationError::internal("make a ticket"))?;
    let ticket_value = SecretBytes::new(value.as_ref());
    let times_forgotten = cx.state.tickets.times_forgotten();
    cx.effects.then(move |live| {
        // The certificate may have been revoked while the batch was under way.
        let is_good = || match (&terms.shown, &live.client_authorities) {
            (Some(shown), Some(authorities)) => authorities.check(shown).is_ok(),
            _ => true,
        };
        if live.tickets.times_forgotten() == times_forgotten || is_good() {
            live.tickets.keep(value.as_ref(), terms);
        }
        drop(reservation);
    });
    Ok(Ticket { ticket_type: TicketType::Login, ticket_value })
}
