//! HTTP transport of the API: listener, TLS, authentication and error pages.

pub(crate) mod basic_auth;
pub(crate) mod error_pages;
pub(crate) mod listener;
pub(crate) mod login_throttle;
pub(crate) mod origin;
pub(crate) mod request_body;
pub(crate) mod session;
pub(crate) mod tls;
