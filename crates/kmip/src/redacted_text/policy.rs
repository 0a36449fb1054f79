//! Tables of the values that are hidden in a message's text, with the reasons. When in doubt, a
//! value is hidden.
//!
//! Names, numbers and dates are shown unless a row hides them. Byte strings and big integers are
//! the other way about: hidden, unless a row says that they are public. A tag without a name has
//! its value hidden, whatever it is.

use ttlv::{Header, Tag, Type};

use crate::vocabulary::tags;

/// What is shown of an item or of what is inside a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    /// Everything that is not hidden by itself.
    Shown,
    /// Only items of these tags.
    ShownOnly(&'static [Tag]),
    /// Nothing.
    Hidden,
}

/// Hidden wherever they stand, with all that is inside, and why.
const HIDDEN: &[(Tag, &str)] = &[
    (tags::KeyMaterial, "the key, or the numbers that make it (1.4, 2.1.4)"),
    // The numbers of a key, should they ever stand outside Key Material (1.4, 2.1.7).
    (tags::CRTCoefficient, "a part of a private key"),
    (tags::D, "a private key"),
    (tags::Key, "a key"),
    (tags::P, "a part of a private key"),
    (tags::PrimeExponentP, "a part of a private key"),
    (tags::PrimeExponentQ, "a part of a private key"),
    (tags::PrivateExponent, "a private key"),
    (tags::Q, "a part of a private key"),
    (tags::X, "a private key"),
    (tags::OpaqueDataValue, "an object: any secret of the client's (1.4, 2.2.8)"),
    // What cryptographic operations are given and give (1.4, 4.29 to 4.37).
    (tags::AuthenticatedEncryptionAdditionalData, "the client's data"),
    (tags::AuthenticatedEncryptionTag, "proves that data which is not shown is genuine"),
    (tags::Data, "plain text that is encrypted, or was decrypted; random bytes"),
    (tags::DerivationData, "keys are derived from it"),
    (tags::DigestValue, "a short secret can be guessed from it"),
    (tags::DigestedData, "short data can be guessed from it"),
    (tags::IVCounterNonce, "must not be foreseen"),
    (tags::InitializationVector, "must not be foreseen"),
    (tags::MACData, "proves that data which is not shown is genuine"),
    (tags::PSource, "the client's data"),
    (tags::Salt, "keys are derived with it"),
    (tags::SignatureData, "proves that data which is not shown is genuine"),
    (tags::PKCS_11InputParameters, "PINs and keys pass here (2.1, 6.1.37)"),
    (tags::PKCS_11OutputParameters, "keys pass here (2.1, 6.1.37)"),
    // What proves who a client is (1.4, 2.1.2; 2.1, 7.7; 3.0).
    (tags::AttestationAssertion, "a proof of who asks"),
    (tags::AttestationMeasurement, "a proof of who asks"),
    (tags::DeviceCredential, "a proof of who asks"),
    (tags::HashedPassword, "a password can be guessed from it"),
    (tags::HashedPasswordCredential, "a password can be guessed from it"),
    (tags::HashedPasswordUsername, "a password can be guessed from it"),
    (tags::HashedUsernamePassword, "a password can be guessed from it"),
    (tags::NonceValue, "must not be foreseen"),
    (tags::OneTimePassword, "a password"),
    (tags::OTPCounter, "where a token is in its sequence of passwords"),
    (tags::OTPCredential, "all passwords of a token follow from it"),
    (tags::OTPDigest, "passwords can be guessed from it"),
    (tags::OTPSeed, "all passwords of a token follow from it"),
    (tags::Password, "a password"),
    (tags::PasswordCredential, "a password"),
    (tags::PasswordSalt, "what guessing a password needs"),
    (tags::SaltedPassword, "a password can be guessed from it"),
    (tags::ServerHashedPassword, "a password can be guessed from it"),
    (tags::TicketValue, "whoever holds it is taken for the client"),
    (tags::VendorExtension, "nobody but the vendor knows what it says (1.4, 6.16)"),
];

/// Structures of which only these items are shown. Where the tag holds bytes instead of a
/// structure, they are hidden.
const PARTLY_SHOWN: &[(Tag, &[Tag])] = &[
    (tags::KeyValue, &[tags::Attribute, tags::Attributes]),
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

/// The byte strings that everybody may see, and why.
const PUBLIC_BYTES: &[(Tag, &str)] = &[
    (tags::AsynchronousCorrelationValue, "names a request"),
    (tags::CertificateSerialNumber, "is in a certificate"),
    (tags::CertificateValue, "a certificate is made to be shown"),
    (tags::CorrelationValue, "names a stream of data"),
    (tags::IssuerAlternativeName, "is in a certificate"),
    (tags::IssuerDistinguishedName, "is in a certificate"),
    (tags::NonceID, "names a nonce"),
    (tags::ShortUniqueIdentifier, "names an object"),
    (tags::SubjectAlternativeName, "is in a certificate"),
    (tags::SubjectDistinguishedName, "is in a certificate"),
    (tags::UniqueBatchItemID, "names a batch item"),
];

/// The header of the next item. The standard's tags begin with 4200 or 4201 and extensions with 54
/// (1.4, 9.1.3.1); whatever else stands there is no header and may be a piece of a key, so that not
/// even its tag may be shown.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let header = Header::parse(*bytes.first_chunk()?);
    matches!(header.tag.0, 0x42_0000..=0x42_0FFF | 0x54_0000..=0x54_FFFF).then_some(header)
}

impl Visibility {
    /// What is shown of an item of this tag, and of what is inside it.
    pub(super) fn inside(self, tag: Tag) -> Self {
        let is_hidden = match self {
            Self::Shown => false,
            Self::ShownOnly(shown) => !shown.contains(&tag),
            Self::Hidden => true,
        };
        let in_table = HIDDEN.iter().any(|(hidden, _)| *hidden == tag);
        if is_hidden || in_table || tags::name(tag).is_none() {
            return Self::Hidden;
        }
        let partly_shown = PARTLY_SHOWN.iter().find(|(shown, _)| *shown == tag);
        partly_shown.map_or(Self::Shown, |(_, shown)| Self::ShownOnly(shown))
    }

    /// What is shown of a value of this tag and type.
    pub(super) fn of_value(self, tag: Tag, ty: Type) -> Self {
        let is_bytes = matches!(ty, Type::ByteString | Type::BigInteger);
        match is_bytes && !PUBLIC_BYTES.iter().any(|(public, _)| *public == tag) {
            true => Self::Hidden,
            false => self.inside(tag),
        }
    }
}
