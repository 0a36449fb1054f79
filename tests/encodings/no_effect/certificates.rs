//! Certificates that the server makes, and the one that a client connects with.

use certs::Authority;
use kmip::Version;
use kmip::payload::*;
use kmip::vocabulary::Operation;

use super::{Case, Seen};
use crate::channel::Answer;
use crate::comparison::message;
use crate::requests::*;
use crate::scenarios::objects::certificate_of;
use crate::server::Identity;
use crate::session::Session;

pub(super) fn of(
    session: &mut Session<'_>,
    operation: Operation,
    authority: &Authority,
) -> Vec<Case> {
    let pair = session.done(create_key_pair([active()]));
    let public = pair.public_key_unique_identifier;
    match operation {
        Operation::Certify => Case::state(certify(&public, "a name")),
        Operation::ReCertify => {
            let certificate = session.done(certify(&public, "a name")).unique_identifier;
            let unique_identifier = id(&certificate);
            Case::state(ReCertifyRequest { unique_identifier, ..ReCertifyRequest::default() })
        }
        _ => {
            let new = Identity::issued(authority, session.client.name());
            let request = ReProvisionRequest {
                certificate: Some(certificate(&certificate_of(new.cert_pem()))),
                certificate_request: None,
            };
            let items = vec![request.into()];
            vec![Case::new(items, Seen::Reading(Box::new(is_let_in)))]
        }
    }
}

/// What the client is answered whose certificate may have been replaced.
fn is_let_in(session: &mut Session<'_>) -> String {
    let ping = message(Version::V2_1, vec![PingRequest {}.into()]);
    match session.answer(&ping) {
        Answer::Message(bytes) => {
            let answer = kmip::message::ResponseMessage::decode(&bytes).unwrap();
            format!("{:?}", answer.items[0].result_status)
        }
        other @ (Answer::Status(_) | Answer::Closed) => format!("{other:?}"),
    }
}
