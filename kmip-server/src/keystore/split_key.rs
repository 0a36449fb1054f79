//! Split Key methods and their errors, shared by Create Split Key and Join Split Key.

use kmip::BigInteger;
use kmip::vocabulary::{ResultReason, SplitKeyMethod};

use crate::crypto::secret_sharing::{Method, SplitError};
use crate::objects::error::{OperationError, Result};

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
