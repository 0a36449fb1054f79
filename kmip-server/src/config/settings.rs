//! The settings: each named once, with its default, its flag and its variable.
//!
//! ```text
//! flag  >  environment  >  file  >  default
//! ```
//!
//! No secret is here: the store's key comes from its own file or its own variable.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::config::disabled_algorithms::DisabledAlgorithms;

/// A setting that is missing, malformed or out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(String);

impl WrongSetting {
    /// What is wrong, in one sentence.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Makes the settings from one table: what one source gives, what all sources together give.
macro_rules! settings {
    (
        required {
            $($(#[doc = $rdoc:literal])+
            $req:ident: $rty:ty, $rvalue:literal, $renv:literal;)+
        }
        defaulted {
            $($(#[doc = $ddoc:literal])+
            $def:ident: $dty:ty, $dvalue:literal, $denv:literal, $default:expr;)+
        }
        optional {
            $($(#[doc = $odoc:literal])+
            $opt:ident: $oty:ty, $ovalue:literal, $oenv:literal;)+
        }
    ) => {
        /// What one source says of each setting.
        #[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Given {
            $($(#[doc = $rdoc])+ #[arg(long, value_name = $rvalue, env = $renv)]
            pub $req: Option<$rty>,)+
            $($(#[doc = $ddoc])+ #[arg(long, value_name = $dvalue, env = $denv)]
            pub $def: Option<$dty>,)+
            $($(#[doc = $odoc])+ #[arg(long, value_name = $ovalue, env = $oenv)]
            pub $opt: Option<$oty>,)+
        }

        impl Given {
            /// What this source says, and where it is silent, what `weaker` says.
            #[must_use]
            pub fn or(self, weaker: Self) -> Self {
                Self {
                    $($req: self.$req.or(weaker.$req),)+
                    $($def: self.$def.or(weaker.$def),)+
                    $($opt: self.$opt.or(weaker.$opt),)+
                }
            }

            /// The names of the settings that this source speaks of.
            pub fn names(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if self.$req.is_some() { names.push(stringify!($req)); })+
                $(if self.$def.is_some() { names.push(stringify!($def)); })+
                $(if self.$opt.is_some() { names.push(stringify!($opt)); })+
                names
            }

            /// The settings, with defaults for what was not given; each in its range.
            pub fn settle(self) -> Result<Settings, WrongSetting> {
                let settings = Settings {
                    $($req: self.$req.ok_or_else(|| missing(stringify!($req), $rvalue, $renv))?,)+
                    $($def: match self.$def { Some(value) => value, None => $default },)+
                    $($opt: self.$opt,)+
                };
                settings.check()?;
                Ok(settings)
            }
        }

        /// The settings of a key server.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $rdoc])+ pub $req: $rty,)+
            $($(#[doc = $ddoc])+ pub $def: $dty,)+
            $($(#[doc = $odoc])+ pub $opt: Option<$oty>,)+
        }

        impl Settings {
            /// Settings with these files, and the default for all else.
            pub fn new($($req: impl Into<$rty>),+) -> Self {
                Self { $($req: $req.into(),)+ $($def: $default,)+ $($opt: None,)+ }
            }
        }

        /// Every setting with its environment variable and, if it has one, its default as text.
        pub fn table() -> Vec<(&'static str, &'static str, Option<String>)> {
            vec![
                $((stringify!($req), $renv, None),)+
                $((stringify!($def), $denv, {
                    let default: $dty = $default;
                    Some(default.to_string())
                }),)+
                $((stringify!($opt), $oenv, None),)+
            ]
        }
    };
}

/// Lease Time unless set otherwise, in seconds: what the standard's own test cases show.
pub const LEASE_S: u32 = 3600;

/// How long a new certificate is valid unless set otherwise, in days: a year, as public authorities
/// had it for long.
const CERTIFY_DAYS: u32 = 365;

/// Free space below which writes are refused unless set otherwise, in MiB: some segments of the
/// engine, so that it never meets a full disk in a write.
pub const FREE_SPACE_RESERVE_MIB: u64 = 64;

/// Processor time of one message unless set otherwise, in milliseconds: the slowest single request,
/// an RSA pair of 8192 bits, takes some tens of seconds at the worst.
pub const MESSAGE_WORK_MAX_MS: u64 = 60_000;

/// The longest response unless set otherwise, in bytes: twice a Locate of as many identifiers as
/// are given at once.
pub const RESPONSE_LEN_MAX: usize = 8 << 20;

/// Long requests and responses under way of one client unless set otherwise, in bytes: some of the
/// longest.
pub const HELD_BYTES_PER_CLIENT_MAX: usize = 32 << 20;

/// The same of all clients: what a small machine has to spare.
pub const HELD_BYTES_MAX: usize = 128 << 20;

/// Hours between two checks of all rows unless set otherwise.
pub const CHECK_INTERVAL_H: u32 = 24;

/// Returns the time of so many hours; `None` for 0.
pub(crate) fn check_interval(hours: u32) -> Option<Duration> {
    (hours > 0).then(|| Duration::from_secs(u64::from(hours).saturating_mul(3600)))
}

settings! {
    required {
        /// The server's certificate in PEM, with the authorities between it and the root
        cert: PathBuf, "FILE", "KMIP_SERVER_CERT";
        /// The private key of that certificate in PEM
        key: PathBuf, "FILE", "KMIP_SERVER_KEY";
        /// The authorities in PEM whose clients may connect
        client_ca: PathBuf, "FILE", "KMIP_SERVER_CLIENT_CA";
    }
    defaulted {
        /// The address to listen on; port 0 takes a free one
        listen: SocketAddr, "ADDR", "KMIP_SERVER_LISTEN", SocketAddr::from(([127, 0, 0, 1], 5696));
        /// What owns the objects that a client makes: its certificate's subject, which a renewed
        /// certificate keeps, or the certificate's fingerprint
        identity: Identity, "subject|fingerprint", "KMIP_SERVER_IDENTITY", Identity::Subject;
        /// Whether client-ca may hold several authorities while identity is subject: one
        /// administration has them all, as when an authority is replaced
        authorities_share_subjects: bool, "true|false",
        "KMIP_SERVER_AUTHORITIES_SHARE_SUBJECTS", false;
        /// Whether two objects of one client may have the same Name: unique, as the standard has
        /// it, or shared, as clients of servers that never looked may need it
        names: Names, "unique|shared", "KMIP_SERVER_NAMES", Names::Unique;
        /// For how many seconds a client may use what it fetched before it asks again (Lease Time);
        /// 0 for no limit
        lease_s: u32, "SECONDS", "KMIP_SERVER_LEASE_S", LEASE_S;
        /// Whether the operation Interop is there, by which a client that tests can put all its
        /// objects away; never on a server in use
        interop: bool, "true|false", "KMIP_SERVER_INTEROP", false;
        /// For how many days a certificate that Certify makes is valid, at the most; it never
        /// outlives certify-ca-cert
        certify_days: u32, "DAYS", "KMIP_SERVER_CERTIFY_DAYS", CERTIFY_DAYS;
        /// How much of what clients send with RNG Seed is stirred into the random bytes: all of it,
        /// 16 bytes, none of it, or the operation is refused
        rng_seed: RngSeed, "all|some|none|refuse", "KMIP_SERVER_RNG_SEED", RngSeed::All;
        /// Where objects are kept: in the data folder, or in memory until the program ends
        store: StoreLocation, "data|memory", "KMIP_SERVER_STORE", StoreLocation::Data;
        /// The storage engine of the data folder; a store stays with the one it was made with
        engine: Engine, "sled|redb", "KMIP_SERVER_ENGINE", Engine::Sled;
        /// Whether a new store is made in a data folder that has none: auto, or never, where the
        /// folder is a volume that may not be mounted
        create_store: CreateStore, "auto|never", "KMIP_SERVER_CREATE_STORE", CreateStore::Auto;
        /// Free space of the data folder, in MiB, below which writes are refused; 0 for none
        free_space_reserve: u64, "MIB", "KMIP_SERVER_FREE_SPACE_RESERVE", FREE_SPACE_RESERVE_MIB;
        /// Hours between two checks of all rows of the store while it is in use; 0 for none
        check_interval_h: u32, "HOURS", "KMIP_SERVER_CHECK_INTERVAL_H", CHECK_INTERVAL_H;
        /// The longest request in bytes
        frame_len_max: usize, "BYTES", "KMIP_SERVER_FRAME_LEN_MAX", 1 << 20;
        /// The longest response in bytes, in whatever encoding; what is longer is refused, and not
        /// done
        response_len_max: usize, "BYTES", "KMIP_SERVER_RESPONSE_LEN_MAX", RESPONSE_LEN_MAX;
        /// The most bytes of requests and responses of one client under way, beside short ones
        held_bytes_per_client_max: usize, "BYTES", "KMIP_SERVER_HELD_BYTES_PER_CLIENT_MAX",
        HELD_BYTES_PER_CLIENT_MAX;
        /// The same of all clients together
        held_bytes_max: usize, "BYTES", "KMIP_SERVER_HELD_BYTES_MAX", HELD_BYTES_MAX;
        /// How many slow requests (key pairs, long data, many rounds) are worked on at once, in
        /// fair turns between clients; 0 for one fewer than there are processors, but two
        slow_work_max: usize, "COUNT", "KMIP_SERVER_SLOW_WORK_MAX", 0;
        /// The most processor time of one message; what is left of its items is refused
        message_work_max_ms: u64, "MS", "KMIP_SERVER_MESSAGE_WORK_MAX_MS", MESSAGE_WORK_MAX_MS;
        /// The most connections at once
        connections_max: usize, "COUNT", "KMIP_SERVER_CONNECTIONS_MAX", 4096;
        /// The most connections at once from one address (IPv6: one /64)
        connections_per_address_max: usize, "COUNT",
        "KMIP_SERVER_CONNECTIONS_PER_ADDRESS_MAX", 2048;
        /// The most connections at once of one client
        connections_per_client_max: usize, "COUNT",
        "KMIP_SERVER_CONNECTIONS_PER_CLIENT_MAX", 1024;
        /// How long a client may take to finish the TLS handshake
        handshake_deadline_ms: u64, "MS", "KMIP_SERVER_HANDSHAKE_DEADLINE_MS", 10_000;
        /// How long a request may take to arrive whole, and a response to be taken
        message_deadline_ms: u64, "MS", "KMIP_SERVER_MESSAGE_DEADLINE_MS", 30_000;
        /// How long a connection may be silent between two requests; some arrays ask every 15
        /// minutes
        idle_deadline_ms: u64, "MS", "KMIP_SERVER_IDLE_DEADLINE_MS", 20 * 60_000;
        /// How long requests under way may take to finish after SIGTERM; Docker waits 10 seconds
        shutdown_deadline_ms: u64, "MS", "KMIP_SERVER_SHUTDOWN_DEADLINE_MS", 8_000;
        /// What is logged: off, error, warn, info, debug or trace, also by module
        /// (info,kmip_server::net=debug)
        log: String, "FILTER", "KMIP_SERVER_LOG", "info".to_owned();
        /// Lines of each kind that are logged in a minute, beside a burst of 100; what is left out
        /// is counted; 0 for all
        log_lines_per_minute: u32, "COUNT", "KMIP_SERVER_LOG_LINES_PER_MINUTE", 60;
        /// The form of the log on the standard error stream
        log_format: LogFormat, "text|json", "KMIP_SERVER_LOG_FORMAT", LogFormat::Text;
    }
    optional {
        /// The folder of the store; made if it is not there. It must be set unless store is memory
        data: PathBuf, "DIR", "KMIP_SERVER_DATA";
        /// The address to listen on for KMIP over HTTPS, POST /kmip; without it there is no such
        /// door
        https_listen: SocketAddr, "ADDR", "KMIP_SERVER_HTTPS_LISTEN";
        /// Revocation lists in PEM, one for each authority; a client without a fresh one is refused
        client_crl: PathBuf, "FILE", "KMIP_SERVER_CLIENT_CRL";
        /// The file of the key that seals the store, made at the first start [default: store.key
        /// in the data folder]
        store_key_file: PathBuf, "FILE", "KMIP_SERVER_STORE_KEY_FILE";
        /// Secrets of one-time passwords (RFC 6238), a line name:BASE32 each, that a request may
        /// carry; a code is taken once
        one_time_file: PathBuf, "FILE", "KMIP_SERVER_ONE_TIME_FILE";
        /// Clients that are sent Notify and Put without having asked, a line each: the version and
        /// the owner (1.4 subject:CN=array)
        push_file: PathBuf, "FILE", "KMIP_SERVER_PUSH_FILE";
        /// Names and passwords, a line name:password each, that a request may carry beside its
        /// certificate; a wrong one is refused
        users_file: PathBuf, "FILE", "KMIP_SERVER_USERS_FILE";
        /// What is turned off, names of the standard apart by commas: algorithms, modes, paddings,
        /// hashes and derivations (DES3,MD5,ECB); no key is made, kept or used for them
        disabled_algorithms: DisabledAlgorithms, "NAMES", "KMIP_SERVER_DISABLED_ALGORITHMS";
        /// The certificate in PEM of the authority in whose name Certify and Re-certify make more;
        /// without it there are no such operations. It must not be one that lets clients in
        certify_ca_cert: PathBuf, "FILE", "KMIP_SERVER_CERTIFY_CA_CERT";
        /// The private key of that authority in PEM
        certify_ca_key: PathBuf, "FILE", "KMIP_SERVER_CERTIFY_CA_KEY";
        /// A PKCS#11 module, for the operation PKCS#11; without it there is no such operation
        pkcs11_module: PathBuf, "FILE", "KMIP_SERVER_PKCS11_MODULE";
    }
}

/// An enumeration whose names are the same in flags, files and messages.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $name:ident { $($(#[doc = $vdoc:literal])+ $variant:ident = $word:literal,)+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
        pub enum $name {
            $($(#[doc = $vdoc])+
            #[value(name = $word)]
            #[serde(rename = $word)]
            $variant,)+
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)+ })
            }
        }
    };
}

words! {
    /// What names the owner of a client's objects.
    Identity {
        /// The certificate's subject; without one its first alternative name.
        Subject = "subject",
        /// The certificate's SHA-256 fingerprint.
        Fingerprint = "fingerprint",
    }
}

words! {
    /// How many objects of one client may have a Name.
    Names {
        /// One (1.4, 3.2; 2.1, 4.36).
        Unique = "unique",
        /// Any number.
        Shared = "shared",
    }
}

words! {
    /// How much of a seed is used.
    RngSeed {
        /// All of it.
        All = "all",
        /// The first 16 bytes.
        Some = "some",
        /// None: the server answers that it took no byte.
        None = "none",
        /// The operation is refused.
        Refuse = "refuse",
    }
}

words! {
    /// Where objects are kept.
    StoreLocation {
        /// Sealed, in the data folder.
        Data = "data",
        /// In memory, until the program ends.
        Memory = "memory",
    }
}

words! {
    /// Storage engine of the data folder.
    Engine {
        /// sled 0.34.
        Sled = "sled",
        /// redb 4.
        Redb = "redb",
    }
}

words! {
    /// Whether a new store may be made.
    CreateStore {
        /// Where there is none.
        Auto = "auto",
        /// Never: a data folder without a store is an error.
        Never = "never",
    }
}

words! {
    /// The form of a line of the log.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

impl Settings {
    /// How long a handshake may take.
    pub fn handshake_deadline(&self) -> Duration {
        Duration::from_millis(self.handshake_deadline_ms)
    }

    /// How long the ones under way have after the signal to stop.
    pub fn shutdown_deadline(&self) -> Duration {
        Duration::from_millis(self.shutdown_deadline_ms)
    }

    /// Each number: its name, its value, the least and the most, and the reason of the range.
    fn ranges(&self) -> [(&'static str, u64, u64, u64, &'static str); 15] {
        let connections = to_u64(self.connections_max);
        let day = 24 * 60 * 60 * 1000;
        [
            (
                "frame-len-max",
                to_u64(self.frame_len_max),
                1 << 10,
                1 << 24,
                "a request of ordinary length must fit, and memory for one per connection",
            ),
            ("connections-max", connections, 1, 1 << 20, "each takes a file descriptor"),
            (
                "connections-per-address-max",
                to_u64(self.connections_per_address_max),
                1,
                1 << 20,
                "each takes a file descriptor",
            ),
            (
                "connections-per-client-max",
                to_u64(self.connections_per_client_max),
                1,
                1 << 20,
                "each takes a file descriptor",
            ),
            (
                "response-len-max",
                to_u64(self.response_len_max),
                1 << 16,
                1 << 28,
                "an ordinary object must fit, and memory for several",
            ),
            (
                "held-bytes-per-client-max",
                to_u64(self.held_bytes_per_client_max),
                to_u64(self.response_len_max.max(self.frame_len_max)),
                1 << 40,
                "one response of the greatest length must fit",
            ),
            (
                "held-bytes-max",
                to_u64(self.held_bytes_max),
                to_u64(self.held_bytes_per_client_max),
                1 << 40,
                "what one client may hold must fit",
            ),
            ("slow-work-max", to_u64(self.slow_work_max), 0, 1 << 10, "each takes a thread"),
            ("message-work-max-ms", self.message_work_max_ms, 1, day, "at most a day"),
            (
                "certify-days",
                self.certify_days.into(),
                1,
                36_500,
                "a certificate lasts a day at the least and a hundred years at the most",
            ),
            ("handshake-deadline-ms", self.handshake_deadline_ms, 1, day, "at most a day"),
            ("message-deadline-ms", self.message_deadline_ms, 1, day, "at most a day"),
            ("idle-deadline-ms", self.idle_deadline_ms, 1, 30 * day, "at most 30 days"),
            ("free-space-reserve", self.free_space_reserve, 0, 1 << 30, "at most a PiB"),
            ("shutdown-deadline-ms", self.shutdown_deadline_ms, 0, day, "at most a day"),
        ]
    }

    /// Checks each number against its range, with the reason of the range.
    fn check(&self) -> Result<(), WrongSetting> {
        for (name, value, min, max, why) in self.ranges() {
            if value < min || value > max {
                return Err(WrongSetting(format!(
                    "{name} is {value}, but must be from {min} to {max}: {why}"
                )));
            }
        }
        if self.data.is_none() && self.store == StoreLocation::Data {
            return Err(missing("data", "DIR", "KMIP_SERVER_DATA"));
        }
        match self.certify_ca_cert.is_some() == self.certify_ca_key.is_some() {
            true => Ok(()),
            false => Err(WrongSetting::new(
                "certify-ca-cert and certify-ca-key go together, and one of them is not set",
            )),
        }
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn missing(name: &str, value: &str, env: &str) -> WrongSetting {
    let name = name.replace('_', "-");
    WrongSetting(format!(
        "{name} is not set: give --{name} {value}, {env} in the environment or {name} = \"...\" \
         in the configuration file"
    ))
}

/// What the file at `path` says.
pub fn read(path: &Path) -> Result<Given, WrongSetting> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|why| WrongSetting(format!("configuration file {shown} cannot be read: {why}")))?;
    parse(&text).map_err(|WrongSetting(why)| {
        WrongSetting(format!("configuration file {shown} is wrong: {why}"))
    })
}

/// What a text in TOML says.
pub fn parse(text: &str) -> Result<Given, WrongSetting> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        WrongSetting(format!("line {line}: {}", error.message().replace('\n', " ")))
    })
}
