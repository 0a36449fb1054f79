//! The table of attributes: one row each, in the order of the names.
//!
//! Name of 1.x, versions, instances, what a client may do, and which objects have it: sections 3 of
//! 1.0 to 1.4 and 4 of 2.0 and 2.1, second table of each attribute; 1.4, appendix B.

use ttlv::{Error, Reader, Tag, Writer};

use crate::codec::{DateTime, Decode, Encode, Field, Interval};
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

use super::applicable_types::*;
use super::row::AttributeRow;
use super::row::Modifiable::{Always, Never, PreActive, UntilDeactivated, UntilReached};
use super::row::Settable::{AtCreation, Client, Server};
use super::vendor::{OtherAttribute, VendorAttribute};

const ONE: bool = false;
const MANY: bool = true;
const DELETE: bool = true;
const KEEP: bool = false;

/// Makes the enumeration of values, its codec and the table out of the rows.
macro_rules! attributes {
    ($(
        $tag:ident($ty:ty), $name:literal, $since:ident..=$until:ident,
        $multiple:ident, $settable:ident, $modifiable:ident, $deletable:ident, $object_types:ident;
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
        impl AttributeRow {
            $(const $tag: Self = Self {
                tag: tags::$tag,
                name: $name,
                since: Version::$since,
                until: Version::$until,
                multiple: $multiple,
                settable: $settable,
                modifiable: $modifiable,
                deletable: $deletable,
                object_types: $object_types,
            };)*
        }

        /// Every attribute of every version.
        pub const ATTRIBUTES: &[AttributeRow] = &[$(AttributeRow::$tag,)*];

        impl AttributeValue {
            /// The attributes as items of a structure, which is what 2.x makes of them.
            pub const FIELDS: &'static [Field] = &[$(Field {
                name: stringify!($tag),
                tag: tags::$tag,
                is_in: |version| AttributeRow::$tag.versions().contains(&version),
                fields: <$ty as Encode>::FIELDS,
            },)*];

            /// The row of the attribute with this tag.
            pub const fn row(tag: Tag) -> Option<&'static AttributeRow> {
                match tag {
                    $(tags::$tag => Some(&AttributeRow::$tag),)*
                    _ => None,
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
    ActivationDate(DateTime), "Activation Date", V1_0..=V3_0,
        ONE, Client, PreActive, KEEP, CRYPTOGRAPHIC_T;
    AlternativeName(AlternativeName), "Alternative Name", V1_2..=V3_0,
        MANY, Client, Always, DELETE, ALL;
    AlwaysSensitive(bool), "Always Sensitive", V1_4..=V3_0, ONE, Server, Never, KEEP, ALL;
    ApplicationSpecificInformation(ApplicationSpecificInformation),
        "Application Specific Information", V1_0..=V3_0, MANY, Client, Always, DELETE, ALL;
    ArchiveDate(DateTime), "Archive Date", V1_0..=V3_0, ONE, Server, Never, KEEP, ALL;
    CertificateIdentifier(CertificateIdentifier), "Certificate Identifier", V1_0..=V1_4,
        ONE, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuer(CertificateIssuer), "Certificate Issuer", V1_0..=V1_4,
        ONE, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerC(String), "Certificate Issuer C", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerCN(String), "Certificate Issuer CN", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerDC(String), "Certificate Issuer DC", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerDNQualifier(String), "Certificate Issuer DN Qualifier", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerEmail(String), "Certificate Issuer Email", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerL(String), "Certificate Issuer L", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerO(String), "Certificate Issuer O", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerOU(String), "Certificate Issuer OU", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerST(String), "Certificate Issuer ST", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerSerialNumber(String), "Certificate Issuer Serial Number", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerTitle(String), "Certificate Issuer Title", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateIssuerUID(String), "Certificate Issuer UID", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateLength(i32), "Certificate Length", V1_1..=V3_0,
        ONE, AtCreation, Never, KEEP, CERTIFICATES;
    CertificateSubject(CertificateSubject), "Certificate Subject", V1_0..=V1_4,
        ONE, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectC(String), "Certificate Subject C", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectCN(String), "Certificate Subject CN", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectDC(String), "Certificate Subject DC", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectDNQualifier(String), "Certificate Subject DN Qualifier", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectEmail(String), "Certificate Subject Email", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectL(String), "Certificate Subject L", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectO(String), "Certificate Subject O", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectOU(String), "Certificate Subject OU", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectST(String), "Certificate Subject ST", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectSerialNumber(String), "Certificate Subject Serial Number", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectTitle(String), "Certificate Subject Title", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateSubjectUID(String), "Certificate Subject UID", V2_0..=V3_0,
        MANY, Server, Never, KEEP, CERTIFICATES;
    CertificateType(CertificateType), "Certificate Type", V1_0..=V3_0,
        ONE, AtCreation, Never, KEEP, CERTIFICATES;
    Comment(String), "Comment", V1_4..=V3_0, ONE, Client, Always, DELETE, ALL;
    CompromiseDate(DateTime), "Compromise Date", V1_0..=V3_0, ONE, Server, Never, KEEP, NO_TEMPLATE;
    CompromiseOccurrenceDate(DateTime), "Compromise Occurrence Date", V1_0..=V3_0,
        ONE, Server, Never, KEEP, NO_TEMPLATE;
    ContactInformation(String), "Contact Information", V1_0..=V3_0,
        ONE, Client, Always, DELETE, ALL;
    CryptographicAlgorithm(CryptographicAlgorithm), "Cryptographic Algorithm", V1_0..=V3_0,
        ONE, AtCreation, Never, KEEP, KEYS_CERTIFICATES_T;
    CryptographicDomainParameters(CryptographicDomainParameters),
        "Cryptographic Domain Parameters", V1_0..=V3_0, ONE, Client, Never, KEEP, PAIRS_T;
    CryptographicLength(i32), "Cryptographic Length", V1_0..=V3_0,
        ONE, AtCreation, Never, KEEP, KEYS_CERTIFICATES_T;
    // In a box: it is twice as large as any other, and an attribute is moved often.
    CryptographicParameters(Box<CryptographicParameters>), "Cryptographic Parameters", V1_0..=V3_0,
        MANY, Client, Always, DELETE, KEYS_CERTIFICATES_T;
    CryptographicUsageMask(CryptographicUsageMask), "Cryptographic Usage Mask", V1_0..=V3_0,
        ONE, Client, Never, KEEP, CRYPTOGRAPHIC_T;
    DeactivationDate(DateTime), "Deactivation Date", V1_0..=V3_0,
        ONE, Client, UntilDeactivated, KEEP, CRYPTOGRAPHIC_T;
    Description(String), "Description", V1_4..=V3_0, ONE, Client, Always, DELETE, ALL;
    DestroyDate(DateTime), "Destroy Date", V1_0..=V3_0, ONE, Server, Never, KEEP, NO_TEMPLATE;
    Digest(Digest), "Digest", V1_0..=V3_0, MANY, Server, Never, KEEP, NO_TEMPLATE;
    DigitalSignatureAlgorithm(DigitalSignatureAlgorithm),
        "Digital Signature Algorithm", V1_1..=V3_0, MANY, AtCreation, Never, KEEP, SIGNED;
    Extractable(bool), "Extractable", V1_4..=V3_0, ONE, Client, Always, KEEP, ALL;
    Fresh(bool), "Fresh", V1_1..=V3_0, ONE, AtCreation, Never, KEEP, CRYPTOGRAPHIC;
    InitialDate(DateTime), "Initial Date", V1_0..=V3_0, ONE, Server, Never, KEEP, ALL;
    KeyFormatType(KeyFormatType), "Key Format Type", V2_0..=V3_0, ONE, AtCreation, Never, KEEP, ALL;
    KeyValueLocation(KeyValueLocation), "Key Value Location", V1_2..=V3_0,
        MANY, Client, Always, DELETE, KEY_VALUES;
    KeyValuePresent(bool), "Key Value Present", V1_2..=V3_0, ONE, Server, Never, KEEP, KEY_VALUES;
    LastChangeDate(DateTime), "Last Change Date", V1_0..=V3_0, ONE, Server, Never, KEEP, ALL;
    LeaseTime(Interval), "Lease Time", V1_0..=V3_0, ONE, Server, Never, KEEP, NO_TEMPLATE;
    Link(Link), "Link", V1_0..=V3_0, MANY, Client, Always, DELETE, CRYPTOGRAPHIC;
    Name(Name), "Name", V1_0..=V3_0, MANY, Client, Always, DELETE, ALL;
    NeverExtractable(bool), "Never Extractable", V1_4..=V3_0, ONE, Server, Never, KEEP, ALL;
    NISTKeyType(NISTKeyType), "NIST Key Type", V2_0..=V3_0, MANY, Client, Never, KEEP, ALL;
    ObjectGroup(String), "Object Group", V1_0..=V3_0, MANY, Client, Always, DELETE, ALL;
    ObjectType(ObjectType), "Object Type", V1_0..=V3_0, ONE, Server, Never, KEEP, ALL;
    OpaqueDataType(OpaqueDataType), "Opaque Data Type", V2_0..=V3_0,
        ONE, Server, Never, KEEP, OPAQUE;
    OperationPolicyName(String), "Operation Policy Name", V1_0..=V1_4,
        ONE, Client, Never, KEEP, ALL;
    OriginalCreationDate(DateTime), "Original Creation Date", V1_2..=V3_0,
        ONE, Client, Never, KEEP, ALL;
    PKCS_12FriendlyName(String), "PKCS#12 Friendly Name", V1_4..=V3_0,
        ONE, Client, Always, DELETE, CRYPTOGRAPHIC;
    // The text has these two for symmetric keys alone (1.4, 3.25 and 3.26); the committee's own
    // case gives them to a private and a public key (CS-AC-M-8-12).
    ProcessStartDate(DateTime), "Process Start Date", V1_0..=V3_0,
        ONE, Client, UntilReached, KEEP, KEYS_T;
    ProtectStopDate(DateTime), "Protect Stop Date", V1_0..=V3_0,
        ONE, Client, UntilReached, KEEP, KEYS_T;
    ProtectionLevel(ProtectionLevel), "Protection Level", V2_0..=V3_0,
        ONE, Client, Always, DELETE, ALL;
    ProtectionPeriod(Interval), "Protection Period", V2_0..=V3_0, ONE, Client, Always, DELETE, ALL;
    ProtectionStorageMask(ProtectionStorageMask), "Protection Storage Mask", V2_0..=V3_0,
        ONE, Server, Never, KEEP, ALL;
    QuantumSafe(bool), "Quantum Safe", V2_0..=V3_0, ONE, Client, Always, DELETE, ALL;
    RandomNumberGenerator(RNGParameters), "Random Number Generator", V1_3..=V3_0,
        ONE, Client, Never, KEEP, CRYPTOGRAPHIC;
    RevocationReason(RevocationReason), "Revocation Reason", V1_0..=V3_0,
        ONE, Server, Never, KEEP, NO_TEMPLATE;
    RotateAutomatic(bool), "Rotate Automatic", V2_1..=V3_0, ONE, Client, Never, KEEP, ALL;
    RotateDate(DateTime), "Rotate Date", V2_1..=V3_0, ONE, Server, Never, KEEP, ALL;
    RotateGeneration(i32), "Rotate Generation", V2_1..=V3_0, ONE, Server, Never, KEEP, ALL;
    RotateInterval(Interval), "Rotate Interval", V2_1..=V3_0, ONE, Client, Never, KEEP, ALL;
    RotateLatest(bool), "Rotate Latest", V2_1..=V3_0, ONE, Server, Never, KEEP, ALL;
    RotateName(RotateName), "Rotate Name", V2_1..=V3_0, ONE, Client, Always, DELETE, ALL;
    RotateOffset(Interval), "Rotate Offset", V2_1..=V3_0, ONE, Client, Never, KEEP, ALL;
    Sensitive(bool), "Sensitive", V1_4..=V3_0, ONE, Client, Always, KEEP, ALL;
    ShortUniqueIdentifier(Vec<u8>), "Short Unique Identifier", V2_0..=V3_0,
        ONE, Server, Never, KEEP, ALL;
    State(State), "State", V1_0..=V3_0, ONE, Server, Never, KEEP, CRYPTOGRAPHIC;
    UniqueIdentifier(String), "Unique Identifier", V1_0..=V3_0, ONE, Server, Never, KEEP, ALL;
    UsageLimits(UsageLimits), "Usage Limits", V1_0..=V3_0, ONE, Client, Always, DELETE, KEYS_T;
    X_509CertificateIdentifier(X509CertificateIdentifier),
        "X.509 Certificate Identifier", V1_1..=V3_0, ONE, Server, Never, KEEP, CERTIFICATES;
    X_509CertificateIssuer(X509CertificateIssuer), "X.509 Certificate Issuer", V1_1..=V3_0,
        ONE, Server, Never, KEEP, CERTIFICATES;
    X_509CertificateSubject(X509CertificateSubject), "X.509 Certificate Subject", V1_1..=V3_0,
        ONE, Server, Never, KEEP, CERTIFICATES;
}
