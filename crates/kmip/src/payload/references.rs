//! What an answer names and gives (2.1, 4.58 and 7.9): a later item of the batch may mean the nth
//! object, or the nth data.

use crate::codec::SecretBytes;
use crate::payload::ResponsePayload;

/// One row a form of naming: the variants whose answers have it.
macro_rules! named {
    (
        one: $($one:ident)*;
        pair: $($pair:ident)*;
        many: $($many:ident)*;
        perhaps: $($perhaps:ident)*;
        none: $($none:ident)*;
    ) => {
        impl ResponsePayload {
            /// The Unique Identifiers in the answer, in their order; of a pair the private key's
            /// stands first.
            pub fn unique_identifiers(&self) -> Vec<&str> {
                match self {
                    $(Self::$one(answer) => vec![answer.unique_identifier.as_str()],)*
                    $(Self::$pair(answer) => vec![
                        answer.private_key_unique_identifier.as_str(),
                        answer.public_key_unique_identifier.as_str(),
                    ],)*
                    $(Self::$many(answer) => {
                        answer.unique_identifiers.iter().map(String::as_str).collect()
                    })*
                    $(Self::$perhaps(answer) => {
                        answer.unique_identifier.iter().map(String::as_str).collect()
                    })*
                    $(Self::$none(_) => Vec::new(),)*
                    Self::Unknown(_) => Vec::new(),
                }
            }
        }
    };
}

named! {
    one:
        Activate AddAttribute AdjustAttribute Archive Certify Create Decrypt DeleteAttribute
        DeriveKey Destroy Encrypt Export Get GetAttributeList GetAttributes GetUsageAllocation
        Import JoinSplitKey MAC MACVerify ModifyAttribute ObtainLease ReCertify ReKey Recover
        Register Revoke SetAttribute Sign SignatureVerify;
    pair:
        CreateKeyPair ReKeyKeyPair;
    many:
        CreateSplitKey Locate;
    perhaps:
        Check ReProvision;
    none:
        Cancel DelegatedLogin DiscoverVersions GetConstraints Hash Interop Log Login Logout Notify
        PKCS_11 Ping Poll Process Put Query QueryAsynchronousRequests RNGRetrieve RNGSeed
        SetConstraints SetDefaults SetEndpointRole Validate;
}

/// One row an operation that gives data: where its answer has it.
macro_rules! data {
    ($($variant:ident => |$answer:ident| $data:expr;)*) => {
        impl ResponsePayload {
            /// The data in the answer, if it has any.
            pub fn data(&self) -> Option<&[u8]> {
                $(if let Self::$variant($answer) = self {
                    return $data;
                })*
                None
            }
        }
    };
}

data! {
    Decrypt => |answer| answer.data.as_ref().map(SecretBytes::as_bytes);
    Encrypt => |answer| answer.data.as_ref().map(SecretBytes::as_bytes);
    Hash => |answer| answer.data.as_ref().map(SecretBytes::as_bytes);
    MAC => |answer| answer.mac_data.as_deref();
    RNGRetrieve => |answer| Some(answer.data.as_bytes());
    Sign => |answer| answer.signature_data.as_deref();
    SignatureVerify => |answer| answer.data.as_ref().map(SecretBytes::as_bytes);
}
