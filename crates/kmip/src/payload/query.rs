//! Query (1.4, 4.25; 2.1, 6.1.40): what the server can do.

use ttlv::{Error, Raw, Reader, Tag, Type, Writer};

use crate::codec::{Decode, Encode};
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::payload::DefaultsInformation;
use crate::structures::{ObjectGroups, RNGParameters};
use crate::version::Version;
use crate::vocabulary::{
    AttestationType, ClientRegistrationMethod, DestroyAction, ItemType, ObjectType, Operation,
    ProfileName, QueryFunction, RNGMode, ShreddingAlgorithm, UnwrapMode, ValidationAuthorityType,
    ValidationType,
};

const V1_1: Version = Version::V1_1;
const V1_2: Version = Version::V1_2;
const V1_3: Version = Version::V1_3;
const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;
const V2_1: Version = Version::V2_1;

structure! {
    /// What the client wants to know (1.4, 4.25; 2.1, 6.1.40).
    QueryRequest {
        /// The questions.
        QueryFunction => query_functions: Vec<QueryFunction>,
        /// The groups that the question is about (2.1).
        ObjectGroups [V2_1..] => object_groups: Option<ObjectGroups>,
    }
}

structure! {
    /// The answers; each is empty unless it was asked for (1.4, 4.25; 2.1, 6.1.40).
    #[derive(Default)]
    QueryResponse {
        /// The operations.
        Operation => operations: Vec<Operation>,
        /// The kinds of objects.
        ObjectType => object_types: Vec<ObjectType>,
        /// Who made the server.
        VendorIdentification => vendor_identification: Option<String>,
        /// What else its maker says of it.
        ServerInformation => server_information: Option<Box<ServerInformation>>,
        /// The namespaces that it makes application data for.
        ApplicationNamespace => application_namespaces: Vec<String>,
        /// Its extensions.
        ExtensionInformation [V1_1..] => extension_information: Vec<ExtensionInformation>,
        /// How a client may attest to what it is.
        AttestationType [V1_2..] => attestation_types: Vec<AttestationType>,
        /// How it makes random numbers.
        RNGParameters [V1_3..] => rng_parameters: Vec<RNGParameters>,
        /// The profiles that it keeps to.
        ProfileInformation [V1_3..] => profile_information: Vec<ProfileInformation>,
        /// The validations that it has.
        ValidationInformation [V1_3..] => validation_information: Vec<ValidationInformation>,
        /// What it can do beyond the operations.
        CapabilityInformation [V1_3..] => capability_information: Vec<CapabilityInformation>,
        /// How a client may register itself.
        ClientRegistrationMethod [V1_3..]
            => client_registration_methods: Vec<ClientRegistrationMethod>,
        /// The values it takes for attributes that are left out.
        DefaultsInformation [V2_0..] => defaults_information: Option<DefaultsInformation>,
        /// Where it can keep objects.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// An extension: an item whose tag stands in the vendors' range (1.4, 2.1.9; 2.1, 7.13).
    ExtensionInformation {
        /// Its name.
        ExtensionName => name: String,
        /// Its tag; left out of a mere list.
        ExtensionTag => tag: Option<i32>,
        /// The type of its values; left out of a mere list.
        ExtensionType => item_type: Option<ExtensionType>,
        /// The enumeration that its values are of (2.0 on).
        ExtensionEnumeration [V2_0..] => enumeration: Option<i32>,
        /// Is it an attribute (2.0 on)?
        ExtensionAttribute [V2_0..] => is_attribute: Option<bool>,
        /// The structure that it stands in (2.0 on).
        ExtensionParentStructureTag [V2_0..] => parent_structure_tag: Option<i32>,
        /// In words (2.0 on).
        ExtensionDescription [V2_0..] => description: Option<String>,
    }
}

/// The type of an extension's values: an Integer in 1.x, an Enumeration from 2.0 on
/// (1.4, 4.25; 2.1, 6.1.40).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionType(pub ItemType);

impl Encode for ExtensionType {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match version >= V2_0 {
            true => self.0.encode(tag, w, version),
            false => w.integer(tag, self.0.0.cast_signed()),
        }
    }
}

impl Decode for ExtensionType {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::Integer) => {
                r.integer(tag).map(|value| Self(ItemType(value.cast_unsigned())))
            }
            _ => Decode::decode(tag, r, version).map(Self),
        }
    }
}

structure! {
    /// A formal validation that the server has (1.4, 2.1.20; 2.1, 7.41).
    ValidationInformation {
        /// Who gives it.
        ValidationAuthorityType => authority_type: ValidationAuthorityType,
        /// In which country: two letters of ISO 3166.
        ValidationAuthorityCountry => authority_country: Option<String>,
        /// Where to find the authority.
        ValidationAuthorityURI => authority_uri: Option<String>,
        /// Of which version it is.
        ValidationVersionMajor => version_major: i32,
        /// The second part of it.
        ValidationVersionMinor => version_minor: Option<i32>,
        /// What was validated.
        ValidationType => validation_type: ValidationType,
        /// How strictly.
        ValidationLevel => level: i32,
        /// The certificate's number.
        ValidationCertificateIdentifier => certificate_identifier: Option<String>,
        /// Where the certificate is.
        ValidationCertificateURI => certificate_uri: Option<String>,
        /// What the vendor says of it.
        ValidationVendorURI => vendor_uri: Option<String>,
        /// The profiles that it is of.
        ValidationProfile => profiles: Vec<String>,
    }
}

structure! {
    /// What its maker says of the server (2.1, 7.37). In 1.x the content is the vendor's own, so
    /// none of these is sent there.
    #[derive(Default)]
    ServerInformation {
        /// The server's name.
        ServerName [V2_0..] => server_name: Option<String>,
        /// Its number.
        ServerSerialNumber [V2_0..] => server_serial_number: Option<String>,
        /// Its version.
        ServerVersion [V2_0..] => server_version: Option<String>,
        /// Its load.
        ServerLoad [V2_0..] => server_load: Option<String>,
        /// The product's name.
        ProductName [V2_0..] => product_name: Option<String>,
        /// Which build.
        BuildLevel [V2_0..] => build_level: Option<String>,
        /// When it was built.
        BuildDate [V2_0..] => build_date: Option<String>,
        /// Its cluster.
        ClusterInfo [V2_0..] => cluster_info: Option<String>,
        /// Where else to ask.
        AlternateFailoverEndpoints [V2_0..] => alternative_failover_endpoints: Vec<String>,
        /// The vendor's own, under whatever tags.
        VendorExtension => vendor_specific: RemainingItems,
    }
}

/// All remaining items of a structure, each under the tag that it came with
/// (1.4, 4.25; 2.1, 6.1.40).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemainingItems(pub Vec<Raw>);

impl Encode for RemainingItems {
    fn encode(&self, _: Tag, w: &mut Writer, _: Version) {
        self.0.iter().for_each(|item| w.raw(item.as_bytes()));
    }
}

impl Decode for RemainingItems {
    fn decode(_: Tag, r: &mut Reader<'_>, _: Version) -> Result<Self, Error> {
        let mut items = Vec::new();
        while !r.is_empty() {
            items.push(r.raw()?);
        }
        Ok(Self(items))
    }
}

structure! {
    /// A profile that the server keeps to (1.4, 2.1.19; 2.1, 7.31).
    ProfileInformation {
        /// The profile.
        ProfileName => profile_name: ProfileName,
        /// Which version of it (2.0 on).
        ProfileVersion [V2_0..] => profile_version: Option<ProfileVersion>,
        /// Where.
        ServerURI => server_uri: Option<String>,
        /// On which port.
        ServerPort => server_port: Option<i32>,
    }
}

structure! {
    /// The version of a profile (2.1, 7.32).
    ProfileVersion {
        /// The major number.
        ProfileVersionMajor => major: i32,
        /// The minor number.
        ProfileVersionMinor => minor: i32,
    }
}

structure! {
    /// What the server can do beyond the operations (1.4, 2.1.21; 2.1, 7.5).
    #[derive(Default)]
    CapabilityInformation {
        /// May data come in pieces?
        StreamingCapability => streaming_capability: Option<bool>,
        /// May an answer come later?
        AsynchronousCapability => asynchronous_capability: Option<bool>,
        /// Can it attest?
        AttestationCapability => attestation_capability: Option<bool>,
        /// Can a batch be undone?
        BatchUndoCapability [V1_4..] => batch_undo_capability: Option<bool>,
        /// Can a batch go on after an error?
        BatchContinueCapability [V1_4..] => batch_continue_capability: Option<bool>,
        /// How a wrapped key is unwrapped.
        UnwrapMode => unwrap_mode: Option<UnwrapMode>,
        /// What Destroy does.
        DestroyAction => destroy_action: Option<DestroyAction>,
        /// How it shreds.
        ShreddingAlgorithm => shredding_algorithm: Option<ShreddingAlgorithm>,
        /// How random numbers are shared out.
        RNGMode => rng_mode: Option<RNGMode>,
        /// Quantum-safe?
        QuantumSafeCapability [V2_0..] => quantum_safe_capability: Option<bool>,
    }
}
