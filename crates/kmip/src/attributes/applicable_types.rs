//! Object types that may have an attribute: the lists that the rows of the table name (1.4, 3 and
//! appendix B; 2.1, 4).

use crate::version::Version;
use crate::vocabulary::ObjectType as O;

/// Object types that may have an attribute (1.4, 3 and appendix B; 2.1, 4).
///
/// 1.x names the types one by one; since 2.0 nearly every attribute is for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicableTypes {
    /// The types in 1.x; all when empty.
    pub v1: &'static [O],
    /// The types since 2.0; all when empty.
    pub v2: &'static [O],
}

impl ApplicableTypes {
    /// The types in `version`; all when empty.
    pub const fn in_version(&self, version: Version) -> &'static [O] {
        match version.major {
            0 | 1 => self.v1,
            _ => self.v2,
        }
    }
}

/// Every object.
pub(super) const ALL: ApplicableTypes = ApplicableTypes { v1: &[], v2: &[] };
/// Objects with a life cycle: all but templates and opaque objects.
pub(super) const CRYPTOGRAPHIC: ApplicableTypes = ApplicableTypes {
    v1: &[
        O::Certificate,
        O::SymmetricKey,
        O::PublicKey,
        O::PrivateKey,
        O::SplitKey,
        O::SecretData,
        O::PGPKey,
    ],
    v2: &[],
};
/// Likewise, and the templates that such objects are made from.
pub(super) const CRYPTOGRAPHIC_T: ApplicableTypes = ApplicableTypes {
    v1: &[
        O::Certificate,
        O::SymmetricKey,
        O::PublicKey,
        O::PrivateKey,
        O::SplitKey,
        O::SecretData,
        O::PGPKey,
        O::Template,
    ],
    v2: &[],
};
/// All but templates.
pub(super) const NO_TEMPLATE: ApplicableTypes = ApplicableTypes {
    v1: &[
        O::Certificate,
        O::SymmetricKey,
        O::PublicKey,
        O::PrivateKey,
        O::SplitKey,
        O::SecretData,
        O::OpaqueObject,
        O::PGPKey,
    ],
    v2: &[],
};
/// Keys and certificates, and their templates.
pub(super) const KEYS_CERTIFICATES_T: ApplicableTypes = ApplicableTypes {
    v1: &[
        O::Certificate,
        O::SymmetricKey,
        O::PublicKey,
        O::PrivateKey,
        O::SplitKey,
        O::PGPKey,
        O::Template,
    ],
    v2: &[],
};
/// Keys, and their templates.
pub(super) const KEYS_T: ApplicableTypes = ApplicableTypes {
    v1: &[O::SymmetricKey, O::PublicKey, O::PrivateKey, O::SplitKey, O::PGPKey, O::Template],
    v2: &[],
};
/// The keys of a pair, and their templates.
pub(super) const PAIRS_T: ApplicableTypes = ApplicableTypes {
    v1: &[O::PublicKey, O::PrivateKey, O::Template],
    v2: &[O::PublicKey, O::PrivateKey],
};
/// What has a Key Value that may be kept elsewhere.
pub(super) const KEY_VALUES: ApplicableTypes =
    ApplicableTypes { v1: &[O::SymmetricKey, O::PrivateKey, O::SplitKey, O::SecretData], v2: &[] };
/// Certificates.
pub(super) const CERTIFICATES: ApplicableTypes =
    ApplicableTypes { v1: &[O::Certificate], v2: &[O::Certificate] };
/// What bears a signature.
pub(super) const SIGNED: ApplicableTypes =
    ApplicableTypes { v1: &[O::Certificate, O::PGPKey], v2: &[O::Certificate, O::PGPKey] };
/// Opaque objects.
pub(super) const OPAQUE: ApplicableTypes =
    ApplicableTypes { v1: &[O::OpaqueObject], v2: &[O::OpaqueObject] };
