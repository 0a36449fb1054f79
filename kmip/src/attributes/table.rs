//! The table of attributes: one row each, in the order of the names.
//!
//! Name of 1.x, versions, instances, and what a client may do: sections 3 of 1.0 to 1.4 and 4 of
//! 2.0 and 2.1, second table of each attribute.

use ttlv::{Error, Reader, Tag, Writer};

use crate::codec::{DateTime, Decode, Encode, Interval};
use crate::structures::{
    AlternativeName, ApplicationSpecificInformation, CertificateIdentifier, CertificateIssuer,
    CertificateSubject, CryptographicDomainParameters, CryptographicParameters, Digest,
    KeyValueLocation, Link, Name, RNGParameters, RevocationReason, RotateName, UsageLimits,
    X509CertificateIdentifier, X509CertificateIssuer, X509CertificateSubject,
};
use crate::version::Version;
use crate::vocabulary::{
    CertificateType, CryptographicAlgorithm, CryptographicUsageMask, DigitalSignatureAlgorithm,
    KeyFormatType, NISTKeyType, ObjectType, OpaqueDataType, ProtectionLevel, ProtectionStorageMask,
    State, tags,
};

use super::AttributeReference;
use super::value::{OtherAttribute, VendorAttribute, value};

/// What the standard says of one attribute.
#[derive(Debug)]
pub struct AttributeRow {
    /// Its tag, which is its name in 2.x.
    pub tag: Tag,
    /// Its name in 1.x.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it.
    pub until: Version,
    /// May an object have several?
    pub multiple: bool,
    /// May a client give it, when the object is made or later?
    pub settable: Settable,
    /// May a client change it?
    pub modifiable: Modifiable,
    /// May a client delete it?
    pub deletable: bool,
}

impl AttributeRow {
    /// The versions that have it.
    pub const fn versions(&self) -> core::ops::RangeInclusive<Version> {
        self.since..=self.until
    }
}

/// Who may give an attribute its first value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settable {
    /// The server alone.
    Server,
    /// The client, in the request that makes the object and never after.
    AtCreation,
    /// The client, at any time.
    Client,
}

/// When a client may change an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifiable {
    /// Never.
    Never,
    /// While the object is Pre-Active.
    PreActive,
    /// While the object is Pre-Active or Active.
    UntilDeactivated,
    /// Always.
    Always,
}

use Modifiable::{Always, Never, PreActive, UntilDeactivated};
use Settable::{AtCreation, Client, Server};

const ONE: bool = false;
const MANY: bool = true;
const DELETE: bool = true;
const KEEP: bool = false;

/// Makes the enum of values, its codec and the table out of the rows.
macro_rules! attributes {
    ($(
        $tag:ident($ty:ty), $name:literal, $since:ident..=$until:ident,
        $multiple:ident, $settable:ident, $modifiable:ident, $deletable:ident;
    )*) => {
        /// What an attribute says (1.4, 3; 2.1, 4).
        #[derive(Clone, Debug, PartialEq)]
        #[allow(
            missing_docs,
            non_camel_case_types,
            reason = "each variant is named after its attribute, as the standard spells it"
        )]
        pub enum AttributeValue {
            $($tag($ty),)*
            /// A vendor's or a client's own.
            Vendor(VendorAttribute),
            /// One that is in no row.
            Other(OtherAttribute),
        }

        #[allow(non_upper_case_globals, reason = "the names are the standard's")]
        mod rows {
            use super::*;

            $(pub(super) const $tag: AttributeRow = AttributeRow {
                tag: tags::$tag,
                name: $name,
                since: Version::$since,
                until: Version::$until,
                multiple: $multiple,
                settable: $settable,
                modifiable: $modifiable,
                deletable: $deletable,
            };)*
        }

        /// Every attribute of every version.
        pub const ATTRIBUTES: &[AttributeRow] = &[$(rows::$tag,)*];

        impl AttributeValue {
            /// The row of the attribute with this tag.
            pub const fn row(tag: Tag) -> Option<&'static AttributeRow> {
                match tag {
                    $(tags::$tag => Some(&rows::$tag),)*
                    _ => None,
                }
            }
        }

        impl AttributeValue {
            /// How it is referred to.
            pub fn reference(&self) -> AttributeReference {
                match self {
                    $(Self::$tag(_) => AttributeReference::Standard(tags::$tag),)*
                    Self::Vendor(v) => AttributeReference::Vendor {
                        vendor: v.vendor.clone(),
                        name: v.name.clone(),
                    },
                    Self::Other(OtherAttribute::Named(name, _)) => {
                        AttributeReference::Unknown(name.clone())
                    }
                    Self::Other(OtherAttribute::Tagged(tag, _)) => {
                        AttributeReference::Standard(*tag)
                    }
                }
            }

            /// Its tag; none for those that have a name instead.
            pub const fn tag(&self) -> Option<Tag> {
                match self {
                    $(Self::$tag(_) => Some(tags::$tag),)*
                    Self::Other(OtherAttribute::Tagged(tag, _)) => Some(*tag),
                    Self::Vendor(_) | Self::Other(OtherAttribute::Named(..)) => None,
                }
            }

            /// Writes the value alone, under `tag`.
            pub fn encode_value(&self, tag: Tag, w: &mut Writer, version: Version) {
                match self {
                    $(Self::$tag(value) => value.encode(tag, w, version),)*
                    Self::Vendor(vendor) => w.raw(vendor.value.as_bytes()),
                    Self::Other(OtherAttribute::Named(_, raw) | OtherAttribute::Tagged(_, raw)) => {
                        w.raw(raw.as_bytes());
                    }
                }
            }

            /// Reads the value of the attribute `attribute`, which stands under `tag`; none when
            /// the attribute is in no row.
            pub fn decode_value(
                attribute: Tag,
                tag: Tag,
                r: &mut Reader<'_>,
                version: Version,
            ) -> Result<Option<Self>, Error> {
                Ok(Some(match attribute {
                    $(tags::$tag => Self::$tag(Decode::decode(tag, r, version)?),)*
                    _ => return Ok(None),
                }))
            }
        }
    };
}

attributes! {
    ActivationDate(DateTime), "Activation Date", V1_0..=V3_0, ONE, Client, PreActive, KEEP;
    AlternativeName(AlternativeName), "Alternative Name", V1_2..=V3_0, MANY, Client, Always, DELETE;
    AlwaysSensitive(bool), "Always Sensitive", V1_4..=V3_0, ONE, Server, Never, KEEP;
    ApplicationSpecificInformation(ApplicationSpecificInformation),
        "Application Specific Information", V1_0..=V3_0, MANY, Client, Always, DELETE;
    ArchiveDate(DateTime), "Archive Date", V1_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateIdentifier(CertificateIdentifier), "Certificate Identifier", V1_0..=V1_4,
        ONE, Server, Never, KEEP;
    CertificateIssuer(CertificateIssuer), "Certificate Issuer", V1_0..=V1_4,
        ONE, Server, Never, KEEP;
    CertificateIssuerC(String), "Certificate Issuer C", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateIssuerCN(String), "Certificate Issuer CN", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateIssuerDC(String), "Certificate Issuer DC", V2_0..=V3_0, MANY, Server, Never, KEEP;
    CertificateIssuerDNQualifier(String), "Certificate Issuer DN Qualifier", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateIssuerEmail(String), "Certificate Issuer Email", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateIssuerL(String), "Certificate Issuer L", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateIssuerO(String), "Certificate Issuer O", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateIssuerOU(String), "Certificate Issuer OU", V2_0..=V3_0, MANY, Server, Never, KEEP;
    CertificateIssuerST(String), "Certificate Issuer ST", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateIssuerSerialNumber(String), "Certificate Issuer Serial Number", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateIssuerTitle(String), "Certificate Issuer Title", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateIssuerUID(String), "Certificate Issuer UID", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateLength(i32), "Certificate Length", V1_1..=V3_0, ONE, Server, Never, KEEP;
    CertificateSubject(CertificateSubject), "Certificate Subject", V1_0..=V1_4,
        ONE, Server, Never, KEEP;
    CertificateSubjectC(String), "Certificate Subject C", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateSubjectCN(String), "Certificate Subject CN", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateSubjectDC(String), "Certificate Subject DC", V2_0..=V3_0, MANY, Server, Never, KEEP;
    CertificateSubjectDNQualifier(String), "Certificate Subject DN Qualifier", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateSubjectEmail(String), "Certificate Subject Email", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateSubjectL(String), "Certificate Subject L", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateSubjectO(String), "Certificate Subject O", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateSubjectOU(String), "Certificate Subject OU", V2_0..=V3_0, MANY, Server, Never, KEEP;
    CertificateSubjectST(String), "Certificate Subject ST", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateSubjectSerialNumber(String), "Certificate Subject Serial Number", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateSubjectTitle(String), "Certificate Subject Title", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    CertificateSubjectUID(String), "Certificate Subject UID", V2_0..=V3_0, ONE, Server, Never, KEEP;
    CertificateType(CertificateType), "Certificate Type", V1_0..=V3_0, ONE, Server, Never, KEEP;
    Comment(String), "Comment", V1_4..=V3_0, ONE, Client, Always, DELETE;
    CompromiseDate(DateTime), "Compromise Date", V1_0..=V3_0, ONE, Server, Never, KEEP;
    CompromiseOccurrenceDate(DateTime), "Compromise Occurrence Date", V1_0..=V3_0,
        ONE, Server, Never, KEEP;
    ContactInformation(String), "Contact Information", V1_0..=V3_0, ONE, Client, Always, DELETE;
    CryptographicAlgorithm(CryptographicAlgorithm), "Cryptographic Algorithm", V1_0..=V3_0,
        ONE, AtCreation, Never, KEEP;
    CryptographicDomainParameters(CryptographicDomainParameters),
        "Cryptographic Domain Parameters", V1_0..=V3_0, ONE, AtCreation, Never, KEEP;
    CryptographicLength(i32), "Cryptographic Length", V1_0..=V3_0, ONE, AtCreation, Never, KEEP;
    CryptographicParameters(CryptographicParameters), "Cryptographic Parameters", V1_0..=V3_0,
        MANY, Client, Always, DELETE;
    CryptographicUsageMask(CryptographicUsageMask), "Cryptographic Usage Mask", V1_0..=V3_0,
        ONE, AtCreation, Never, KEEP;
    DeactivationDate(DateTime), "Deactivation Date", V1_0..=V3_0,
        ONE, Client, UntilDeactivated, KEEP;
    Description(String), "Description", V1_4..=V3_0, ONE, Client, Always, DELETE;
    DestroyDate(DateTime), "Destroy Date", V1_0..=V3_0, ONE, Server, Never, KEEP;
    Digest(Digest), "Digest", V1_0..=V3_0, MANY, Server, Never, KEEP;
    DigitalSignatureAlgorithm(DigitalSignatureAlgorithm), "Digital Signature Algorithm",
        V1_1..=V3_0, MANY, Server, Never, KEEP;
    Extractable(bool), "Extractable", V1_4..=V3_0, ONE, Client, Always, KEEP;
    Fresh(bool), "Fresh", V1_1..=V3_0, ONE, AtCreation, Never, KEEP;
    InitialDate(DateTime), "Initial Date", V1_0..=V3_0, ONE, Server, Never, KEEP;
    KeyFormatType(KeyFormatType), "Key Format Type", V2_0..=V3_0, ONE, Server, Never, KEEP;
    KeyValueLocation(KeyValueLocation), "Key Value Location", V1_2..=V3_0,
        MANY, Client, Always, DELETE;
    KeyValuePresent(bool), "Key Value Present", V1_2..=V3_0, ONE, Server, Never, KEEP;
    LastChangeDate(DateTime), "Last Change Date", V1_0..=V3_0, ONE, Server, Never, KEEP;
    LeaseTime(Interval), "Lease Time", V1_0..=V3_0, ONE, Server, Never, KEEP;
    Link(Link), "Link", V1_0..=V3_0, MANY, Client, Always, DELETE;
    Name(Name), "Name", V1_0..=V3_0, MANY, Client, Always, DELETE;
    NeverExtractable(bool), "Never Extractable", V1_4..=V3_0, ONE, Server, Never, KEEP;
    NISTKeyType(NISTKeyType), "NIST Key Type", V2_0..=V3_0, MANY, Client, Never, KEEP;
    ObjectGroup(String), "Object Group", V1_0..=V3_0, MANY, Client, Always, DELETE;
    ObjectType(ObjectType), "Object Type", V1_0..=V3_0, ONE, Server, Never, KEEP;
    OpaqueDataType(OpaqueDataType), "Opaque Data Type", V2_0..=V3_0, ONE, Server, Never, KEEP;
    OperationPolicyName(String), "Operation Policy Name", V1_0..=V1_4,
        ONE, AtCreation, Never, KEEP;
    OriginalCreationDate(DateTime), "Original Creation Date", V1_2..=V3_0,
        ONE, AtCreation, Never, KEEP;
    PKCS_12FriendlyName(String), "PKCS#12 Friendly Name", V1_4..=V3_0, ONE, Client, Always, DELETE;
    ProcessStartDate(DateTime), "Process Start Date", V1_0..=V3_0,
        ONE, Client, UntilDeactivated, KEEP;
    ProtectStopDate(DateTime), "Protect Stop Date", V1_0..=V3_0,
        ONE, Client, UntilDeactivated, KEEP;
    ProtectionLevel(ProtectionLevel), "Protection Level", V2_0..=V3_0, ONE, Client, Always, DELETE;
    ProtectionPeriod(Interval), "Protection Period", V2_0..=V3_0, ONE, Client, Always, DELETE;
    ProtectionStorageMask(ProtectionStorageMask), "Protection Storage Mask", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    QuantumSafe(bool), "Quantum Safe", V2_0..=V3_0, ONE, Client, Always, DELETE;
    RandomNumberGenerator(RNGParameters), "Random Number Generator", V1_3..=V3_0,
        ONE, AtCreation, Never, KEEP;
    RevocationReason(RevocationReason), "Revocation Reason", V1_0..=V3_0, ONE, Server, Never, KEEP;
    RotateAutomatic(bool), "Rotate Automatic", V2_1..=V3_0, ONE, Client, Never, KEEP;
    RotateDate(DateTime), "Rotate Date", V2_1..=V3_0, ONE, Server, Never, KEEP;
    RotateGeneration(i32), "Rotate Generation", V2_1..=V3_0, ONE, Server, Never, KEEP;
    RotateInterval(Interval), "Rotate Interval", V2_1..=V3_0, ONE, Client, Never, KEEP;
    RotateLatest(bool), "Rotate Latest", V2_1..=V3_0, ONE, Server, Never, KEEP;
    RotateName(RotateName), "Rotate Name", V2_1..=V3_0, ONE, Client, Always, DELETE;
    RotateOffset(Interval), "Rotate Offset", V2_1..=V3_0, ONE, Client, Never, KEEP;
    Sensitive(bool), "Sensitive", V1_4..=V3_0, ONE, Client, Always, KEEP;
    ShortUniqueIdentifier(Vec<u8>), "Short Unique Identifier", V2_0..=V3_0,
        ONE, Server, Never, KEEP;
    State(State), "State", V1_0..=V3_0, ONE, Server, Never, KEEP;
    UniqueIdentifier(String), "Unique Identifier", V1_0..=V3_0, ONE, Server, Never, KEEP;
    UsageLimits(UsageLimits), "Usage Limits", V1_0..=V3_0, ONE, Client, Always, DELETE;
    X_509CertificateIdentifier(X509CertificateIdentifier), "X.509 Certificate Identifier",
        V1_1..=V3_0, ONE, Server, Never, KEEP;
    X_509CertificateIssuer(X509CertificateIssuer), "X.509 Certificate Issuer", V1_1..=V3_0,
        ONE, Server, Never, KEEP;
    X_509CertificateSubject(X509CertificateSubject), "X.509 Certificate Subject", V1_1..=V3_0,
        ONE, Server, Never, KEEP;
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of ninety attributes a match names those that it is about"
)]
impl AttributeValue {
    /// The name in 1.x.
    pub fn name(&self) -> String {
        match self {
            Self::Vendor(vendor) => vendor.custom_name(),
            other => other.reference().name(),
        }
    }

    /// Does `version` have a form for it?
    pub fn exists_in(&self, version: Version) -> bool {
        match self {
            Self::Vendor(vendor) => vendor.exists_in(version),
            Self::Other(OtherAttribute::Named(..)) => version < Version::V2_0,
            Self::Other(OtherAttribute::Tagged(..)) => version >= Version::V2_0,
            other => {
                other.tag().and_then(Self::row).is_some_and(|row| row.versions().contains(&version))
            }
        }
    }

    /// Writes it as 2.x has it, under its own tag; nothing when the version does not have it.
    pub(super) fn encode_flat(&self, w: &mut Writer, version: Version) {
        if !self.exists_in(version) {
            return;
        }
        match self {
            Self::Vendor(vendor) => vendor.encode_flat(w),
            other => other.encode_value(other.tag().unwrap_or(tags::Attribute), w, version),
        }
    }

    /// Reads whatever attribute of 2.x stands next.
    pub(super) fn decode_flat(r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let tag = r.peek().unwrap_or(Tag(0));
        if tag == tags::Attribute {
            return VendorAttribute::decode_flat(r).map(Self::Vendor);
        }
        match Self::decode_value(tag, tag, r, version)? {
            Some(value) => Ok(value),
            None => r.raw().map(|raw| Self::Other(OtherAttribute::Tagged(tag, raw))),
        }
    }

    /// Reads the value of an attribute of 1.x, whose name has been read.
    pub(super) fn decode_named(
        name: &str,
        r: &mut Reader<'_>,
        version: Version,
    ) -> Result<Self, Error> {
        match AttributeReference::from_name(name) {
            AttributeReference::Standard(tag) => {
                match Self::decode_value(tag, tags::AttributeValue, r, version)? {
                    Some(value) => Ok(value),
                    None => Ok(Self::Other(OtherAttribute::Named(name.to_owned(), value(r)?))),
                }
            }
            AttributeReference::Vendor { vendor, name } => {
                Ok(Self::Vendor(VendorAttribute { vendor, name, value: value(r)? }))
            }
            AttributeReference::Unknown(name) => {
                Ok(Self::Other(OtherAttribute::Named(name, value(r)?)))
            }
        }
    }
}
