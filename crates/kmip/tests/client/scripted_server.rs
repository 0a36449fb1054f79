//! Key server whose reaction to each request a test chooses.

use std::sync::{Arc, Mutex};

use kmip::message::{RequestMessage, ResponseBatchItem, ResponseHeader, ResponseMessage};
use kmip::payload::ResponsePayload;
use kmip::vocabulary::{Operation, ResultReason, ResultStatus};
use kmip::{DateTime, Version};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Reaction to a request.
pub(crate) enum Reaction {
    /// Answers it.
    Answer(ResponseMessage),
    /// Answers it, and hangs up.
    AnswerAndClose(ResponseMessage),
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Hangs up.
    Close,
    /// Says nothing, and does not hang up.
    Silence,
}

/// Decides on the reaction to the request of this connection; both are counted from 0.
pub(crate) type Script = dyn Fn(usize, &RequestMessage) -> Reaction + Send + Sync;

/// The connection, the version and the operations of one request.
pub(crate) type ReceivedRequest = (usize, Version, Vec<Operation>);

/// A running server; it ends with the test's runtime.
pub(crate) struct ScriptedServer {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl ScriptedServer {
    /// Listens on a port of its own.
    pub(crate) async fn start(
        tls: ServerConfig,
        script: impl Fn(usize, &RequestMessage) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, script) = (TlsAcceptor::from(Arc::new(tls)), Arc::new(script));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            for number in 0.. {
                let (socket, _) = tcp.accept().await.unwrap();
                let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
                let received = Arc::clone(&kept);
                tokio::spawn(async move {
                    match acceptor.accept(socket).into_fallible().await {
                        Ok(stream) => serve(number, stream, script.as_ref(), &received).await,
                        // What is unread would reset the connection before its alert is read.
                        Err((_, mut socket)) => drain(&mut socket).await,
                    }
                });
            }
        });
        Self { port, received }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The requests so far.
    pub(crate) fn received(&self) -> Vec<ReceivedRequest> {
        self.received.lock().unwrap().clone()
    }

    /// The operations so far, without Discover Versions.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let all = self.received().into_iter().flat_map(|(_, _, operations)| operations);
        all.filter(|operation| *operation != Operation::DiscoverVersions).collect()
    }

    /// The versions in which Discover Versions came.
    pub(crate) fn discover_versions(&self) -> Vec<Version> {
        let all = self.received().into_iter();
        let asked = all.filter(|(_, _, asked)| asked == &[Operation::DiscoverVersions]);
        asked.map(|(_, version, _)| version).collect()
    }
}

async fn drain(socket: &mut (impl AsyncRead + Unpin)) {
    let mut bytes = [0; 4096];
    while matches!(socket.read(&mut bytes).await, Ok(len) if len > 0) {}
}

async fn serve(
    number: usize,
    mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    script: &Script,
    received: &Mutex<Vec<ReceivedRequest>>,
) {
    loop {
        let mut frame = vec![0; 8];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let len = u32::from_be_bytes(frame[4..8].try_into().unwrap());
        frame.resize(8 + usize::try_from(len).unwrap(), 0);
        stream.read_exact(&mut frame[8..]).await.unwrap();
        let request = RequestMessage::decode(&frame).unwrap();
        let operations = request.items.iter().map(|item| item.payload.operation()).collect();
        received.lock().unwrap().push((number, request.header.protocol_version, operations));
        let (bytes, close) = match script(number, &request) {
            Reaction::Answer(message) => (message.encode(), false),
            Reaction::AnswerAndClose(message) => (message.encode(), true),
            Reaction::Bytes(bytes) => (bytes, false),
            Reaction::Close => (Vec::new(), true),
            Reaction::Silence => {
                drain(&mut stream).await;
                return;
            }
        };
        stream.write_all(&bytes).await.unwrap();
        stream.flush().await.unwrap();
        if close {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// The versions of TLS, to be served one by one.
pub(crate) const EACH_VERSION: [&rustls::SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

/// A server's end of TLS; it asks for a certificate of `clients`, if that is not empty.
pub(crate) fn tls(server: &certs::CertifiedKey, clients: &str) -> ServerConfig {
    tls_of(rustls::ALL_VERSIONS, server, clients)
}

/// As [`tls`], in these versions of TLS alone.
pub(crate) fn tls_of(
    versions: &[&'static rustls::SupportedProtocolVersion],
    server: &certs::CertifiedKey,
    clients: &str,
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients.is_empty() {
        true => builder.with_no_client_auth(),
        false => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(certificates(clients));
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes()).unwrap();
    builder.with_single_cert(certificates(&server.cert_pem), key).unwrap()
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
}

/// A message in the version of the request with these items.
pub(crate) fn message(request: &RequestMessage, items: Vec<ResponseBatchItem>) -> ResponseMessage {
    let header = ResponseHeader {
        protocol_version: request.header.protocol_version,
        time_stamp: DateTime(1_700_000_000),
        nonce: None,
        server_hashed_password: None,
        attestation_types: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: None,
        batch_count: i32::try_from(items.len()).unwrap(),
    };
    ResponseMessage { header, items }
}

/// An item that was done.
pub(crate) fn done(payload: impl Into<ResponsePayload>) -> ResponseBatchItem {
    let payload = payload.into();
    ResponseBatchItem {
        operation: Some(payload.operation()),
        unique_batch_item_id: None,
        result_status: ResultStatus::Success,
        result_reason: None,
        result_message: None,
        asynchronous_correlation_value: None,
        payload: Some(payload),
        message_extension: None,
    }
}

/// An item that was refused.
pub(crate) fn refusal(
    operation: Option<Operation>,
    reason: ResultReason,
    why: &str,
) -> ResponseBatchItem {
    ResponseBatchItem {
        operation,
        unique_batch_item_id: None,
        result_status: ResultStatus::OperationFailed,
        result_reason: Some(reason),
        result_message: Some(why.to_owned()),
        asynchronous_correlation_value: None,
        payload: None,
        message_extension: None,
    }
}
