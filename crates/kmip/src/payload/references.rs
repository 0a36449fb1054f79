//! Identifiers and data in a response, which later items of the batch can refer to (2.1, 4.58 and
//! 7.9).

use crate::codec::SecretBytes;
use crate::payload::ResponsePayload;

/// Where a response has Unique Identifiers: one row for each form, with the operations.
macro_rules! unique_identifiers {
    (
        one: $($one:ident)*;
        pair: $($pair:ident)*;
        several: $($several:ident)*;
        optional: $($optional:ident)*;
        none: $($none:ident)*;
    ) => {
        impl ResponsePayload {
            /// Unique Identifiers in the response, in their order; of a pair, the private key's is
            /// first.
            pub fn unique_identifiers(&self) -> Vec<&str> {
                match self {
                    $(Self::$one(answer) => vec![answer.unique_identifier.as_str()],)*
                    $(Self::$pair(answer) => vec![
                        answer.private_key_unique_identifier.as_str(),
                        answer.public_key_unique_identifier.as_str(),
                    ],)*
                    $(Self::$several(answer) => {
                        answer.unique_identifiers.iter().map(String::as_str).collect()
                    })*
                    $(Self::$optional(answer) => {
                        answer.unique_identifier.iter().map(String::as_str).collect()
                    })*
                    $(Self::$none(_) => Vec::new(),)*
                    Self::Unknown(_) => Vec::new(),
                }
            }
        }
    };
}

unique_identifiers! {
    one:
        Activate AddAttribute AdjustAttribute Archive Certify Create Decrypt DeleteAttribute
        DeriveKey Destroy Encrypt Export Get GetAttributeList GetAttributes GetUsageAllocation
        Import JoinSplitKey MAC MACVerify ModifyAttribute ObtainLease ReCertify ReKey Recover
        Register Revoke SetAttribute Sign SignatureVerify;
    pair:
        CreateKeyPair ReKeyKeyPair;
    several:
        CreateSplitKey Locate;
    optional:
        Check ReProvision;
    none:
        Cancel DelegatedLogin DiscoverVersions GetConstraints Hash Interop Log Login Logout Notify
        PKCS_11 Ping Poll Process Put Query QueryAsynchronousRequests RNGRetrieve RNGSeed
        SetConstraints SetDefaults SetEndpointRole Validate;
}

/// Where a response has data: one row for each operation that returns some.
macro_rules! data {
    ($($variant:ident => |$answer:ident| $data:expr;)*) => {
        impl ResponsePayload {
            /// Data in the response, if it has any.
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
