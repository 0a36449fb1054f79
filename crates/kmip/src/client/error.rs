//! Errors of a client, and their kinds.

use std::fmt;
use std::io;
use std::time::Duration;

use support::tls_failure::TlsFault;

use crate::version::Version;
use crate::vocabulary::{Operation, ResultReason};

/// Why a client did not get what it asked for. No text of it holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection to be had.
    #[error("cannot connect to {server}: {cause}")]
    Connect {
        /// The server, as `host:port`.
        server: String,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// The handshake failed, or the server refused us after it.
    #[error("{server}: {fault}")]
    Tls {
        /// The server, as `host:port`.
        server: String,
        /// The check that failed.
        fault: TlsFault,
    },
    /// A deadline passed.
    #[error("{server}: {phase} took longer than {} ms", limit.as_millis())]
    Timeout {
        /// The server, as `host:port`.
        server: String,
        /// The phase that took so long.
        phase: Phase,
        /// How long it was allowed to take.
        limit: Duration,
    },
    /// The connection ended instead of an answer.
    #[error("{server} ended the connection instead of answering{}", close_cause(cause))]
    Closed {
        /// The server, as `host:port`.
        server: String,
        /// How it ended.
        #[source]
        cause: io::Error,
    },
    /// The server answered that it did not do it.
    #[error(
        "{server} refused {operation:?}: {reason:?}{}{message}",
        if message.is_empty() { "" } else { ": " }
    )]
    Refused {
        /// The server, as `host:port`.
        server: String,
        /// What it was asked.
        operation: Operation,
        /// Why not.
        reason: ResultReason,
        /// Why not, in the server's words, cut and without control characters.
        message: String,
    },
    /// The answer breaks the rules of KMIP.
    #[error("the answer of {server} is malformed: {why}")]
    Malformed {
        /// The server, as `host:port`.
        server: String,
        /// Which rule.
        why: String,
    },
    /// The request was sent and may have been done, but no answer came. It may not be done twice,
    /// so it was not sent again: look what is there before you do.
    #[error("{operation:?} may have been done or not: {cause}")]
    OutcomeUnknown {
        /// What was asked; of a batch, the first that may not be done twice.
        operation: Operation,
        /// Why there is no answer.
        #[source]
        cause: Box<Self>,
    },
    /// The version that the server speaks does not have the operation; nothing was sent.
    #[error("{server} speaks KMIP {version}, which has no {operation:?}")]
    NotInVersion {
        /// The server, as `host:port`.
        server: String,
        /// What it was to be asked.
        operation: Operation,
        /// The version.
        version: Version,
    },
    /// The server speaks no version that we speak.
    #[error("{server} speaks KMIP {} and none of our versions", list(offered))]
    NoVersion {
        /// The server, as `host:port`.
        server: String,
        /// The versions that it speaks.
        offered: Vec<Version>,
    },
    /// Of several servers none could be used.
    #[error("none of {} key servers could be used: {}", tried.len(), sentences(tried))]
    NoServer {
        /// Why, for each, in the order in which they were tried.
        tried: Vec<Self>,
    },
    /// The settings of the client are wrong; no server was asked.
    #[error("{setting}: {why}")]
    Settings {
        /// Which setting.
        setting: Setting,
        /// What is wrong with it.
        why: String,
    },
}

/// Phase of a request, with a deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Finding the address and connecting to it.
    Connecting,
    /// The TLS handshake.
    Handshake,
    /// Sending a request and waiting for the answer.
    Request,
}

/// A setting that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The servers' addresses.
    Servers,
    /// The authorities that sign servers' certificates.
    Authorities,
    /// Our certificate.
    Certificate,
    /// Our private key.
    Key,
    /// The version that is to be spoken.
    Version,
}

/// Kind of an error: the sub-kinds of Element's `kmipServerFault`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The server was not reached, or went away.
    Connection,
    /// The server and we do not trust each other.
    Authentication,
    /// The server was reached and did not do it.
    Server,
}

impl Error {
    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } | Self::Closed { .. } => {
                ErrorKind::Connection
            }
            Self::Tls { fault, .. } if fault.check.is_trust() => ErrorKind::Authentication,
            Self::Tls { .. } => ErrorKind::Connection,
            Self::Refused { reason, .. } => match *reason {
                ResultReason::AuthenticationNotSuccessful => ErrorKind::Authentication,
                _ => ErrorKind::Server,
            },
            Self::Malformed { .. } | Self::NotInVersion { .. } | Self::NoVersion { .. } => {
                ErrorKind::Server
            }
            Self::OutcomeUnknown { cause, .. } => cause.kind(),
            // The server that we got furthest with says most.
            Self::NoServer { tried } => {
                tried.iter().map(Self::kind).max().unwrap_or(ErrorKind::Connection)
            }
            Self::Settings { setting, .. } => match setting {
                Setting::Servers | Setting::Version => ErrorKind::Connection,
                Setting::Authorities | Setting::Certificate | Setting::Key => {
                    ErrorKind::Authentication
                }
            },
        }
    }

    /// Was the server not reached, or did it go away?
    pub fn is_connection(&self) -> bool {
        self.kind() == ErrorKind::Connection
    }

    /// Do the server and we not trust each other?
    pub fn is_authentication(&self) -> bool {
        self.kind() == ErrorKind::Authentication
    }

    /// Was the server reached, and did not do it?
    pub fn is_server(&self) -> bool {
        self.kind() == ErrorKind::Server
    }

    /// The reason, if the server refused.
    pub const fn reason(&self) -> Option<ResultReason> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Malformed { .. }
            | Self::OutcomeUnknown { .. }
            | Self::NotInVersion { .. }
            | Self::NoVersion { .. }
            | Self::NoServer { .. }
            | Self::Settings { .. } => None,
        }
    }

    /// Whether no other server can help.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::OutcomeUnknown { .. }
            | Self::NotInVersion { .. }
            | Self::Settings { .. } => true,
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Malformed { .. }
            | Self::NoVersion { .. }
            | Self::NoServer { .. } => false,
        }
    }

    /// One error for all servers that were tried.
    pub(super) fn from_attempts(mut tried: Vec<Self>) -> Self {
        match (tried.pop(), tried.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                tried.extend(last);
                Self::NoServer { tried }
            }
        }
    }

    pub(super) fn settings(setting: Setting, why: impl Into<String>) -> Self {
        Self::Settings { setting, why: why.into() }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Handshake => "the TLS handshake",
            Self::Request => "a request",
        })
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Servers => "the key servers",
            Self::Authorities => "the CA certificate",
            Self::Certificate => "the client certificate",
            Self::Key => "the client's private key",
            Self::Version => "the KMIP version",
        })
    }
}

/// How a connection ended, if it did not just end: that is all that rustls says at length then.
fn close_cause(cause: &io::Error) -> String {
    match cause.kind() == io::ErrorKind::UnexpectedEof {
        true => String::new(),
        false => format!(": {cause}"),
    }
}

fn list(versions: &[Version]) -> String {
    let all: Vec<String> = versions.iter().map(Version::to_string).collect();
    if all.is_empty() { "of no version".to_owned() } else { all.join(", ") }
}

fn sentences(errors: &[Error]) -> String {
    errors.iter().map(Error::to_string).collect::<Vec<_>>().join("; ")
}
