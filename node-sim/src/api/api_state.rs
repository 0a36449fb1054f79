//! State that all routes of a listener share.

use crate::api::http::basic_auth::Credentials;
use crate::api::http::login_throttle::LoginThrottle;
use crate::api::http::session::Sessions;
use crate::api::lab_controller::LabController;
use crate::api::methods::method::ElementApi;
use std::sync::Arc;
use std::time::Duration;

/// The API that a listener serves, and who may use it.
pub(crate) struct ApiState {
    /// The API.
    pub(crate) api: ElementApi,
    /// Who may use it.
    pub(crate) credentials: Credentials,
    /// Slows down clients that guess the password, at all listeners together.
    pub(crate) login_throttle: Arc<LoginThrottle>,
    /// Sessions of web pages, at all listeners together.
    pub(crate) sessions: Arc<Sessions>,
    /// Lab controller, if there is one.
    pub(crate) lab: Option<LabController>,
    /// How long the body of a request may take.
    pub(crate) body_deadline: Duration,
}
