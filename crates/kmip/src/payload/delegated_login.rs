//! Delegated Login (2.1, 6.1.12): a ticket for another, who may do these things and no more.

use crate::identifier::Identifier;
use crate::macros::structure;
use crate::payload::{Ticket, TicketLease};
use crate::structures::{ObjectGroups, Operations, UsageLimits};
use crate::version::Version;

const V2_1: Version = Version::V2_1;

structure! {
    /// Asks for a ticket with rights of its own (2.1, 6.1.12).
    DelegatedLoginRequest {
        /// How long it shall be good.
        LeaseTime => lease_time: Option<TicketLease>,
        /// For how many requests.
        RequestCount => request_count: Option<i32>,
        /// For how much.
        UsageLimits => usage_limits: Option<UsageLimits>,
        /// What its holder may do.
        Rights => rights: Rights,
    }
}

structure! {
    /// What a holder may do: what one of these allows (2.1, 7.35).
    #[derive(Default)]
    Rights {
        /// The rights.
        Right => rights: Vec<Right>,
    }
}

structure! {
    /// One right; what is left out is not restricted (2.1, 7.34).
    #[derive(Default)]
    Right {
        /// How much.
        UsageLimits => usage_limits: Option<UsageLimits>,
        /// These operations.
        Operations => operations: Option<Operations>,
        /// On these objects.
        Objects => objects: Option<Objects>,
        /// On the objects of these groups.
        ObjectGroups [V2_1..] => object_groups: Option<ObjectGroups>,
    }
}

structure! {
    /// A list of objects (2.1, 7.21).
    #[derive(Default)]
    Objects {
        /// The objects.
        UniqueIdentifier => unique_identifiers: Vec<Identifier>,
    }
}

structure! {
    /// The ticket (2.1, 6.1.12).
    DelegatedLoginResponse {
        /// The ticket.
        Ticket => ticket: Ticket,
    }
}
