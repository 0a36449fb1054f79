//! State that all routes of a listener share.

use crate::api::http::basic_auth::Credentials;
use crate::api::methods::method::ElementApi;
use std::time::Duration;

/// The API that a listener serves, and who may use it.
pub(crate) struct ApiState {
    /// The API.
    pub(crate) api: ElementApi,
    /// Who may use it.
    pub(crate) credentials: Credentials,
    /// How long the body of a request may take.
    pub(crate) body_deadline: Duration,
}
