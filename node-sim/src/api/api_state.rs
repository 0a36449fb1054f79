//! State that all routes of a listener share.

use crate::api::http::basic_auth::Credentials;
use crate::api::methods::method::ElementApi;

/// The API that a listener serves, and who may use it.
pub(crate) struct ApiState {
    /// The API.
    pub(crate) api: ElementApi,
    /// Who may use it.
    pub(crate) credentials: Credentials,
}
