//! Health check of a running server: Discover Versions and Query over mutual TLS.
//!
//! Its own servers tell in Server Information what the last check of their store gave.
//! It is a client as any other, with a certificate of its own.

use std::time::Duration;

use kmip::Version;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{DiscoverVersionsRequest, QueryRequest, RequestPayload, ResponsePayload};
use kmip::vocabulary::{QueryFunction, ResultStatus, tags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use ttlv::{HEADER_LEN, Header};

use crate::net::tls::Caller;
use crate::objects::server_information::{STORE_CHECK, STORE_WHOLE};

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
    // Whether or not it is heard: the server would log a connection that just ends.
    let _ = rest.into_inner().shutdown().await;
    let response = ResponseMessage::decode(&response)
        .map_err(|why| format!("{address} answers with broken KMIP: {why}"))?;
    for (at, operation) in ["Discover Versions", "Query"].into_iter().enumerate() {
        let status = response.items.get(at).map(|item| item.result_status);
        if status != Some(ResultStatus::Success) {
            return Err(format!("{address} answers {operation} with a failure"));
        }
    }
    match store_check(&response) {
        Some(check) if check != STORE_WHOLE => Err(format!("the store of {address}: {check}")),
        Some(_) | None => Ok(()),
    }
}

/// What the last check of the server's store gave, if it says so.
fn store_check(response: &ResponseMessage) -> Option<String> {
    let query = response.items.iter().find_map(|item| match &item.payload {
        Some(ResponsePayload::Query(query)) => Some(query),
        Some(_) | None => None,
    })?;
    let items = &query.server_information.as_ref()?.vendor_specific.0;
    let check = items.iter().find(|item| item.tag() == Some(STORE_CHECK))?;
    check.reader().text_string(STORE_CHECK).ok().map(str::to_owned)
}

/// Discover Versions and Query in KMIP 1.1, which is the first to have both (1.1, 4.25, 4.26).
fn request() -> Vec<u8> {
    let query_functions = vec![QueryFunction::QueryServerInformation];
    let query = QueryRequest { query_functions, object_groups: None };
    let payloads =
        [RequestPayload::from(DiscoverVersionsRequest::default()), RequestPayload::from(query)];
    let items = payloads.into_iter().enumerate().map(|(at, payload)| RequestBatchItem {
        // Items of a batch have numbers (1.1, 6.4).
        unique_batch_item_id: Some(vec![u8::try_from(at).unwrap_or_default()]),
        ..RequestBatchItem::from(payload)
    });
    RequestMessage { header: RequestHeader::new(Version::V1_1, 2), items: items.collect() }.encode()
}
