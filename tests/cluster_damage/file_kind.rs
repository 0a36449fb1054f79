//! Kinds of files in the folder of a cluster.

use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    Ledger,
    Generation,
    /// The key of the accounts' CHAP secrets.
    AccountKey,
    /// The private key for key servers.
    KeyPair,
    /// The certificate of the HTTPS listener.
    Certificate,
    /// The private key of that certificate.
    CertificateKey,
    Header,
    Blocks,
    Checksums,
    Share,
    Lock,
    /// What a kill has left of a file that was about to be replaced.
    Replacement,
}

impl FileKind {
    pub(crate) const ALL: [Self; 12] = [
        Self::Ledger,
        Self::Generation,
        Self::AccountKey,
        Self::KeyPair,
        Self::Certificate,
        Self::CertificateKey,
        Self::Header,
        Self::Blocks,
        Self::Checksums,
        Self::Share,
        Self::Lock,
        Self::Replacement,
    ];

    /// The kind of a file of the folder.
    pub(crate) fn of(file: &Path) -> Self {
        let name = file.file_name().unwrap().to_str().unwrap();
        match name {
            "ledger.json" => Self::Ledger,
            "generation.json" => Self::Generation,
            "account-key.json" => Self::AccountKey,
            "door.crt" => Self::Certificate,
            "door.key" => Self::CertificateKey,
            "drive.json" => Self::Header,
            "blocks" => Self::Blocks,
            "checksums" => Self::Checksums,
            "lock" => Self::Lock,
            _ if name.ends_with(".new") => Self::Replacement,
            _ if name.starts_with("kmip-key-pair-") => Self::KeyPair,
            _ if file.parent().is_some_and(|folder| folder.ends_with("shares")) => Self::Share,
            _ => panic!("a file of no kind: {}", file.display()),
        }
    }

    /// How often files of this kind are damaged, among all.
    pub(crate) const fn weight(self) -> usize {
        match self {
            Self::Header | Self::Share => 5,
            Self::Blocks | Self::Checksums | Self::Ledger | Self::KeyPair => 3,
            Self::Generation | Self::AccountKey | Self::Certificate | Self::CertificateKey => 2,
            Self::Lock | Self::Replacement => 1,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger.json",
            Self::Generation => "generation.json",
            Self::AccountKey => "account-key.json",
            Self::KeyPair => "kmip-key-pair-*.pem",
            Self::Certificate => "door.crt",
            Self::CertificateKey => "door.key",
            Self::Header => "drive.json",
            Self::Blocks => "blocks",
            Self::Checksums => "checksums",
            Self::Share => "shares/*.json",
            Self::Lock => "lock",
            Self::Replacement => "*.new",
        }
    }
}
