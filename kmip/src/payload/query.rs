//! Query (1.4, 4.25; 2.1, 6.1.40): what the server can do.

use ttlv::Raw;

use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::structures::RNGParameters;
use crate::version::Version;
use crate::vocabulary::{
    AttestationType, ClientRegistrationMethod, DestroyAction, ObjectType, Operation, ProfileName,
    QueryFunction, RNGMode, ShreddingAlgorithm, UnwrapMode,
};

const V1_1: Version = Version::V1_1;
const V1_2: Version = Version::V1_2;
const V1_3: Version = Version::V1_3;
const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;
const V2_1: Version = Version::V2_1;

structure! {
    /// What the client wants to know.
    QueryRequest {
        /// The questions.
        QueryFunction => query_functions: Vec<QueryFunction>,
        /// The groups that the question is about.
        ObjectGroup [V2_1..] => object_groups: Vec<String>,
    }
}

structure! {
    /// The answers; each is empty unless it was asked for.
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
        ExtensionInformation [V1_1..] => extension_information: Vec<Raw>,
        /// How a client may attest to what it is.
        AttestationType [V1_2..] => attestation_types: Vec<AttestationType>,
        /// How it makes random numbers.
        RNGParameters [V1_3..] => rng_parameters: Vec<RNGParameters>,
        /// The profiles that it keeps to.
        ProfileInformation [V1_3..] => profile_information: Vec<ProfileInformation>,
        /// The validations that it has.
        ValidationInformation [V1_3..] => validation_information: Vec<Raw>,
        /// What it can do beyond the operations.
        CapabilityInformation [V1_3..] => capability_information: Vec<CapabilityInformation>,
        /// How a client may register itself.
        ClientRegistrationMethod [V1_3..]
            => client_registration_methods: Vec<ClientRegistrationMethod>,
        /// The values it takes for attributes that are left out.
        DefaultsInformation [V2_0..] => defaults_information: Option<Raw>,
        /// Where it can keep objects.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// What its maker says of the server (2.1, 7.31). In 1.x the content is the vendor's own, so
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
    }
}

structure! {
    /// A profile that the server keeps to (1.4, 2.1.19; 2.1, 7.24).
    ProfileInformation {
        /// The profile.
        ProfileName => profile_name: ProfileName,
        /// Where.
        ServerURI => server_uri: Option<String>,
        /// On which port.
        ServerPort => server_port: Option<i32>,
    }
}

structure! {
    /// What the server can do beyond the operations (1.4, 2.1.22; 2.1, 7.6).
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
