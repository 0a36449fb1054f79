//! Which values nobody may see: the one table of it. When in doubt, a value is hidden.

use ttlv::Tag;

use crate::vocabulary::tags;

/// What may be seen of what is inside a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything that is not hidden by itself.
    Open,
    /// These alone.
    Only(&'static [Tag]),
    /// Nothing.
    Closed,
}

/// Hidden wherever they stand, with all that is inside.
const HIDDEN: &[Tag] = &[
    // Parts of keys (1.4, 2.1.7).
    tags::CRTCoefficient,
    tags::D,
    tags::Key,
    tags::P,
    tags::PrimeExponentP,
    tags::PrimeExponentQ,
    tags::PrivateExponent,
    tags::Q,
    tags::X,
    // Objects whose bytes are the secret (1.4, 2.2).
    tags::OpaqueDataValue,
    // What is encrypted, signed, hashed, and what seeds are made of (1.4, 4.29 to 4.37); a digest
    // of few bytes tells the bytes.
    tags::Data,
    tags::DerivationData,
    tags::DigestValue,
    tags::DigestedData,
    tags::MACData,
    tags::Salt,
    tags::PKCS_11InputParameters,
    tags::PKCS_11OutputParameters,
    // What proves who a client is (1.4, 2.1.2; 2.1, 7.7; 3.0).
    tags::AttestationAssertion,
    tags::AttestationMeasurement,
    tags::DeviceCredential,
    tags::HashedPassword,
    tags::HashedPasswordCredential,
    tags::HashedUsernamePassword,
    tags::NonceValue,
    tags::OneTimePassword,
    tags::OTPCredential,
    tags::OTPDigest,
    tags::OTPSeed,
    tags::Password,
    tags::PasswordCredential,
    tags::PasswordSalt,
    tags::SaltedPassword,
    tags::ServerHashedPassword,
    tags::TicketValue,
    // Of unknown meaning (1.4, 6.16).
    tags::VendorExtension,
];

/// Structures of which only these items are shown. Where the tag holds bytes instead of a
/// structure, they are hidden.
const GUARDED: &[(Tag, &[Tag])] = &[
    (tags::KeyValue, &[tags::KeyMaterial, tags::Attribute, tags::Attributes]),
    (
        tags::KeyMaterial,
        &[
            tags::G,
            tags::J,
            tags::Modulus,
            tags::PublicExponent,
            tags::QString,
            tags::RecommendedCurve,
            tags::Y,
        ],
    ),
    (
        tags::CredentialValue,
        &[
            tags::AttestationType,
            tags::DeviceIdentifier,
            tags::DeviceSerialNumber,
            tags::MachineIdentifier,
            tags::MediaIdentifier,
            tags::NetworkIdentifier,
            tags::TicketType,
            tags::Username,
        ],
    ),
];

impl Sight {
    /// What may be seen of an item of this tag, and of what is inside it.
    pub(super) fn into(self, tag: Tag) -> Self {
        let shut = match self {
            Self::Open => false,
            Self::Only(shown) => !shown.contains(&tag),
            Self::Closed => true,
        };
        if shut || HIDDEN.contains(&tag) || tags::name(tag).is_none() {
            return Self::Closed;
        }
        let guarded = GUARDED.iter().find(|(guarded, _)| *guarded == tag);
        guarded.map_or(Self::Open, |(_, shown)| Self::Only(shown))
    }
}
