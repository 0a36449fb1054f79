//! Set Endpoint Role (2.1, 6.1.54 and 6.2.5): who asks on this connection from now on.

use crate::macros::structure;
use crate::vocabulary::EndpointRole;

structure! {
    /// Asks the other side to take a role (2.1, 6.1.54 and 6.2.5).
    SetEndpointRoleRequest {
        /// The role that it shall have.
        EndpointRole => endpoint_role: EndpointRole,
    }
}

structure! {
    /// The role that it has taken (2.1, 6.1.54 and 6.2.5).
    SetEndpointRoleResponse {
        /// The role.
        EndpointRole => endpoint_role: EndpointRole,
    }
}
