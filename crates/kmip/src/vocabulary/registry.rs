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
            $((stringify!($name), v::$name::ROWS),)*
            $((stringify!($tagless), v::$tagless::ROWS),)*
        ];

        /// The masks, each named after its tag.
        pub const MASKS: &[(&str, &[Row])] = &[$((stringify!($mask), v::$mask::ROWS),)*];

        /// How the number under `tag` is named, if it is.
        pub const fn vocabulary_of(tag: Tag) -> Option<Vocabulary> {
            match tag {
                $(tags::$name => Some(Vocabulary::Enumeration(v::$name::ROWS)),)*
                $(tags::$mask => Some(Vocabulary::Mask(v::$mask::ROWS)),)*
                $(tags::$tag => Some(Vocabulary::Enumeration(v::$shared::ROWS)),)*
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

/// A mask of which only the rows are known.
#[derive(Clone, Copy, Debug)]
pub struct MaskNames {
    /// The bits that have names.
    pub rows: &'static [Row],
    /// The number.
    pub bits: u32,
}

impl MaskNames {
    /// The names of the bits that have one, in the order of the bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = move |row: &&Row| row.value != 0 && self.bits & row.value == row.value;
        self.rows.iter().filter(set).map(|row| row.name)
    }

    /// The bits that have no name.
    pub fn unnamed(self) -> u32 {
        self.rows.iter().fold(self.bits, |rest, row| rest & !row.value)
    }
}

impl fmt::Display for MaskNames {
    /// The names apart by blanks; bits without a name follow in hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}{name}")?;
            separator = " ";
        }
        match self.unnamed() {
            0 if self.bits != 0 => Ok(()),
            rest => write!(f, "{separator}0x{rest:08X}"),
        }
    }
}
