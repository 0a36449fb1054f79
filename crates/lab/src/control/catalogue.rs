//! The faults that can be switched on, as data.
//!
//! A rule is that of kmip-proxy, in JSON, with `$name` in the place of a parameter's value.

use certs::{BAD, Role};

use super::parameters::Parameter;

/// A fault.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) group: &'static str,
    pub(super) title: String,
    /// What happens, and what to watch.
    pub(super) text: String,
    pub(super) parameters: &'static [Parameter],
    pub(super) act: Act,
}

/// How a fault is switched.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A rule of kmip-proxy.
    Rule(&'static str),
    /// A certificate that kmip-proxy shows.
    Certificate(&'static str),
    /// Power of a node.
    Power,
    /// A clock.
    Clock(Clock),
    /// An error of a method of Element.
    MethodError,
}

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// That of the cluster.
    Cluster,
    /// That of the key server.
    KeyServer,
}

/// Name, title, text, parameters and rule.
type RuleRow = (&'static str, &'static str, &'static str, &'static [Parameter], &'static str);

const GET: Parameter = Parameter::text("operation", "Get");
const TIMES: Parameter = Parameter::integer("times", 1, (1, 1_000_000));

/// Faults on the way between the cluster and the key server.
const RULES: &[RuleRow] = &[
    (
        "key-server-unreachable",
        "Key server unreachable",
        "Every request ends in a reset connection. Drives that are unlocked serve on; a node that \
         starts, and a rekey, wait and say for what.",
        &[],
        r#"{"action":{"reset":{"at":"request"}}}"#,
    ),
    (
        "delay",
        "Slow answers",
        "Answers are held back. Beyond the cluster's deadline of 15 s a request counts as failed.",
        &[Parameter::integer("ms", 3000, (0, 600_000))],
        r#"{"action":{"delay":{"ms":"$ms","at":"response"}}}"#,
    ),
    (
        "lose-requests",
        "Requests are lost",
        "A request is neither done nor answered; the cluster meets its deadline.",
        &[GET],
        r#"{"operation":"$operation","action":{"drop":{"at":"request"}}}"#,
    ),
    (
        "lose-answers",
        "Answers are lost",
        "The key server does it, and the cluster never hears: it must look before it tries again.",
        &[Parameter::text("operation", "Create"), TIMES],
        r#"{"operation":"$operation","times":"$times","action":{"drop":{"at":"response"}}}"#,
    ),
    (
        "cut-answers",
        "Answers are cut",
        "The connection is closed in the middle of an answer.",
        &[GET, Parameter::integer("bytes", 100, (0, 1_000_000))],
        r#"{"operation":"$operation","action":{"truncate":{"bytes":"$bytes"}}}"#,
    ),
    (
        "wrong-length",
        "Wrong length in a message",
        "The key is said to be longer than its structure; the cluster refuses the message.",
        &[],
        r#"{"operation":"Get","action":{"corrupt-length":{"by":8,"tag":"KeyMaterial"}}}"#,
    ),
    (
        "close-when-idle",
        "Idle connections are closed",
        "As key servers and firewalls do. The cluster connects again, and nobody notices.",
        &[Parameter::integer("ms", 500, (0, 600_000))],
        r#"{"operation":"Get Attributes","action":{"close-when-idle":{"ms":"$ms"}}}"#,
    ),
    (
        "refuse",
        "Requests are refused",
        "The key server answers with a Result Reason. A refused rekey ends with an error.",
        &[GET, Parameter::text("reason", "Permission Denied")],
        r#"{"operation":"$operation",
            "action":{"fail":{"reason":"$reason","message":"refused by the lab"}}}"#,
    ),
    (
        "done-but-refused",
        "Done, and said to have failed",
        "The key server does it and answers a failure: what counts is what it shows afterwards.",
        &[Parameter::text("operation", "Destroy"), TIMES],
        r#"{"operation":"$operation","times":"$times",
            "action":{"fail":{"reason":"General Failure","forward":true}}}"#,
    ),
    (
        "answered-not-done",
        "Answered with success, and not done",
        "The lying key server: the cluster reads the state back and finds the lie.",
        &[Parameter::text("operation", "Activate")],
        r#"{"operation":"$operation","action":{"succeed":{}}}"#,
    ),
    (
        "not-found",
        "Objects are not found",
        "The key server says that nothing is there. That proves nothing: no key is given up.",
        &[Parameter::text("operation", "Locate")],
        r#"{"operation":"$operation","action":"not-found"}"#,
    ),
    (
        "other-state",
        "Another State",
        "Keys are shown in a State that they do not have.",
        &[Parameter::choice(
            "state",
            &["Compromised", "Deactivated", "Destroyed", "DestroyedCompromised", "PreActive"],
        )],
        r#"{"operation":"Get Attributes","action":{"state":{"state":"$state"}}}"#,
    ),
    (
        "other-identifier",
        "Another identifier",
        "Answers name another object than was asked for; the cluster refuses them.",
        &[GET],
        r#"{"operation":"$operation","action":{"identifier":{}}}"#,
    ),
    (
        "other-key-bytes",
        "Another key",
        "Get answers other bytes than those of the key. Digest and check value reveal it: nothing \
         is wrapped, and no drive opens with them.",
        &[Parameter::choice("how", &["random", "flip-bit", "zero", "shorter", "longer"])],
        r#"{"operation":"Get","action":{"key-bytes":{"how":"$how"}},"seed":7}"#,
    ),
    (
        "other-version",
        "Answers in another version",
        "The header of answers names another version of KMIP than the request.",
        &[Parameter::choice("version", &["1.0", "2.1", "3.0"])],
        r#"{"action":{"version":{"version":"$version"}}}"#,
    ),
    (
        "too-large",
        "Answers that are too large",
        "Answers exceed the size that the client accepts.",
        &[GET, Parameter::integer("bytes", 20_000_000, (1, 100_000_000))],
        r#"{"operation":"$operation","action":{"too-large":{"bytes":"$bytes"}}}"#,
    ),
    (
        "read-only",
        "Read-only key server",
        "As a replica: keys are served, and none is created, changed or destroyed.",
        &[],
        r#"{"action":"read-only"}"#,
    ),
    (
        "forget",
        "The key server forgets new keys",
        "A key is created, answered, and gone afterwards. The rekey must not wrap with it.",
        &[],
        r#"{"operation":"Create","action":"forget"}"#,
    ),
    (
        "replica-lag",
        "Lagging replica",
        "Changes are seen by other connections only after a time.",
        &[Parameter::integer("ms", 2000, (0, 600_000))],
        r#"{"action":{"replica-lag":{"ms":"$ms"}}}"#,
    ),
    (
        "personality",
        "A key server of another kind",
        "It knows one version only, or lacks an operation.",
        &[Parameter::choice(
            "kind",
            &[
                "only-1.0",
                "only-1.4",
                "only-2.1",
                "locate-returns-one",
                "no-modify-attribute",
                "no-re-key",
            ],
        )],
        r#"{"action":{"personality":"$kind"}}"#,
    ),
];

const DAYS: Parameter = Parameter::integer("days", 4000, (-36_500, 36_500));

const NODE: &[Parameter] = &[Parameter::integer("node", 2, (1, 40))];

const METHOD_ERROR: &[Parameter] = &[
    Parameter::text("method", "GetSoftwareEncryptionAtRestInfo"),
    Parameter::text("name", "xDBVersionMismatch"),
    Parameter::text("message", "DB version mismatch"),
    TIMES,
];

const NO_USAGE: &str = "The key server shows a certificate without an extended key usage. That \
                        restricts nothing (RFC 5280, 4.2.1.12): the cluster accepts it, and other \
                        clients refuse it.";

/// All faults, in the order in which they are shown.
pub(super) fn catalogue() -> Vec<Fault> {
    let rules = RULES.iter().map(|(name, title, text, parameters, rule)| Fault {
        name: (*name).to_owned(),
        group: "KMIP",
        title: (*title).to_owned(),
        text: (*text).to_owned(),
        parameters,
        act: Act::Rule(rule),
    });
    let certificates = BAD.iter().filter(|case| case.role == Role::Server).map(|case| Fault {
        name: format!("tls-{}", case.name.trim_start_matches("server-")),
        group: "TLS",
        title: format!("Certificate {}", case.name),
        text: match case.fault == certs::Fault::NoExtendedKeyUsage {
            true => NO_USAGE.to_owned(),
            false => format!(
                "The key server shows a certificate that the cluster must refuse: {}. Connections \
                 that are open are closed.",
                case.why
            ),
        },
        parameters: &[],
        act: Act::Certificate(case.name),
    });
    rules.chain(certificates).chain(others()).collect()
}

fn others() -> [Fault; 4] {
    let clock = |name: &str, title: &str, whose| Fault {
        name: name.to_owned(),
        group: "Clock",
        title: title.to_owned(),
        text:
            "The clock is set off by so many days: certificates expire or are not valid yet, and \
               dates of keys and events are others."
                .to_owned(),
        parameters: &[DAYS],
        act: Act::Clock(whose),
    };
    [
        Fault {
            name: "node-power".to_owned(),
            group: "Power",
            title: "A node without power".to_owned(),
            text:
                "The node's drives are absent, and the keys in its memory are lost. Switched off, \
                   the fault gives the power back, and the drives unlock as soon as the node has \
                   the master key."
                    .to_owned(),
            parameters: NODE,
            act: Act::Power,
        },
        clock("clock-cluster", "The cluster's clock is wrong", Clock::Cluster),
        clock("clock-key-server", "The key server's clock is wrong", Clock::KeyServer),
        Fault {
            name: "method-error".to_owned(),
            group: "API",
            title: "A method of Element fails".to_owned(),
            text: "The next calls of the method are answered with this error.".to_owned(),
            parameters: METHOD_ERROR,
            act: Act::MethodError,
        },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Map;

    use super::super::parameters::{filled, values};
    use super::{Act, catalogue};

    #[test]
    fn faults_have_names_of_their_own_and_rules_that_are_json() {
        let faults = catalogue();
        let names: BTreeSet<_> = faults.iter().map(|fault| fault.name.as_str()).collect();
        assert_eq!(names.len(), faults.len());
        for fault in &faults {
            let values = values(fault.parameters, &Map::new()).unwrap();
            if let Act::Rule(rule) = fault.act {
                let rule = filled(rule, &values).unwrap().to_string();
                assert!(!rule.contains('$'), "{}: {rule}", fault.name);
            }
        }
        assert!(names.contains("tls-expired") && names.contains("tls-other-key"));
    }
}
