//! HTTP transport of the API: listener, TLS, authentication and error pages.

pub mod basic_auth;
pub mod connection_limit;
pub mod error_pages;
pub mod listener;
pub mod request_body;
pub mod tls;
