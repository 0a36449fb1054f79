//! Verdicts on a server whose answers a proxy changes.

use harness::{KmipProxy, Lab};
use serde_json::{Value, json};

use crate::own_files::assert_nothing_left;
use crate::{kmip_server, play, steps};

/// A persona, a rule of the proxy, the step that fails then, and what the report says of it.
type Row = (&'static str, Value, usize, [&'static str; 3]);

fn rows() -> [Row; 5] {
    let rule = |operation: &str, action: Value| json!({ "operation": operation, "action": action });
    let refused = json!({ "fail": { "reason": "Permission Denied", "message": "not you" } });
    [
        (
            "percona-pg-tde",
            rule("Get", json!({ "key-bytes": { "how": "random" } })),
            4,
            [
                "it is the key that was registered",
                "16 bytes that are not shown",
                "PostgreSQL cannot read its encrypted tables",
            ],
        ),
        (
            "percona-server-mongodb",
            rule("Get Attributes", json!({ "state": { "state": "Compromised" } })),
            4,
            [
                "the key is active",
                "\"Compromised\"",
                "Percona Server for MongoDB shuts the node down",
            ],
        ),
        (
            "synology-dsm",
            rule("Modify Attribute", refused),
            4,
            [
                "ModifyAttribute succeeds",
                "OperationFailed, PermissionDenied: \"not you\"",
                "DSM reports an error of the KMIP server, and does not create the volume",
            ],
        ),
        (
            "fortios",
            rule("Locate", json!({ "identifier": { "with": "another-key" } })),
            3,
            [
                "it is the one of that name",
                "\"another-key\"",
                "FortiOS takes the key of another name",
            ],
        ),
        (
            "vmware-vcenter",
            rule("Get", json!({ "reset": { "at": "response" } })),
            11,
            [
                "the server answers",
                "no answer: the server reset the connection",
                "encrypted virtual machines stay locked",
            ],
        ),
    ]
}

#[test]
fn changed_answer_changes_the_verdict() {
    let lab = Lab::new();
    let server = kmip_server(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    for (persona, mut rule, step, expected) in rows() {
        let before = play(&lab, proxy.address(), &[persona, "--json"]);
        assert_eq!(before.status, Some(0), "{persona}: {}", before.out);
        rule["name"] = json!(persona);
        proxy.add_rule(&rule);
        let run = play(&lab, proxy.address(), &[persona, "--json"]);
        assert!(proxy.fired(persona) > 0, "{persona}: the rule has changed nothing");
        proxy.remove_rules();
        assert_eq!(run.status, Some(1), "{persona}: {}", run.out);
        let report = run.json();
        for (_, number, verdict) in steps(&report) {
            let wanted = match number.cmp(&step) {
                std::cmp::Ordering::Less => "passed",
                std::cmp::Ordering::Equal => "failed",
                std::cmp::Ordering::Greater => "skipped",
            };
            assert_eq!(verdict, wanted, "{persona}, step {number}: {}", run.out);
        }
        let failures = &report["personas"][0]["steps"][step - 1]["failures"];
        let found = ["that", "found", "then"].map(|name| failures[0][name].as_str().unwrap());
        assert_eq!(found, expected, "{persona}");
        assert_nothing_left(&lab, server.address());
    }
}
