//! Whether the program that serves this data folder answers: what a container's health check asks.

use crate::config::{Config, DoorPair};
use crate::rpc::tls;
use crate::serve::DOOR_CERTIFICATE;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the door may take: health checks are asked every few seconds.
const DEADLINE: Duration = Duration::from_secs(5);

/// Longest answer that is read: its first line is enough.
const ANSWER_LEN_MAX: u64 = 1024;

/// The one request.
const REQUEST: &[u8] =
    b"GET /sim/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Knocks at the door, which must show the certificate that it was given; a sentence when it does
/// not answer.
pub async fn check(config: &Config) -> Result<(), String> {
    let certificate = match &config.pair {
        DoorPair::Files { cert, .. } => cert.clone(),
        DoorPair::SelfMade => config.cluster.folder.join(DOOR_CERTIFICATE),
    };
    let certificate = std::fs::read_to_string(&certificate)
        .map_err(|error| format!("cannot read {}: {error}", certificate.display()))?;
    let address = reachable(config.listen);
    match tokio::time::timeout(DEADLINE, knock(address, &certificate)).await {
        Ok(Ok(answer)) if answer.starts_with("HTTP/1.1 200 ") => Ok(()),
        Ok(Ok(_)) => Err(format!("{address} answers, but not as node-sim does")),
        Ok(Err(error)) => Err(format!("{address} does not answer: {error}")),
        Err(_) => Err(format!("{address} does not answer within {} s", DEADLINE.as_secs())),
    }
}

async fn knock(address: SocketAddr, certificate: &str) -> std::io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let mut stream = tls::connect_pinned(stream, certificate).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LEN_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// "All addresses" is where to listen, not where to go.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}
