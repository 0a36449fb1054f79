//! Table of what some cases need before they can run.
//!
//! Most cases need a server and nothing else. The rows here are those that need more, with what
//! the committee's own text or messages say of it.

use crate::case::Case;

/// Prerequisite of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prerequisite {
    /// Another case first, whose object it searches; both are cleaned up together.
    After(&'static str),
    /// To be sent over HTTPS, in this encoding.
    Https(Encoding),
    /// A server that does this with the seed that a client gives its random generator.
    Seed(SeedPolicy),
    /// TLS of version 1.3.
    Tls13,
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// TTLV, as application/octet-stream.
    Binary,
    /// XML, as text/xml.
    Xml,
    /// JSON, as application/json.
    Json,
}

/// What a server does with a seed (2.1, 6.1.49): it may take all of it, a part, nothing, or not
/// let it be given. One server does one of these, so one server can pass one of the four cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SeedPolicy {
    /// It takes the whole seed.
    All,
    /// It takes a part of it.
    Part,
    /// It takes nothing of it, and says so.
    Nothing,
    /// It lets nobody give one.
    Denied,
}

impl SeedPolicy {
    /// The policy, in a word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Part => "part",
            Self::Nothing => "nothing",
            Self::Denied => "denied",
        }
    }
}

/// Prerequisites, by the name of the case without its version.
const PREREQUISITES: &[(&str, Prerequisite)] = &[
    // "The steps of SASED-M-2 are to have been performed" (SASED 1.0, 4.1.3).
    ("SASED-M-3", Prerequisite::After("SASED-M-2")),
    // Searches the key by the Application Specific Information that TL-M-2 gave it.
    ("TL-M-3", Prerequisite::After("TL-M-2")),
    // Additional Message Encodings 1.0, 3, 5 and 7; 2.1 profiles, 5.3.3, 5.4.4 and 5.5.4.
    ("MSGENC-HTTPS-M-1", Prerequisite::Https(Encoding::Binary)),
    ("MSGENC-XML-M-1", Prerequisite::Https(Encoding::Xml)),
    ("MSGENC-JSON-M-1", Prerequisite::Https(Encoding::Json)),
    // The answers to one and the same request are 32 bytes, 16 bytes, none, and Permission Denied.
    ("CS-RNG-O-1", Prerequisite::Seed(SeedPolicy::All)),
    ("CS-RNG-O-2", Prerequisite::Seed(SeedPolicy::Part)),
    ("CS-RNG-O-3", Prerequisite::Seed(SeedPolicy::Nothing)),
    ("CS-RNG-O-4", Prerequisite::Seed(SeedPolicy::Denied)),
    // 2.0 and 2.1 profiles, Quantum Safe: the transport is TLS 1.3.
    ("QS-M-1", Prerequisite::Tls13),
    ("QS-M-2", Prerequisite::Tls13),
];

/// Prerequisite of a case, if it has one.
pub fn find(case: &Case) -> Option<Prerequisite> {
    PREREQUISITES
        .iter()
        .find(|(name, _)| *name == case.base())
        .map(|(_, prerequisite)| *prerequisite)
}
