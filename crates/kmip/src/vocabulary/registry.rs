//! Which vocabulary the value under a tag is written in: what the text encodings need to know.

use ttlv::Tag;

use super::cryptography::*;
use super::masks::*;
use super::messages::*;
use super::objects::*;
use super::pkcs_11::*;
use super::profiles::*;
use super::row::Row;
use super::tags;

/// How the number under a tag is named.
#[derive(Clone, Copy, Debug)]
pub enum Vocabulary {
    /// One of these values.
    Enumeration(&'static [Row]),
    /// Some of these bits.
    Mask(&'static [Row]),
}

/// The tags whose numbers have names. Most carry the vocabulary of their own name; the last rows
/// are those that share another's, or that another standard's names stand for.
macro_rules! vocabularies {
    (
        enumerations: $($name:ident)*;
        without_tag: $($tagless:ident)*;
        masks: $($mask:ident)*;
        shared: $($tag:ident => $shared:ident,)*
    ) => {
        /// The enumerations that are named after their tag, and those without a tag.
        pub const ENUMERATIONS: &[(&str, &[Row])] = &[
            $((stringify!($name), $name::ROWS),)*
            $((stringify!($tagless), $tagless::ROWS),)*
        ];

        /// The masks, each named after its tag.
        pub const MASKS: &[(&str, &[Row])] = &[$((stringify!($mask), $mask::ROWS),)*];

        /// How the number under `tag` is named, if it is.
        pub const fn vocabulary_of(tag: Tag) -> Option<Vocabulary> {
            match tag {
                $(tags::$name => Some(Vocabulary::Enumeration($name::ROWS)),)*
                $(tags::$mask => Some(Vocabulary::Mask($mask::ROWS)),)*
                $(tags::$tag => Some(Vocabulary::Enumeration($shared::ROWS)),)*
                tags::AttributeReference | tags::Tag => Some(Vocabulary::Enumeration(tags::ROWS)),
                _ => None,
            }
        }
    };
}

vocabularies! {
    enumerations:
        AdjustmentType AlternativeNameType AsynchronousIndicator AttestationType
        BatchErrorContinuationOption BlockCipherMode CancellationResult CertificateRequestType
        CertificateType ClientRegistrationMethod CredentialType CryptographicAlgorithm
        DRBGAlgorithm Data DeactivationReasonCode DerivationMethod DestroyAction
        DigitalSignatureAlgorithm EncodingOption EndpointRole Ephemeral FIPS186Variation
        HashingAlgorithm InteropFunction KeyCompressionType KeyFormatType KeyRoleType
        KeyValueLocationType KeyWrapType LinkType MaskGenerator NISTKeyType NameType
        OTPAlgorithm ObjectClass ObjectGroupMember ObjectType OpaqueDataType Operation
        PaddingMethod ProcessingStage ProfileName ProtectionLevel PutFunction QueryFunction
        RNGAlgorithm RNGMode RecommendedCurve ResultReason ResultStatus RevocationReasonCode
        RotateNameType SecretDataType ShreddingAlgorithm SplitKeyMethod SplitKeyPolynomial State
        TicketType UniqueIdentifier UnwrapMode UsageLimitsUnit ValidationAuthorityType
        ValidationType ValidityIndicator WrappingMethod;
    without_tag:
        ItemType;
    masks:
        CryptographicUsageMask ObjectClassMask ProtectionStorageMask StorageStatusMask;
    shared:
        MaskGeneratorHashingAlgorithm => HashingAlgorithm,
        PKCS_11Function => PKCS_11Function,
        PKCS_11ReturnCode => PKCS_11ReturnCode,
}

impl Vocabulary {
    /// The values, or the bits.
    pub const fn rows(self) -> &'static [Row] {
        match self {
            Self::Enumeration(rows) | Self::Mask(rows) => rows,
        }
    }
}
