//! 2.1, 6.1.54: the server takes the role of the client on this connection, or gives it back.

use std::sync::Arc;

use kmip::payload::{SetEndpointRoleRequest, SetEndpointRoleResponse};
use kmip::vocabulary::{EndpointRole, ResultReason};

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

pub(super) async fn set_endpoint_role(
    cx: &mut Context<'_>,
    request: SetEndpointRoleRequest,
) -> Result<SetEndpointRoleResponse> {
    let asks = match request.endpoint_role {
        EndpointRole::Client => Some(cx.version),
        EndpointRole::Server => None,
        other => {
            return Err(OperationError::invalid_field(format!(
                "the server can be Client or Server, and not {other:?}"
            )));
        }
    };
    let Some(endpoint) = cx.client.endpoint.clone() else {
        return Err(OperationError::new(
            ResultReason::FeatureNotSupported,
            "roles are swapped on a connection of TTLV over TLS alone: over HTTPS the client asks",
        ));
    };
    cx.effects.then(move |_| Arc::clone(&endpoint).ask(asks));
    Ok(SetEndpointRoleResponse { endpoint_role: request.endpoint_role })
}
