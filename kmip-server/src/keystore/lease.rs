//! Leases of objects (1.4, 3.20; 2.1, 4.30).

use kmip::Interval;

use crate::config::policy::Rules;
use crate::objects::attribute::find;
use crate::objects::record::Metadata;

/// Returns the longest lease of an object: its own Lease Time, at most that of the settings. Zero
/// means no limit.
pub fn longest_lease(rules: &Rules, metadata: &Metadata) -> Interval {
    match find!(metadata.values(), LeaseTime) {
        Some(own) if own.0 > 0 && rules.lease_time.0 > 0 => own.min(rules.lease_time),
        Some(_) | None => rules.lease_time,
    }
}
