//! Login (2.1, 6.1.30): a ticket that stands for the client's credentials.

use ttlv::{Error, Reader, Tag, Type, Writer};

use crate::codec::{DateTime, Decode, Encode, Interval, SecretBytes};
use crate::macros::structure;
use crate::structures::UsageLimits;
use crate::version::Version;
use crate::vocabulary::TicketType;

structure! {
    /// Asks for a ticket (2.1, 6.1.30).
    #[derive(Default)]
    LoginRequest {
        /// How long it shall be good.
        LeaseTime => lease_time: Option<TicketLease>,
        /// For how many requests.
        RequestCount => request_count: Option<i32>,
        /// For how much.
        UsageLimits => usage_limits: Option<UsageLimits>,
    }
}

structure! {
    /// The ticket (2.1, 6.1.30).
    LoginResponse {
        /// The ticket.
        Ticket => ticket: Ticket,
    }
}

structure! {
    /// What a later request shows in the place of a credential (2.1, 7.39).
    Ticket {
        /// Its kind.
        TicketType => ticket_type: TicketType,
        /// Whoever holds it is taken for the client.
        TicketValue => ticket_value: SecretBytes,
    }
}

/// How long a ticket is good (2.1, tables 199 and 253): for a while, or up to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketLease {
    /// For so long.
    For(Interval),
    /// Until then.
    Until(DateTime),
}

impl Encode for TicketLease {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match self {
            Self::For(interval) => interval.encode(tag, w, version),
            Self::Until(date) => date.encode(tag, w, version),
        }
    }
}

impl Decode for TicketLease {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::DateTime) => Decode::decode(tag, r, version).map(Self::Until),
            _ => Decode::decode(tag, r, version).map(Self::For),
        }
    }
}
