//! Health check of a running server: a Discover Versions over mutual TLS.
//!
//! It is a client as any other, with a certificate of its own.

use std::time::Duration;

use kmip::Version;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{DiscoverVersionsRequest, RequestPayload};
use kmip::vocabulary::{ResultStatus, tags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use ttlv::{HEADER_LEN, Header};

use crate::net::tls::Caller;

/// An answer to Discover Versions is far shorter.
const RESPONSE_LEN_MAX: u32 = 64 * 1024;

/// Whether the server at `address` answers within `deadline`; if not, a sentence that says why.
pub(crate) async fn check(
    caller: &Caller,
    address: &str,
    deadline: Duration,
) -> Result<(), String> {
    match timeout(deadline, ask(caller, address)).await {
        Ok(answered) => answered,
        Err(_) => Err(format!("{address} did not answer within {} ms", deadline.as_millis())),
    }
}

async fn ask(caller: &Caller, address: &str) -> Result<(), String> {
    let tcp = TcpStream::connect(address)
        .await
        .map_err(|why| format!("no connection to {address}: {why}"))?;
    let broken = |why| format!("{address} does not speak: {why}");
    let mut stream = caller.call(tcp).await.map_err(broken)?;
    stream.write_all(&request()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).await.map_err(broken)?;
    let parsed = Header::parse(header);
    if parsed.tag != tags::ResponseMessage || parsed.len > RESPONSE_LEN_MAX {
        return Err(format!("{address} answers with something else than KMIP"));
    }
    let mut response = header.to_vec();
    let mut rest = stream.take(parsed.len.into());
    rest.read_to_end(&mut response).await.map_err(broken)?;
    let response = ResponseMessage::decode(&response)
        .map_err(|why| format!("{address} answers with broken KMIP: {why}"))?;
    match response.items.first().map(|item| item.result_status) {
        Some(ResultStatus::Success) => Ok(()),
        Some(_) | None => Err(format!("{address} answers Discover Versions with a failure")),
    }
}

/// Discover Versions in KMIP 1.1, which is the first to have it (1.1, 4.26).
fn request() -> Vec<u8> {
    let payload = RequestPayload::from(DiscoverVersionsRequest::default());
    let items = vec![RequestBatchItem::from(payload)];
    RequestMessage { header: RequestHeader::new(Version::V1_1, 1), items }.encode()
}
