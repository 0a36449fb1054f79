//! Flags of `kmip-proxy serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(super) struct Serve {
    /// Address where clients connect
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "KMIP_PROXY_LISTEN",
        default_value = "127.0.0.1:5698"
    )]
    pub(super) listen: SocketAddr,
    /// Certificate of the proxy for clients, in PEM
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_CERT")]
    pub(super) cert: PathBuf,
    /// Private key of that certificate
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_KEY")]
    pub(super) key: PathBuf,
    /// Authorities that may have signed clients' certificates, in PEM
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_CLIENT_CA")]
    pub(super) client_ca: PathBuf,
    /// Folder of NAME.crt and NAME.key that clients can be shown in place of it, chosen over HTTP
    #[arg(long, value_name = "DIR", env = "KMIP_PROXY_CERTIFICATES")]
    pub(super) certificates: Option<PathBuf>,
    /// Host and port of the server
    #[arg(long, value_name = "HOST:PORT", env = "KMIP_PROXY_UPSTREAM")]
    pub(super) upstream: String,
    /// Authorities that may have signed the server's certificate, in PEM
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_UPSTREAM_CA")]
    pub(super) upstream_ca: PathBuf,
    /// Name that the server's certificate must be for [default: the host]
    #[arg(long, value_name = "NAME", env = "KMIP_PROXY_UPSTREAM_NAME")]
    pub(super) upstream_name: Option<String>,
    /// Certificate for the server, of clients that have no row in --identities
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_UPSTREAM_CERT", requires = "upstream_key")]
    pub(super) upstream_cert: Option<PathBuf>,
    /// Private key of that certificate
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_UPSTREAM_KEY", requires = "upstream_cert")]
    pub(super) upstream_key: Option<PathBuf>,
    /// Table in TOML: which certificate is used at the server for which client
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_IDENTITIES")]
    pub(super) identities: Option<PathBuf>,
    /// File of rules, in TOML
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_RULES")]
    pub(super) rules: Option<PathBuf>,
    /// Address of the HTTP interface, without TLS and authentication; if unset, there is none
    #[arg(long, value_name = "ADDRESS", env = "KMIP_PROXY_HTTP_LISTEN")]
    pub(super) http_listen: Option<SocketAddr>,
    /// Name under which the HTTP interface is reached besides its address; may be repeated
    #[arg(
        long,
        value_name = "NAME",
        env = "KMIP_PROXY_HTTP_HOST",
        value_delimiter = ',',
        requires = "http_listen"
    )]
    pub(super) http_host: Vec<String>,
    /// File that the conversation is appended to, one JSON object a message
    #[arg(long, value_name = "FILE", env = "KMIP_PROXY_CONVERSATION")]
    pub(super) conversation: Option<PathBuf>,
    /// Messages that are kept in memory for the HTTP interface
    #[arg(
        long,
        value_name = "COUNT",
        env = "KMIP_PROXY_CONVERSATION_MEMORY",
        default_value_t = 1000
    )]
    pub(super) conversation_memory: usize,
    /// Write every message as hex too, up to the first byte that may be of a key
    #[arg(long, env = "KMIP_PROXY_HEX")]
    pub(super) hex: bool,
    /// DANGEROUS: write hex with key material
    #[arg(long, env = "KMIP_PROXY_SHOW_KEY_MATERIAL")]
    pub(super) show_key_material: bool,
    /// End with status 3 if a rule never fired
    #[arg(long, env = "KMIP_PROXY_FAIL_UNFIRED")]
    pub(super) fail_unfired: bool,
    /// Longest request, in bytes
    #[arg(
        long,
        value_name = "BYTES",
        env = "KMIP_PROXY_REQUEST_LEN_MAX",
        default_value_t = 1 << 20
    )]
    pub(super) request_len_max: usize,
    /// Longest response, in bytes
    #[arg(
        long,
        value_name = "BYTES",
        env = "KMIP_PROXY_RESPONSE_LEN_MAX",
        default_value_t = 16 << 20
    )]
    pub(super) response_len_max: usize,
    /// Connections at once
    #[arg(long, value_name = "COUNT", env = "KMIP_PROXY_CONNECTIONS_MAX", default_value_t = 256)]
    pub(super) connections_max: usize,
    /// How long a client's TLS handshake may take
    #[arg(
        long,
        value_name = "MS",
        env = "KMIP_PROXY_HANDSHAKE_DEADLINE_MS",
        default_value_t = 10_000
    )]
    pub(super) handshake_deadline_ms: u64,
    /// How long connecting to the server may take
    #[arg(
        long,
        value_name = "MS",
        env = "KMIP_PROXY_CONNECT_DEADLINE_MS",
        default_value_t = 10_000
    )]
    pub(super) connect_deadline_ms: u64,
    /// How long a connection without a request under way stays open; 0 for ever
    #[arg(
        long,
        value_name = "MS",
        env = "KMIP_PROXY_IDLE_DEADLINE_MS",
        default_value_t = 1_200_000
    )]
    pub(super) idle_deadline_ms: u64,
    /// Which log lines are written: error, warn, info, debug, or a filter of tracing-subscriber
    #[arg(long, value_name = "FILTER", env = "KMIP_PROXY_LOG", default_value = "info")]
    pub(super) log: String,
    /// Log lines of one kind that are written in a minute, after the first 100; 0 for all
    #[arg(
        long,
        value_name = "COUNT",
        env = "KMIP_PROXY_LOG_LINES_PER_MINUTE",
        default_value_t = 60
    )]
    pub(super) log_lines_per_minute: u32,
}
