//! Which objects may have an attribute: the kinds that the rows of the table name (1.4, 3 and
//! appendix B; 2.1, 4). What the kinds themselves are stands in the vocabulary.

use crate::version::Version;
use crate::vocabulary::ObjectType as O;

/// Which objects may have an attribute (1.4, 3 and appendix B; 2.1, 4).
///
/// 1.x names the kinds one by one; from 2.0 on nearly every attribute is for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// The kinds of 1.x; all when empty.
    pub v1: &'static [O],
    /// The kinds from 2.0 on; all when empty.
    pub v2: &'static [O],
}

impl Kinds {
    /// The kinds in `version`; all when empty.
    pub const fn of(&self, version: Version) -> &'static [O] {
        match version.major {
            0 | 1 => self.v1,
            _ => self.v2,
        }
    }
}

/// Every object.
pub(super) const ALL: Kinds = Kinds { v1: &[], v2: &[] };
/// What has a life: all but templates and opaque objects.
pub(super) const CRYPTOGRAPHIC: Kinds = Kinds {
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
pub(super) const CRYPTOGRAPHIC_T: Kinds = Kinds {
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
pub(super) const NO_TEMPLATE: Kinds = Kinds {
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
pub(super) const KEYS_CERTIFICATES_T: Kinds = Kinds {
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
pub(super) const KEYS_T: Kinds = Kinds {
    v1: &[O::SymmetricKey, O::PublicKey, O::PrivateKey, O::SplitKey, O::PGPKey, O::Template],
    v2: &[],
};
/// The keys of a pair, and their templates.
pub(super) const PAIRS_T: Kinds =
    Kinds { v1: &[O::PublicKey, O::PrivateKey, O::Template], v2: &[O::PublicKey, O::PrivateKey] };
/// What has a Key Value that may be kept elsewhere.
pub(super) const KEY_VALUES: Kinds =
    Kinds { v1: &[O::SymmetricKey, O::PrivateKey, O::SplitKey, O::SecretData], v2: &[] };
/// Certificates.
pub(super) const CERTIFICATES: Kinds = Kinds { v1: &[O::Certificate], v2: &[O::Certificate] };
/// What bears a signature.
pub(super) const SIGNED: Kinds =
    Kinds { v1: &[O::Certificate, O::PGPKey], v2: &[O::Certificate, O::PGPKey] };
/// Opaque objects.
pub(super) const OPAQUE: Kinds = Kinds { v1: &[O::OpaqueObject], v2: &[O::OpaqueObject] };
