//! Split Key methods, their errors and the identifier of a split, shared by Create Split Key and
//! Join Split Key.
//!
//! The bytes of parts do not say which key they are parts of: parts of two keys would make a key
//! that is neither. The server gives all parts of one split the same custom attribute, which a
//! client can read and not set (1.4, 3.39; 2.1, 4.60), and which goes with a part that is exported.

use kmip::BigInteger;
use kmip::attributes::{AttributeValue, VendorAttribute};
use kmip::vocabulary::{ResultReason, SplitKeyMethod};
use uuid::Uuid;

use crate::crypto::secret_sharing::{Method, SplitError};
use crate::objects::attribute_rules::SERVERS_OWN;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;

/// Returns the splitting method, with its prime field where it has one.
pub(crate) fn method(method: SplitKeyMethod, prime: Option<&BigInteger>) -> Result<Method> {
    match (method, prime) {
        (SplitKeyMethod::XOR, _) => Ok(Method::Xor),
        (SplitKeyMethod::PolynomialSharingGF2_8, _) => Ok(Method::Gf8),
        (SplitKeyMethod::PolynomialSharingGF2_16, _) => Ok(Method::Gf16),
        (SplitKeyMethod::PolynomialSharingPrimeField, Some(prime)) => {
            Ok(Method::Prime(prime.0.clone()))
        }
        (SplitKeyMethod::PolynomialSharingPrimeField, None) => {
            Err(OperationError::invalid_field("the request lacks the Prime Field Size"))
        }
        _ => Err(OperationError::invalid_field(format!("{method:?} is no Split Key Method here"))),
    }
}

/// Name of the custom attribute that all parts of one split have: `y-Split Identifier` in 1.x.
const SPLIT_IDENTIFIER: &str = "Split Identifier";

/// Returns the identifier of a new split.
pub(crate) fn new_split_identifier() -> AttributeValue {
    let value = Uuid::new_v4().to_string();
    let custom = VendorAttribute::text(SPLIT_IDENTIFIER, &value);
    AttributeValue::Vendor(VendorAttribute { vendor: SERVERS_OWN.to_owned(), ..custom })
}

/// Returns the identifier of the split that a part is of; parts that others have made have none.
pub(crate) fn split_identifier(part: &Metadata) -> Option<&VendorAttribute> {
    part.values().find_map(|value| {
        let AttributeValue::Vendor(own) = value else { return None };
        (own.vendor == SERVERS_OWN && own.name == SPLIT_IDENTIFIER).then_some(own)
    })
}

/// Returns the Result Reason of a refused split or join (1.4, 11.39 and 11.40; 2.1, 6.1.10 and
/// 6.1.27).
pub(crate) fn refused(error: SplitError) -> OperationError {
    let reason = match error {
        SplitError::Counts | SplitError::XorThreshold | SplitError::Prime => {
            ResultReason::InvalidField
        }
        SplitError::TooFew | SplitError::Unfit | SplitError::Random => {
            ResultReason::CryptographicFailure
        }
    };
    OperationError::new(reason, error.to_string())
}
