//! Which version to speak with a server (1.4, 4.26; 2.1, 6.1.17).
//!
//! ```text
//! Discover Versions in 2.1 --> the versions of the server --> the newest that both have
//!         |  refused, answered in an older version, or hung up
//!         v
//!         in 2.0 ... in 1.1 --> as above
//!         v
//!         in 1.0 --> "Operation Not Supported": 1.0 has no Discover Versions, and it is 1.0
//! ```

use zeroize::Zeroizing;

use super::connection::{Connection, Failure};
use super::endpoint::Endpoint;
use super::error::Error;
use super::response_check::{malformed, refused};
use super::settings::Settings;
use crate::message::{
    RequestBatchItem, RequestHeader, RequestMessage, ResponseBatchItem, ResponseMessage,
};
use crate::payload::{DiscoverVersionsRequest, ResponsePayload};
use crate::version::Version;
use crate::vocabulary::{Operation, ResultReason, ResultStatus};

/// What follows from one answer.
enum Step {
    Agreed(Version),
    Next(Version),
}

/// Agrees on a version; returns the connection on which that was done.
pub(super) async fn negotiate(
    endpoint: &Endpoint,
    settings: &Settings,
) -> Result<(Connection, Version), Error> {
    let mut version = Version::SERVED.first().copied().unwrap_or(Version::V1_0);
    loop {
        // Each attempt has a connection of its own: many servers hang up after a refusal, and that
        // must not be taken for the answer to the next question.
        let mut connection = endpoint.connect(settings).await?;
        let step = match discover_versions(&mut connection, version, settings).await {
            Ok(bytes) => step(endpoint.address(), version, &bytes)?,
            Err(failure) => match (failure.dead, next_older(version)) {
                (true, Some(next)) => Step::Next(next),
                _ => return Err(failure.error),
            },
        };
        match step {
            Step::Agreed(version) => return Ok((connection, version)),
            Step::Next(next) => version = next,
        }
    }
}

async fn discover_versions(
    connection: &mut Connection,
    version: Version,
    settings: &Settings,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let request = DiscoverVersionsRequest { protocol_versions: Version::SERVED.to_vec() };
    let header = RequestHeader::new(version, 1);
    let message = RequestMessage { header, items: vec![RequestBatchItem::from(request)] };
    connection.exchange(&message.encode(), settings).await
}

/// What follows from an answer to Discover Versions in `version`.
fn step(server: &str, version: Version, bytes: &[u8]) -> Result<Step, Error> {
    let answer =
        ResponseMessage::decode(bytes).map_err(|error| malformed(server, error.to_string()))?;
    let spoken = answer.header.protocol_version;
    let [item] = answer.items.as_slice() else {
        let why = format!("it has {} batch items, asked was for 1", answer.items.len());
        return Err(malformed(server, why));
    };
    match (item.result_status, &item.payload) {
        (ResultStatus::Success, Some(ResponsePayload::DiscoverVersions(answer))) => {
            let offered = &answer.protocol_versions;
            match Version::SERVED.iter().find(|ours| offered.contains(ours)) {
                Some(version) => Ok(Step::Agreed(*version)),
                None => {
                    Err(Error::NoVersion { server: server.to_owned(), offered: offered.clone() })
                }
            }
        }
        (ResultStatus::OperationFailed, _) => after_refusal(server, version, spoken, item),
        (status, _) => {
            Err(malformed(server, format!("Discover Versions is answered with {status:?}")))
        }
    }
}

/// What follows from a refusal.
fn after_refusal(
    server: &str,
    version: Version,
    spoken: Version,
    item: &ResponseBatchItem,
) -> Result<Step, Error> {
    let reason = item.result_reason.unwrap_or(ResultReason::GeneralFailure);
    // Whoever is not let in is not let in by another version either.
    if reason == ResultReason::AuthenticationNotSuccessful {
        return Err(refused(server, Operation::DiscoverVersions, item));
    }
    // A server that does not know our version answers in one of its own.
    let own = Version::SERVED.iter().copied().find(|ours| *ours == spoken && *ours < version);
    match own.or_else(|| next_older(version)) {
        Some(next) => Ok(Step::Next(next)),
        None if reason == ResultReason::OperationNotSupported => Ok(Step::Agreed(version)),
        None => Err(refused(server, Operation::DiscoverVersions, item)),
    }
}

/// The next older version.
fn next_older(version: Version) -> Option<Version> {
    Version::SERVED.iter().copied().find(|older| *older < version)
}
