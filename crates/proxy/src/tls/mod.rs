//! Both ends of mutual TLS: the server's end for clients, and the client's end for the server,
//! with an identity that the inbound client's subject chooses.

mod inbound;
mod offered_suites;
mod pem_files;
mod shown_certificate;
mod upstream;

pub(crate) use inbound::{ClientStream, Inbound};
pub(crate) use shown_certificate::{NotShown, ShownCertificate};
pub(crate) use upstream::{IdentityFiles, ServerStream, Upstream, UpstreamSettings};
