//! Logout (2.1, 6.1.31): a ticket is good no more.

use crate::macros::structure;
use crate::payload::Ticket;

structure! {
    /// Gives a ticket back (2.1, 6.1.31).
    LogoutRequest {
        /// The ticket.
        Ticket => ticket: Ticket,
    }
}

structure! {
    /// It is good no more. There is nothing to say (2.1, 6.1.31).
    LogoutResponse {}
}
