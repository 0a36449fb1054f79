//! Cleanup: destroys the objects that a persona has created, also after a failed step.

use std::collections::BTreeSet;

use kmip::encoding::Element;
use ttlv::Type;

use super::file::Persona;
use super::message::{Answer, item, item_failure, request};
use super::server::KeyServer;
use super::values::Values;

/// Objects that a persona has created and not destroyed.
#[derive(Default)]
pub(super) struct Created(BTreeSet<String>);

impl Created {
    /// Notes the objects that an answer says were created or destroyed.
    pub(super) fn note(&mut self, answer: &Answer) {
        let (created, destroyed) = answer.changes();
        self.0.extend(created.into_iter().map(str::to_owned));
        for id in destroyed {
            self.0.remove(id);
        }
    }
}

/// Destroys them, and revokes them before if need be. Returns those that are left.
pub(super) fn destroy(
    persona: &Persona,
    created: &Created,
    server: &mut dyn KeyServer,
) -> Vec<String> {
    let mut left = Vec::new();
    for id in &created.0 {
        let id_element = || Element::leaf("UniqueIdentifier", Type::TextString, id.as_str());
        let mut execute = |operation: &str, payload: Vec<Element>| {
            let done = execute(persona, server, item(operation, payload));
            server.close();
            done
        };
        if execute("Destroy", vec![id_element()]) {
            continue;
        }
        let code = Element::leaf("RevocationReasonCode", Type::Enumeration, "CessationOfOperation");
        let reason = Element::structure("RevocationReason", vec![code]);
        execute("Revoke", vec![id_element(), reason]);
        if !execute("Destroy", vec![id_element()]) {
            left.push(id.clone());
        }
    }
    left
}

/// Sends a message of one item; returns whether it succeeded.
fn execute(persona: &Persona, server: &mut dyn KeyServer, item: Element) -> bool {
    let values = Values::generate(&persona.values);
    let header: Result<Vec<_>, _> =
        persona.header.iter().map(|element| values.resolve_element(element)).collect();
    let Ok(header) = header else { return false };
    let Ok(bytes) = request(persona.version, &header, vec![item]).to_ttlv() else { return false };
    let answer = server.exchange(&bytes).and_then(|frame| Answer::read(frame.as_slice()));
    answer.is_ok_and(|answer| answer.item(1).is_ok_and(|item| item_failure(item).is_none()))
}
