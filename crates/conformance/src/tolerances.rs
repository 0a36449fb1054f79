//! Table of the variations that a response may have from the printed one.
//!
//! The rules are OASIS's: 2.1 profiles, 4.1; for 1.0 to 1.2, section 4.7 of each profile and 8.4 of
//! the Additional Message Encodings, which number nothing and whose rows stand in the same order.
//! "Other variations not explicitly noted in this section SHALL be deemed non-conformant": **what
//! is in no row must be as it is printed.** A row's number is that of 4.1.1's two lists (V and P)
//! and of 4.1.2 (B); T is what the text of a case itself permits, and C what the cases permit by
//! contradicting each other. V7b, wrapped keys, has no row: the cases print symbols for them.

use std::ops::Range;

use kmip::Version;

/// Kind of a permitted variation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variation {
    /// The value; its type and, where that follows from the case, its length may not.
    Value,
    /// The value and its length.
    Length,
    /// What is inside the structure.
    Contents,
    /// It may be missing.
    Missing,
    /// It may be there though it is not printed.
    Extra,
    /// It and those beside it may stand in any order.
    Order,
}

/// Condition of a permitted variation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// On nothing.
    Always,
    /// The server made the object.
    Generated,
    /// The server made the object, and what it is to decrypt was never encrypted with it.
    Undecipherable,
    /// No request has fixed the date.
    NotFixed,
    /// The output of the operation is different each time.
    Varies,
    /// The request names no attributes, so that all are to be answered.
    AllAsked,
    /// It is the number 0.
    Zero,
    /// The request names no versions.
    NoVersionsAsked,
    /// The extension is not critical.
    NotCritical,
    /// No request has put the object into a group.
    NotGrouped,
}

/// One permitted variation.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its number.
    pub(crate) number: &'static str,
    /// The first version whose rules have it.
    pub(crate) since: Version,
    /// The last version whose rules have it.
    pub(crate) until: Version,
    /// The operations whose answers it is about; all, when there are none.
    pub(crate) operations: &'static [&'static str],
    /// The structure that it must stand in; any, when empty. What may come, go or change places
    /// must stand in it directly, a value however deep.
    pub(crate) inside: &'static str,
    /// The elements: names of tags and of attributes. All inside, when there are none.
    pub(crate) names: &'static [&'static str],
    /// Its kind.
    pub(crate) variation: Variation,
    /// Its condition.
    pub(crate) condition: Condition,
    /// What it says, or why it is here.
    pub(crate) why: &'static str,
}

/// The dates of V9. Two of them are no attributes of the standard, which has Process Start Date
/// and Protect Stop Date; the names are read as those.
const DATES: &[&str] = &[
    "ActivationDate",
    "ArchiveDate",
    "CompromiseDate",
    "CompromiseOccurrenceDate",
    "DeactivationDate",
    "DestroyDate",
    "InitialDate",
    "LastChangeDate",
    "ProcessStartDate",
    "ProtectStopDate",
    "ValidityDate",
    "OriginalCreationDate",
];

/// What operations of cryptography give out.
const OUTPUTS: &[&str] = &["Data", "SignatureData", "MACData", "IVCounterNonce"];
const CIPHERS: &[&str] = &["Encrypt", "Sign", "MAC"];
const ATTRIBUTES: &[&str] = &["GetAttributes"];
const NAMES: &[&str] = &["GetAttributeList"];
const ALL: &[&str] = &[];

/// Makes the table. `in` names the structure, `of` the operations.
macro_rules! rules {
    ($($number:literal $since:ident..=$until:ident $variation:ident $condition:ident
        of $operations:expr, in $inside:literal, $names:expr => $why:literal;)*) => {
        /// Every permitted variation.
        pub(crate) const RULES: &[Rule] = &[$(Rule {
            number: $number,
            since: Version::$since,
            until: Version::$until,
            operations: $operations,
            inside: $inside,
            names: $names,
            variation: Variation::$variation,
            condition: Condition::$condition,
            why: $why,
        },)*];
    };
}

rules! {
    "V1" V1_0..=V2_1 Value Always of ALL, in "", &["UniqueIdentifier"] => "Unique Identifier";
    "V1" V2_0..=V2_1 Value Always of ALL, in "", &["ShortUniqueIdentifier"]
        => "the identifier's short form, which the cases print as a symbol too";
    "V2" V1_0..=V2_1 Value Always of ALL, in "", &["PrivateKeyUniqueIdentifier"]
        => "Private Key Unique Identifier";
    "V3" V1_0..=V2_1 Value Always of ALL, in "", &["PublicKeyUniqueIdentifier"]
        => "Public Key Unique Identifier";
    "V5" V1_0..=V2_1 Length Always of ALL, in "", &["AsynchronousCorrelationValue"]
        => "Asynchronous Correlation Value";
    "V6" V1_0..=V2_1 Value Always of ALL, in "ResponseHeader", &["TimeStamp"] => "Time Stamp";
    "V7a" V1_0..=V2_1 Value Generated of ALL, in "KeyValue", &["KeyMaterial"]
        => "key material of an object that the server generates";
    "V8a" V1_0..=V2_1 Value Generated of CIPHERS, in "ResponsePayload", OUTPUTS
        => "output of cryptography with an object that the server generates";
    "V8a" V1_0..=V2_1 Length Undecipherable of &["Decrypt"], in "ResponsePayload", OUTPUTS
        => "what becomes of another key's text under one that the server generates";
    "V8b" V1_0..=V2_1 Length Varies of CIPHERS, in "ResponsePayload", OUTPUTS
        => "output of cryptography that is different each time";
    "V8b" V1_0..=V2_1 Value Always of &["RNGRetrieve"], in "ResponsePayload", OUTPUTS
        => "random bytes are different each time";
    "V9" V1_0..=V2_1 Value NotFixed of ALL, in "", DATES
        => "a date that no request has fixed";
    "V10" V1_0..=V2_1 Value Always of ALL, in "", &["LinkedObjectIdentifier"]
        => "Linked Object Identifier";
    "V11" V1_0..=V2_1 Value Generated of ALL, in "Digest", &["DigestValue"]
        => "the digest of an object that the server generates";
    "V12" V1_0..=V1_4 Value Generated of ALL, in "", &["KeyFormatType"]
        => "the format in which the server keeps what it makes; 2.x has defaults (2.1, 4.30)";
    "V14" V1_0..=V2_1 Extra Always of &["Query"], in "ResponsePayload", &["ExtensionInformation"]
        => "extensions that Query reports";
    "V14" V1_0..=V2_1 Contents Always of &["Query"], in "ResponsePayload", &["ExtensionInformation"]
        => "extensions that Query reports";
    "V15" V1_0..=V2_1 Length Always of &["Query"], in "ResponsePayload", &["ApplicationNamespace"]
        => "application namespaces that Query reports";
    "V16" V1_0..=V2_1 Extra Always of &["Query"], in "ResponsePayload", &["ObjectType"]
        => "object types that Query reports beyond the profile's";
    "V16" V1_0..=V2_1 Order Always of &["Query"], in "ResponsePayload", &["ObjectType"]
        => "object types that Query reports, of which others may stand anywhere";
    "V17" V1_0..=V2_1 Extra Always of &["Query"], in "ResponsePayload", &["Operation"]
        => "operations that Query reports beyond the profile's";
    "V17" V1_0..=V2_1 Order Always of &["Query"], in "ResponsePayload", &["Operation"]
        => "operations that Query reports, of which others may stand anywhere";
    "V19" V2_0..=V2_1 Length Always of ALL, in "ResponseHeader", &["ServerCorrelationValue"]
        => "Server Correlation Value";
    "V19" V2_0..=V2_1 Extra Always of ALL, in "ResponseHeader", &["ServerCorrelationValue"]
        => "Server Correlation Value, which the cases print for some requests and not for others";
    "V20" V2_0..=V2_1 Length Always of ALL, in "ResponseHeader", &["ClientCorrelationValue"]
        => "Client Correlation Value";
    "V21" V1_0..=V2_1 Extra Always of ATTRIBUTES, in "Attributes", ALL
        => "additional attributes, among them object groups (P1) and a vendor's own (P2)";
    "V21" V1_0..=V1_4 Extra Always of ATTRIBUTES, in "ResponsePayload", &["Attribute"]
        => "additional attributes, among them object groups (P1) and a server's own (P2)";
    "V21" V1_0..=V2_1 Extra Always of NAMES, in "ResponsePayload",
        &["AttributeName", "AttributeReference"]
        => "additional attributes, among them object groups (P1) and a server's own (P2)";
    "P1" V1_0..=V2_1 Missing NotGrouped of NAMES, in "ResponsePayload",
        &["Object Group", "ObjectGroup"]
        => "the Object Group of an object that no request has put into one";
    "P3" V1_0..=V2_1 Extra NotCritical of ALL, in "BatchItem", &["MessageExtension"]
        => "vendor extensions that are not critical";
    "P4" V1_0..=V2_1 Missing Always of ALL, in "BatchItem", &["ResultMessage"]
        => "Result Message, there or not";
    "P4" V1_0..=V2_1 Extra Always of ALL, in "BatchItem", &["ResultMessage"]
        => "Result Message, there or not";
    "P4" V1_0..=V2_1 Length Always of ALL, in "BatchItem", &["ResultMessage"]
        => "the text of a Result Message";
    "P5" V1_0..=V2_1 Extra NoVersionsAsked of &["DiscoverVersions"], in "ResponsePayload",
        &["ProtocolVersion"]
        => "versions beyond those printed, when the client has named none";
    "P6" V1_0..=V2_1 Length Always of &["Query"], in "ResponsePayload", &["VendorIdentification"]
        => "the vendor's name";
    "P6" V1_0..=V2_1 Missing Always of &["Query"], in "ResponsePayload", &["VendorIdentification"]
        => "the vendor's name (\"if included\")";
    "P7" V1_3..=V2_1 Contents Always of ALL, in "", &["RandomNumberGenerator"]
        => "everything in Random Number Generator";
    "P8" V1_3..=V2_1 Extra Always of &["Locate"], in "ResponsePayload", &["LocatedItems"]
        => "Located Items";
    "P9" V1_0..=V2_1 Contents Always of &["Query"], in "ResponsePayload", &["ServerInformation"]
        => "what is in Server Information, which must itself be there";
    "P10" V1_0..=V1_4 Extra Always of ALL, in "ResponsePayload", &["TemplateAttribute"]
        => "TemplateAttribute, where the specification has it as optional (1.x)";
    "P10" V1_0..=V1_4 Missing Always of ALL, in "ResponsePayload", &["TemplateAttribute"]
        => "TemplateAttribute, where the specification has it as optional (1.x)";
    "P11" V1_1..=V1_4 Extra Zero of ALL, in "", &["AttributeIndex"]
        => "an Attribute Index of 0 (1.x, from 1.1 on)";
    "P11" V1_1..=V1_4 Missing Zero of ALL, in "", &["AttributeIndex"]
        => "an Attribute Index of 0 (1.x, from 1.1 on)";
    "B5" V2_0..=V2_1 Order Always of ATTRIBUTES, in "Attributes", ALL
        => "the order of attributes";
    "C1" V1_0..=V1_4 Order AllAsked of ATTRIBUTES, in "ResponsePayload", &["Attribute"]
        => "the order of attributes of which none was asked for by name: no version says one";
    "C2" V1_0..=V2_1 Order Always of NAMES, in "ResponsePayload",
        &["AttributeName", "AttributeReference"]
        => "the order of names: SKFF-M-9-12 and SKFF-M-10-12 print two of one kind of object";
    "T1" V2_0..=V2_1 Value Always of &["PKCS_11"], in "ResponsePayload",
        &["PKCS_11OutputParameters"]
        => "the names of a PKCS#11 library and of its vendor that C_GetInfo tells, and its version";
}

/// The bytes of a value that stay as they are printed, though a rule frees its others. C_GetInfo
/// gives out the version of PKCS#11 itself, then a name, then flags, which are always zero, then
/// another name and its version (2.1 profiles, 5.18.1).
pub(crate) const FIXED_BYTES: &[(&str, &[Range<usize>])] =
    &[("PKCS_11OutputParameters", &[0..2, 34..42])];

/// A case whose own text permits more than the rules.
#[derive(Debug)]
pub(crate) struct CaseVariation {
    /// The case, without its version.
    pub(crate) case: &'static str,
    /// What its text says.
    pub(crate) text: &'static str,
    /// The elements of the payload that may come and go.
    pub(crate) names: &'static [&'static str],
    /// The values of these that may not go, since the profile requires them.
    pub(crate) required: &'static [&'static str],
}

const LISTS: &str =
    "the specific list of operations and object types returned in the response MAY vary";
const OF_QUERY: &[&str] = &["Operation", "ObjectType"];

/// What the Suite B profiles require (1.0, 2.2 and 2.3), of operations and of objects.
const SUITE_B: &[&str] = &[
    "Create",
    "CreateKeyPair",
    "Register",
    "ReKey",
    "ReKeyKeyPair",
    "Certificate",
    "SymmetricKey",
    "PublicKey",
    "PrivateKey",
];

/// Cases whose own text permits more than the rules.
pub(crate) const CASE_VARIATIONS: &[CaseVariation] = &[
    CaseVariation { case: "MSGENC-HTTPS-M-1", text: LISTS, names: OF_QUERY, required: &[] },
    CaseVariation { case: "MSGENC-JSON-M-1", text: LISTS, names: OF_QUERY, required: &[] },
    CaseVariation { case: "MSGENC-XML-M-1", text: LISTS, names: OF_QUERY, required: &[] },
    CaseVariation { case: "SUITEB_128-M-1", text: LISTS, names: OF_QUERY, required: SUITE_B },
    CaseVariation { case: "SUITEB_192-M-1", text: LISTS, names: OF_QUERY, required: SUITE_B },
];

impl Rule {
    /// Is the rule about this element of this answer, whatever it depends on?
    pub(crate) fn is_about(
        &self,
        version: Version,
        operation: &str,
        path: &[String],
        name: &str,
        variation: Variation,
    ) -> bool {
        let of = self.operations.is_empty() || self.operations.contains(&operation);
        let directly =
            matches!(variation, Variation::Extra | Variation::Missing | Variation::Order);
        let inside = match path.last() {
            _ if self.inside.is_empty() => true,
            Some(parent) if directly => parent == self.inside,
            Some(_) => path.iter().any(|outer| outer == self.inside),
            None => false,
        };
        let named = self.names.is_empty() || self.names.contains(&name);
        let versions = (self.since..=self.until).contains(&version);
        versions && of && inside && named && self.variation == variation
    }
}
