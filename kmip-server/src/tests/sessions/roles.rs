//! Set Endpoint Role where there is no connection to swap roles on (2.1, 6.1.54). What comes after
//! it is tried on real connections, in the tests of the door.

use kmip::payload::SetEndpointRoleRequest;
use kmip::vocabulary::EndpointRole;

use crate::tests::harness::*;

/// One row a request: the role that the server shall have, and why it does not.
#[tokio::test]
async fn roles_are_swapped_on_a_connection_alone() {
    let harness = Harness::new();
    let rows = [
        (NEWEST, EndpointRole::Client, ResultReason::FeatureNotSupported),
        (Version::V2_0, EndpointRole::Server, ResultReason::FeatureNotSupported),
        (NEWEST, EndpointRole(9), ResultReason::InvalidField),
        (Version::V1_4, EndpointRole::Client, ResultReason::OperationNotSupported),
    ];
    for (version, endpoint_role, reason) in rows {
        let answer = harness.ask(version, SetEndpointRoleRequest { endpoint_role }).await;
        assert_eq!(answer.err(), Some(reason), "{version} {endpoint_role:?}");
    }
}
