//! Each example of docs/proxy.md is read, and fires in every version.

use std::collections::BTreeSet;

use kmip::Version;
use kmip::vocabulary::Operation;

use super::server::{Fixture, connection, payload};
use crate::rules::parse_toml;

const REFERENCE: &str = include_str!("../../../../../docs/proxy.md");

const OPERATIONS: [Operation; 9] = [
    Operation::Create,
    Operation::Locate,
    Operation::Activate,
    Operation::GetAttributes,
    Operation::Get,
    Operation::Query,
    Operation::Revoke,
    Operation::Destroy,
    Operation::Ping,
];

/// The examples, each with all its rules.
fn examples() -> Vec<&'static str> {
    let blocks = REFERENCE.split("```toml\n").skip(1);
    blocks.filter_map(|block| block.split("\n```").next()).collect()
}

/// Whether all rules of an example fire in a conversation of two clients.
fn all_fire(version: Version, rules: &str) -> bool {
    let mut fixture = Fixture::new(version, rules);
    for round in 1..4 {
        for operation in OPERATIONS {
            for number in [1, 2] {
                let asker = connection(number, "O=Example, CN=alice");
                let asked = payload(operation, version, &format!("made-{round}"));
                fixture.send_as(&asker, operation, &asked);
            }
        }
    }
    fixture.engine.counts().iter().all(|counts| counts.fired > 0)
}

#[test]
fn example_of_each_action_fires_in_every_version() {
    let examples = examples();
    assert!(examples.len() > 15, "{}", examples.len());
    for rules in examples {
        for version in Version::SERVED {
            assert!(all_fire(*version, rules), "KMIP {version}:\n{rules}");
        }
    }
}

#[test]
fn every_action_has_an_example_under_its_name() {
    let error = parse_toml("[[rule]]\nname = \"a\"\naction = \"-\"").unwrap_err().to_string();
    let listed = error.split("expected one of ").nth(1).unwrap();
    let actions: BTreeSet<&str> = listed.split(", ").map(|name| name.trim_matches('`')).collect();
    assert!(actions.len() > 15, "{error}");
    for action in actions {
        let section = REFERENCE.split(&format!("\n### {action}\n")).nth(1);
        let section = section.and_then(|text| text.split("\n### ").next()).unwrap_or_default();
        let example = section.split("```toml\n").nth(1).unwrap_or_default();
        let names = [format!("action = {{ {action} = "), format!("action = \"{action}\"")];
        assert!(names.iter().any(|name| example.contains(name)), "{action} has no example");
    }
}

#[test]
fn every_personality_is_in_the_reference() {
    let text = "[[rule]]\nname = \"a\"\naction = { personality = \"-\" }";
    let error = parse_toml(text).unwrap_err().to_string();
    let listed = error.split("expected one of ").nth(1).unwrap();
    for name in listed.split(", ").map(|name| name.trim_matches('`')) {
        assert!(REFERENCE.contains(&format!("`{name}`")), "{name}");
    }
}
