//! Life of objects: activation, use within limits, archive, revocation, destruction.

use kmip::attributes::AttributeValue as A;
use kmip::codec::{DateTime, Interval};
use kmip::payload::*;
use kmip::structures::UsageLimits;
use kmip::vocabulary::*;

use super::Objects;
use crate::requests::*;
use crate::script::Script;

pub(super) fn run(script: &mut Script<'_>, objects: &Objects) {
    life(script);
    limits(script, objects);
    archive(script, objects);
}

fn life(script: &mut Script<'_>) {
    let key = script.made(create([script.name("mortal")])).unique_identifier;
    script.done(activate(Some(&key)));
    script.refused(activate(Some(&key)));
    script.refused(destroy(Some(&key)));
    let ceased = || revoke(&key, RevocationReasonCode::CessationOfOperation);
    script.done(ceased());
    let _ = script.ask(ceased());
    let compromise = RevokeRequest {
        compromise_occurrence_date: Some(DateTime(1_234_567_890)),
        ..revoke(&key, RevocationReasonCode::KeyCompromise)
    };
    let _ = script.ask(compromise);
    script.done(get_attributes(Some(&key), &["State", "Revocation Reason", "Compromise Date"]));
    let _ = script.ask(revoke(&key, RevocationReasonCode(99)));
    script.done(destroy(Some(&key)));
    script.refused(destroy(Some(&key)));
    script.refused(get(Some(&key)));
    script.refused(re_key(&key));
    script.done(get_attributes(Some(&key), &[]));
    script.refused(add(Some(&key), name("late")));
    script.refused(destroy(Some("nobody's")));
    script.refused(activate(None));
    script.refused(revoke("nobody's", RevocationReasonCode::Unspecified));
    // The name is free again.
    let again = script.ask_drawn(create([script.name("mortal")]), crate::comparison::KEYS);
    if let Ok(again) = again {
        script.done(destroy(Some(&again.unique_identifier)));
    }
}

/// Check, Get Usage Allocation and Obtain Lease.
fn limits(script: &mut Script<'_>, objects: &Objects) {
    let limits = UsageLimits { total: 10, count: None, unit: UsageLimitsUnit::Byte };
    let key = script.made(create([active(), A::UsageLimits(limits)])).unique_identifier;
    let check = |usage_limits_count, mask: i32, lease| CheckRequest {
        unique_identifier: id(&key),
        usage_limits_count,
        cryptographic_usage_mask: Some(CryptographicUsageMask(mask)),
        lease_time: lease,
    };
    script.done(check(Some(10), 4, Some(Interval(60))));
    let _ = script.ask(check(Some(11), 4, Some(Interval(u32::MAX))));
    let _ = script.ask(check(None, 0x4000_0001, None));
    let take = |object: &str, usage_limits_count| GetUsageAllocationRequest {
        unique_identifier: id(object),
        usage_limits_count,
    };
    script.done(take(&key, 4));
    script.refused(take(&key, 7));
    script.refused(take(&key, -1));
    let _ = script.ask(take(&objects.opaque, 1));
    script.done(get_attributes(Some(&key), &["Usage Limits"]));
    script.done(ObtainLeaseRequest { unique_identifier: id(&key) });
    script.refused(ObtainLeaseRequest { unique_identifier: id("nobody's") });
    let used = EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: cipher(BlockCipherMode::ECB),
        data: data(&[0; 16]),
        ..EncryptRequest::default()
    };
    let _ = script.ask(used);
}

fn archive(script: &mut Script<'_>, objects: &Objects) {
    let archive = |object: &str| ArchiveRequest { unique_identifier: id(object) };
    let recover = |object: &str| RecoverRequest { unique_identifier: id(object) };
    script.done(archive(&objects.opaque));
    script.refused(archive(&objects.opaque));
    script.refused(get(Some(&objects.opaque)));
    script.refused(get_attributes(Some(&objects.opaque), &[]));
    let archived = LocateRequest {
        storage_status_mask: Some(StorageStatusMask::ArchivalStorage),
        ..locate([])
    };
    script.done(archived);
    script.done(recover(&objects.opaque));
    let _ = script.ask(recover(&objects.opaque));
    script.refused(recover("nobody's"));
    script.done(get_attributes(Some(&objects.opaque), &["Archive Date", "Name"]));
}
