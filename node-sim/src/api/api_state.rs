//! State that all routes of a listener share.

use crate::api::http::basic_auth::Credentials;
use crate::api::methods::method::Element;

/// The API that a listener serves, and who may use it.
pub struct ApiState {
    /// The API.
    pub element: Element,
    /// Who may use it.
    pub credentials: Credentials,
}
