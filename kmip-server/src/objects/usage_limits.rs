//! How much a key may still protect (1.4, 3.21; 2.1, 4.59).
//!
//! ```text
//! Get Usage Allocation   the client protects with the key itself, and takes its units before
//! Encrypt, Sign, MAC     the server protects, and takes them as it goes: bytes, or one object
//! ```
//!
//! What is left is written in the commit of its batch, so no two clients are given the same units.
//! Undoing protection, as Decrypt does, is never counted.

use kmip::attributes::AttributeValue;
use kmip::structures::UsageLimits;
use kmip::vocabulary::ResultReason;

use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;

/// How many units are left of an object's Usage Limits, if it has any.
pub(crate) fn left(metadata: &Metadata) -> Option<i64> {
    attribute!(metadata.values(), UsageLimits).map(|limits| limits.count.unwrap_or(limits.total))
}

/// The limits as a new object has them: nothing is taken of them yet.
pub(crate) fn whole(limits: UsageLimits) -> UsageLimits {
    UsageLimits { count: Some(limits.total), ..limits }
}

/// Refuses limits of which more is left than there was.
pub(crate) fn check(limits: &UsageLimits) -> Result<()> {
    let left = limits.count.unwrap_or(limits.total);
    match limits.total >= 0 && (0..=limits.total).contains(&left) {
        true => Ok(()),
        false => Err(OperationError::new(
            ResultReason::InvalidAttributeValue,
            format!(
                "Usage Limits Count {left} must be from 0 to Usage Limits Total {}",
                limits.total
            ),
        )),
    }
}

/// Takes units from an object's Usage Limits; of an object without limits there is nothing to take.
pub(crate) fn take(metadata: &mut Metadata, units: i64) -> Result<()> {
    let Some(limits) = attribute!(metadata.values(), UsageLimits) else { return Ok(()) };
    let left = limits.count.unwrap_or(limits.total);
    match left.checked_sub(units).filter(|rest| units >= 0 && *rest >= 0) {
        Some(rest) => {
            metadata.set(AttributeValue::UsageLimits(UsageLimits { count: Some(rest), ..limits }));
            Ok(())
        }
        None => Err(OperationError::new(
            ResultReason::UsageLimitExceeded,
            format!("{left} units are left of the object's usage limits, and not {units}"),
        )),
    }
}
