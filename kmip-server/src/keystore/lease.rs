//! Leases of objects (1.4, 3.20; 2.1, 4.30).

use kmip::Interval;

use crate::config::policy::Policy;
use crate::objects::attribute::attribute;
use crate::objects::record::Metadata;

/// Returns the longest lease of an object: its own Lease Time, at most that of the settings. Zero
/// means no limit.
pub(crate) fn longest_lease(rules: &Policy, metadata: &Metadata) -> Interval {
    match attribute!(metadata.values(), LeaseTime) {
        Some(own) if own.0 > 0 && rules.lease_time.0 > 0 => own.min(rules.lease_time),
        Some(_) | None => rules.lease_time,
    }
}
