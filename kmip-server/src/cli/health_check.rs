//! Asks a running server whether it serves: a Discover Versions over mutual TLS.
//!
//! A client as any other, with a certificate of its own; there is no door that is open to all.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use ttlv::{HEADER_LEN, Header, Reader, Tag, Writer};

use crate::net::tls::Caller;

const BATCH_COUNT: Tag = Tag(0x42_000d);
const BATCH_ITEM: Tag = Tag(0x42_000f);
const OPERATION: Tag = Tag(0x42_005c);
const PROTOCOL_VERSION: Tag = Tag(0x42_0069);
const PROTOCOL_VERSION_MAJOR: Tag = Tag(0x42_006a);
const PROTOCOL_VERSION_MINOR: Tag = Tag(0x42_006b);
const REQUEST_HEADER: Tag = Tag(0x42_0077);
const REQUEST_MESSAGE: Tag = Tag(0x42_0078);
const REQUEST_PAYLOAD: Tag = Tag(0x42_0079);
const RESPONSE_MESSAGE: Tag = Tag(0x42_007b);
const RESULT_STATUS: Tag = Tag(0x42_007f);
const DISCOVER_VERSIONS: u32 = 0x1e;
const SUCCESS: u32 = 0;

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
    if parsed.tag != RESPONSE_MESSAGE || parsed.len > RESPONSE_LEN_MAX {
        return Err(format!("{address} answers with something else than KMIP"));
    }
    let mut response = header.to_vec();
    let mut rest = stream.take(parsed.len.into());
    rest.read_to_end(&mut response).await.map_err(broken)?;
    match is_success(&response) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{address} answers Discover Versions with a failure")),
        Err(why) => Err(format!("{address} answers with broken KMIP: {why}")),
    }
}

/// Discover Versions in KMIP 1.1, which is the first to have it (1.1, 4.26).
fn request() -> Vec<u8> {
    let mut writer = Writer::default();
    writer.structure(REQUEST_MESSAGE, |message| {
        message.structure(REQUEST_HEADER, |header| {
            header.structure(PROTOCOL_VERSION, |version| {
                version.integer(PROTOCOL_VERSION_MAJOR, 1);
                version.integer(PROTOCOL_VERSION_MINOR, 1);
            });
            header.integer(BATCH_COUNT, 1);
        });
        message.structure(BATCH_ITEM, |item| {
            item.enumeration(OPERATION, DISCOVER_VERSIONS);
            item.structure(REQUEST_PAYLOAD, |_| {});
        });
    });
    writer.into_bytes()
}

/// Whether the one batch item of a response has succeeded.
fn is_success(response: &[u8]) -> Result<bool, ttlv::Error> {
    let mut status = None;
    Reader::new(response).structure(RESPONSE_MESSAGE, |message| {
        while message.peek().is_some_and(|tag| tag != BATCH_ITEM) {
            message.item()?;
        }
        message.structure(BATCH_ITEM, |item| {
            while item.peek().is_some() {
                if item.peek() == Some(RESULT_STATUS) {
                    status = Some(item.enumeration(RESULT_STATUS)?);
                } else {
                    item.item()?;
                }
            }
            Ok::<_, ttlv::Error>(())
        })
    })?;
    Ok(status == Some(SUCCESS))
}
