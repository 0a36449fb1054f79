//! The messages of all scenarios, in five versions, to five servers; and then all that the servers
//! keep, read in one form.

use harness::{Lab, SoftHsm, rounds, seed};
use kmip::Version;
use kmip::attributes::AttributeValue as A;
use kmip::message::ResponseMessage;
use kmip::payload::*;
use kmip::vocabulary::*;

use crate::channel::{Answer, Channel};
use crate::comparison::{Comparison, message};
use crate::coverage::Outcomes;
use crate::requests::*;
use crate::scenarios;
use crate::scenarios::objects::{CERTIFICATES, certificate_of};
use crate::script::Script;
use crate::server::Identity;
use crate::settings::{certifier, with_all_operations};

/// The variable with the seed of what is by chance.
const SEED: &str = "ENCODINGS_SEED";

/// How many messages are sent by chance: in a sample, and in the long round.
const RANDOM: (usize, usize) = (200, 10_000);

const VERSIONS: [Version; 5] =
    [Version::V1_0, Version::V1_2, Version::V1_4, Version::V2_0, Version::V2_1];

/// Operations that a server sends and does not perform.
const SENT_BY_SERVERS: &[Operation] = &[Operation::Notify, Operation::Put];

#[test]
fn four_hundred_messages_have_the_same_answers_and_effects_on_every_channel() {
    let lab = Lab::new();
    let seed = seed(SEED);
    eprintln!("{SEED}={seed}");
    certifier(&lab);
    let module = SoftHsm::new(&lab);
    let all = |program| with_all_operations(&lab, module.as_ref(), program);
    let mut comparison = Comparison::start(&lab, seed, all);
    for version in VERSIONS {
        scenarios::run(&mut Script { comparison: &mut comparison, version }, &lab);
    }
    scenarios::random::run(&mut comparison, seed, rounds(RANDOM.0, RANDOM.1));
    roles(&mut comparison, &Identity::of(&lab, "alice"));
    check_coverage(&comparison, module.is_some());
    let objects = effects(&mut comparison);
    replaced_certificate(&mut comparison, &lab);
    check_counts(&comparison, objects);
}

/// Set Endpoint Role is about the connection, so only the TTLV port has it. The server is given the
/// role that it has.
fn roles(comparison: &mut Comparison, client: &Identity) {
    let endpoint_role = EndpointRole::Server;
    let request = message(Version::V2_1, vec![SetEndpointRoleRequest { endpoint_role }.into()]);
    for server in comparison.servers() {
        for channel in Channel::ALL {
            let answer = server.exchange(client, channel, &request.encode());
            let reason = ResponseMessage::decode(&answer).unwrap().items[0].result_reason;
            let not_here = ResultReason::FeatureNotSupported;
            let expected = (channel != Channel::Port).then_some(not_here);
            assert_eq!(reason, expected, "{channel:?}");
        }
    }
    let outcomes = comparison.coverage.operations.entry(Operation::SetEndpointRole).or_default();
    outcomes.successes += 1;
}

/// Reads all objects of the client by the TTLV port of every server; returns how many there are.
fn effects(comparison: &mut Comparison) -> usize {
    comparison.send_by(Channel::Port);
    let mask = StorageStatusMask(7);
    let all = LocateRequest { storage_status_mask: Some(mask), ..locate([]) };
    let ids = comparison.ask(Version::V2_1, all, &[]).unwrap().unique_identifiers;
    // What a server has made differs in its bytes, and what a client has brought does not.
    let (made, brought): (Vec<_>, Vec<_>) = ids.iter().partition(|id| comparison.is_made(id));
    for (ids, random) in [(&made, CERTIFICATES), (&brought, &[])] {
        for version in [Version::V1_4, Version::V2_1] {
            for ids in ids.chunks(40) {
                let read = ids.iter().flat_map(|id| {
                    let attributes: RequestPayload = get_attributes(Some(id), &[]).into();
                    [attributes, get(Some(id)).into()]
                });
                let mut message = message(version, read.collect());
                message.header.batch_error_continuation_option =
                    Some(BatchErrorContinuationOption::Continue);
                comparison.message(&message, random);
            }
        }
    }
    assert!(made.len() > 50 && brought.len() > 50, "{} {}", made.len(), brought.len());
    ids.len()
}

/// Interop Reset, which forgets all of a client, and Re-Provision, which replaces its certificate.
fn replaced_certificate(comparison: &mut Comparison, lab: &Lab) {
    let old = Identity::of(lab, "bob");
    let new = Identity::issued(&lab.authority(), "bob");
    comparison.send_by_all();
    comparison.act_as(old.clone());
    let mut script = Script { comparison, version: Version::V2_1 };
    script.made(create([A::ObjectGroup("forgotten".to_owned())]));
    let interop_function = InteropFunction::Reset;
    script.done(InteropRequest { interop_function, interop_identifier: None });
    assert!(script.done(locate([])).unique_identifiers.is_empty());
    let request = ReProvisionRequest {
        certificate: Some(certificate(&certificate_of(new.cert_pem()))),
        certificate_request: None,
    };
    script.done(request);
    script.comparison.act_as(new);
    assert_eq!(script.done(locate([])).unique_identifiers.len(), 1, "the certificate itself");
    let ping = message(Version::V2_1, vec![PingRequest {}.into()]).encode();
    for server in comparison.servers() {
        for channel in Channel::ALL {
            let body = channel.encoding().encode(&ping);
            let Answer::Message(body) = server.send(&old, channel, &body) else { continue };
            let answer = ResponseMessage::decode(&channel.encoding().decode(&body)).unwrap();
            let reason = answer.items[0].result_reason;
            assert_eq!(reason, Some(ResultReason::AuthenticationNotSuccessful), "{channel:?}");
        }
    }
}

/// Every operation of the table has a message, and one that succeeds; a new one fails until it has.
fn check_coverage(comparison: &Comparison, has_module: bool) {
    let coverage = &comparison.coverage;
    assert!(coverage.messages >= 400, "{}", coverage.messages);
    assert_eq!(coverage.without(|outcomes| outcomes.all() > 0), []);
    let later = [Operation::ReProvision];
    let lacking = |is_wanted: fn(&Outcomes) -> bool| {
        let mut all = coverage.without(is_wanted);
        all.retain(|operation| !SENT_BY_SERVERS.contains(operation) && !later.contains(operation));
        all.retain(|operation| has_module || *operation != Operation::PKCS_11);
        all
    };
    assert_eq!(lacking(|outcomes| outcomes.successes > 0), [], "never done");
    assert_eq!(lacking(|outcomes| outcomes.failures > 0), [], "never refused");
    assert_eq!(coverage.versions.iter().copied().collect::<Vec<_>>(), VERSIONS);
    for object_type in [
        ObjectType::Certificate,
        ObjectType::CertificateRequest,
        ObjectType::OpaqueObject,
        ObjectType::PGPKey,
        ObjectType::PrivateKey,
        ObjectType::PublicKey,
        ObjectType::SecretData,
        ObjectType::SplitKey,
        ObjectType::SymmetricKey,
        ObjectType::Template,
    ] {
        let name = object_type.name().unwrap();
        assert!(coverage.object_types.contains(name), "no {name} was answered");
    }
    assert!(coverage.attributes.len() > 100, "{:?}", coverage.attributes);
    assert!(coverage.reasons.len() > 25, "{:?}", coverage.reasons);
    assert!(coverage.undone > 10 && coverage.pending > 5, "{} undone", coverage.undone);
}

/// Most values are compared as they are, and few are drawn by the servers.
fn check_counts(comparison: &Comparison, objects: usize) {
    let counts = comparison.counts;
    let messages = comparison.coverage.messages;
    let pairs = comparison.pairs();
    eprintln!("{messages} messages, {objects} objects, {counts:?}, {pairs} pairs");
    // Identifiers differ by their nature, and a Locate gives many.
    let others = counts.all() - counts.identifiers;
    assert!(counts.same * 100 > others * 95, "{counts:?}");
    assert!(counts.random * 100 < others * 2, "{counts:?}");
    assert!(counts.paired > 100, "{counts:?}");
}
