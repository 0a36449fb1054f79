//! Which vocabulary the value under a tag is written in: what the text encodings need to know.

use core::fmt;

use ttlv::Tag;

use super::{Row, tags};
use crate::vocabulary as v;

/// How the number under a tag is named.
#[derive(Clone, Copy, Debug)]
pub enum Vocabulary {
    /// One of these values.
    Enumeration(&'static [Row]),
    /// Some of these bits.
    Mask(&'static [Row]),
}

/// The tags whose numbers have names. Most carry the vocabulary of their own name; the last rows
/// are those that share another's.
macro_rules! vocabularies {
    (
        enumerations: $($name:ident)*;
        masks: $($mask:ident)*;
        shared: $($tag:ident => $shared:ident,)*
    ) => {
        const VOCABULARIES: &[(Tag, Vocabulary)] = &[
            $((tags::$name, Vocabulary::Enumeration(v::$name::ROWS)),)*
            $((tags::$mask, Vocabulary::Mask(v::$mask::ROWS)),)*
            $((tags::$tag, Vocabulary::Enumeration(v::$shared::ROWS)),)*
            (tags::AttributeReference, Vocabulary::Enumeration(tags::ROWS)),
            (tags::Tag, Vocabulary::Enumeration(tags::ROWS)),
        ];
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
    masks:
        CryptographicUsageMask ProtectionStorageMask StorageStatusMask;
    shared:
        MaskGeneratorHashingAlgorithm => HashingAlgorithm,
}

/// How the number under `tag` is named, if it is.
pub fn vocabulary_of(tag: Tag) -> Option<Vocabulary> {
    VOCABULARIES.iter().find(|(t, _)| *t == tag).map(|(_, vocabulary)| *vocabulary)
}

/// The names of the bits, apart by blanks; bits without a name follow in hex.
pub(super) fn fmt_mask(value: i32, rows: &[Row], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = value.cast_unsigned();
    let mut separator = "";
    for row in rows.iter().filter(|row| row.value != 0) {
        if rest & row.value == row.value {
            write!(f, "{separator}{}", row.name)?;
            rest &= !row.value;
            separator = " ";
        }
    }
    match rest {
        0 if value != 0 => Ok(()),
        rest => write!(f, "{separator}0x{rest:08X}"),
    }
}
