//! Errors, each with a remedy where there is one.

use std::io;
use std::path::PathBuf;

/// Why a certificate, a key or a file was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library that encodes and signs refused.
    #[error("cannot make the certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A server certificate without a host would be good for nothing.
    #[error("a server certificate needs at least one host name or IP address")]
    NoHost,
    /// A host is neither a DNS name nor an IP address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Host(String),
    /// A client's name cannot be a common name or a file name.
    #[error("{name:?} cannot name a certificate: {why}")]
    Name {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A signing request is not one that this authority signs.
    #[error("the certificate request is refused: {0}")]
    Request(String),
    /// The authority's own certificate or key cannot be used.
    #[error("the authority cannot sign: {0}")]
    Authority(String),
    /// The fault does not exist for this role.
    #[error("there is no such fault for a {0} certificate")]
    NoSuchFault(&'static str),
    /// The validity does not fit a certificate.
    #[error("{0} days is no validity: give 1 to {max}", max = crate::validity::DAYS_MAX)]
    Days(u32),
    /// A file is there, and nobody said that it may be replaced.
    #[error("{} is there already: give --force to replace it, or another folder", .0.display())]
    Exists(PathBuf),
    /// A certificate would take the place of a private key.
    #[error("{} is a private key: a certificate is not written over it", .0.display())]
    IsKey(PathBuf),
    /// A file of the authority would be replaced.
    #[error("{} is a file of the authority: it is not replaced, even with --force", .0.display())]
    IsAuthority(PathBuf),
    /// Others can replace what is in a folder.
    #[error(
        "others than its owner can write to the folder {} (mode {mode:03o}): chmod it to 755 or \
         700",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file cannot be read or written.
    #[error("cannot {verb} {}: {cause}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
}
