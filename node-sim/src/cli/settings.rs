//! Settings, from four sources: flags, then the environment, then a TOML file, then defaults.
//!
//! A wrong setting is one sentence that names it and says what would be right.

use crate::cluster::{
    ClusterSettings, MILLISECONDS_PER_DRIVE_MAX, RekeyControlSettings, STOPS, stop_by_name,
};
use crate::key_server::kmip_client::REQUEST_DEADLINE;
use clap::Args;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// The password when none is set. It is written in the documentation, so it protects nothing.
pub(crate) const DEFAULT_PASSWORD: &str = "admin";

/// Nodes of a cluster: each is a folder and a session to the key server.
const NODES: std::ops::RangeInclusive<u32> = 1..=40;

/// Drives of a node, as many as a chassis of Element has slots.
const DRIVES: std::ops::RangeInclusive<u32> = 1..=24;

/// Blocks of 4 KiB on a drive: 1 MiB to 4 TiB. The file grows only as it is written.
const BLOCKS: std::ops::RangeInclusive<u64> = 256..=1 << 30;

/// How long the body of a request may take when nothing is set.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Deadlines of a body, in milliseconds: a body of 1 MiB over a slow link may take minutes.
const BODY_DEADLINES_MS: std::ops::RangeInclusive<u64> = 1..=3_600_000;

/// How long a session lasts without a request when nothing is set.
const SESSION_IDLE: Duration = Duration::from_secs(1800);

/// How long a session may last without a request, in milliseconds: up to a day.
const SESSION_IDLES_MS: std::ops::RangeInclusive<u64> = 1..=86_400_000;

/// Intervals, in milliseconds, at which key servers are asked for the keys in use.
const CHECK_INTERVALS_MS: std::ops::RangeInclusive<u64> = 1..=3_600_000;

/// Deadlines of a request to a key server, in milliseconds: shorter than the 20 s of a call of
/// Element's that contacts one, so that the call reports which host did not answer.
const KMIP_REQUEST_DEADLINES_MS: std::ops::RangeInclusive<u64> = 1..=19_000;

/// Settings of one source: what is absent is left to the next.
#[derive(Args, Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct PartialSettings {
    /// Address and port of the HTTPS door; port 0 picks a free one [default: 127.0.0.1:8443]
    #[arg(long, env = "NODE_SIM_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Another door, which offers the methods of a node and not those of the cluster, as port 442
    /// of a node does; without it the one door offers both
    #[arg(long, env = "NODE_SIM_NODE_LISTEN", value_name = "ADDR")]
    pub(crate) node_listen: Option<String>,
    /// Folder for everything that is to be kept
    #[arg(long, env = "NODE_SIM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Name of the primary cluster administrator [default: admin]
    #[arg(long, env = "NODE_SIM_USER", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Its password [default: admin, with a warning]
    #[arg(long, env = "NODE_SIM_PASSWORD", value_name = "TEXT", hide_env_values = true)]
    pub(crate) password: Option<String>,
    /// Certificate of the door, PEM; without it one is made and kept in the data folder
    #[arg(long, env = "NODE_SIM_CERT", value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// Private key of that certificate, PEM
    #[arg(long, env = "NODE_SIM_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Nodes of a new cluster [default: 4]
    #[arg(long, env = "NODE_SIM_NODES", value_name = "N")]
    pub(crate) nodes: Option<u32>,
    /// Drives of each node of a new cluster [default: 3]
    #[arg(long, env = "NODE_SIM_DRIVES_PER_NODE", value_name = "N")]
    pub(crate) drives_per_node: Option<u32>,
    /// Blocks of 4 KiB of each drive of a new cluster [default: 65536]
    #[arg(long, env = "NODE_SIM_BLOCKS_PER_DRIVE", value_name = "N")]
    pub(crate) blocks_per_drive: Option<u64>,
    /// Name of a new cluster [default: lab]
    #[arg(long, env = "NODE_SIM_NAME", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Management address that a new cluster tells its clients [default: that of the door]
    #[arg(long, env = "NODE_SIM_MVIP", value_name = "IP")]
    pub(crate) mvip: Option<IpAddr>,
    /// Storage address that a new cluster tells its clients [default: the management address]
    #[arg(long, env = "NODE_SIM_SVIP", value_name = "IP")]
    pub(crate) svip: Option<IpAddr>,
    /// Wait after the first failure at a key server, in milliseconds; it doubles with each further
    /// one [default: 500]
    #[arg(long, env = "NODE_SIM_RETRY_MIN_MS", value_name = "MS")]
    pub(crate) retry_min_ms: Option<u64>,
    /// Longest wait between two attempts at a key server, in milliseconds [default: 30000]
    #[arg(long, env = "NODE_SIM_RETRY_MAX_MS", value_name = "MS")]
    pub(crate) retry_max_ms: Option<u64>,
    /// How often the key servers that hold a master key in use are asked for it, in milliseconds
    /// [default: 30000]
    #[arg(long, env = "NODE_SIM_KEY_SERVER_CHECK_INTERVAL_MS", value_name = "MS")]
    pub(crate) key_server_check_interval_ms: Option<u64>,
    /// How late a Create without an answer can still be done by a key server, in milliseconds: a
    /// key that was given up before it was in use, and that no key server shows for so long, is
    /// taken for not created [default: 20000]
    #[arg(long, env = "NODE_SIM_CREATE_LATE_MAX_MS", value_name = "MS")]
    pub(crate) create_late_max_ms: Option<u64>,
    /// How long a request to a key server may take, in milliseconds [default: 15000]
    #[arg(long, env = "NODE_SIM_KMIP_REQUEST_DEADLINE_MS", value_name = "MS")]
    pub(crate) kmip_request_deadline_ms: Option<u64>,
    /// Wait between two drives while a rekey wraps their data encryption keys, in milliseconds
    /// [default: 0]
    #[arg(long, env = "NODE_SIM_REKEY_MS_PER_DRIVE", value_name = "MS")]
    pub(crate) rekey_ms_per_drive: Option<u64>,
    /// State of Element's that every rekey stops before, until an operator lets it go on:
    /// CreateNewMasterKey, RewrapDataEncryptionKeys, DecommissionOldMasterKey or Ready
    /// [default: none]
    #[arg(long, env = "NODE_SIM_REKEY_STOP_BEFORE", value_name = "STATE")]
    pub(crate) rekey_stop_before: Option<String>,
    /// How long the body of a request may take, in milliseconds [default: 30000]
    #[arg(long, env = "NODE_SIM_BODY_DEADLINE_MS", value_name = "MS")]
    pub(crate) body_deadline_ms: Option<u64>,
    /// How long the session of a web page lasts without a request, in milliseconds
    /// [default: 1800000]
    #[arg(long, env = "NODE_SIM_SESSION_IDLE_MS", value_name = "MS")]
    pub(crate) session_idle_ms: Option<u64>,
    /// Host and port of a lab controller, to which requests of /lab/v1 are passed on with the
    /// administrator's credentials, over plain HTTP [default: none]
    #[arg(long, env = "NODE_SIM_LAB_CONTROLLER", value_name = "HOST:PORT")]
    pub(crate) lab_controller: Option<String>,
    /// File to which every KMIP message is appended as text, secrets hidden
    #[arg(long, env = "NODE_SIM_KMIP_TRACE", value_name = "FILE")]
    pub(crate) kmip_trace: Option<PathBuf>,
    /// What to log: error, warn, info, debug, trace, or a list like node_sim=debug [default: info]
    #[arg(long, env = "NODE_SIM_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// Source of the listeners' certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateSource {
    /// It is made at the first start and kept in the data folder.
    SelfSigned,
    /// It is in these files.
    Files {
        /// The certificate.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// Settings, complete and checked.
pub(crate) struct Settings {
    /// Address of the listener.
    pub(crate) listen: SocketAddr,
    /// Address of the listener of a node, if it has its own.
    pub(crate) node_listen: Option<SocketAddr>,
    /// The administrator's name.
    pub(crate) user: String,
    /// The administrator's password.
    pub(crate) password: Zeroizing<String>,
    /// Source of the certificate.
    pub(crate) certificate: CertificateSource,
    /// The cluster.
    pub(crate) cluster: ClusterSettings,
    /// How long the body of a request may take.
    pub(crate) body_deadline: Duration,
    /// How long the session of a web page lasts without a request.
    pub(crate) session_idle: Duration,
    /// Host and port of the lab controller, if there is one.
    pub(crate) lab: Option<String>,
    /// How long a request to a key server may take.
    pub(crate) kmip_request_deadline: Duration,
    /// Where KMIP messages are written as text, if anywhere.
    pub(crate) kmip_trace: Option<PathBuf>,
    /// What to log.
    pub(crate) log: String,
}

impl PartialSettings {
    /// Reads a TOML file.
    pub(crate) fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().replace('\n', " "))
    }

    /// Returns these settings, and where they say nothing, those of `next`.
    #[must_use]
    pub(crate) fn or(self, next: Self) -> Self {
        Self {
            listen: self.listen.or(next.listen),
            node_listen: self.node_listen.or(next.node_listen),
            data: self.data.or(next.data),
            user: self.user.or(next.user),
            password: self.password.or(next.password),
            cert: self.cert.or(next.cert),
            key: self.key.or(next.key),
            nodes: self.nodes.or(next.nodes),
            drives_per_node: self.drives_per_node.or(next.drives_per_node),
            blocks_per_drive: self.blocks_per_drive.or(next.blocks_per_drive),
            name: self.name.or(next.name),
            mvip: self.mvip.or(next.mvip),
            svip: self.svip.or(next.svip),
            retry_min_ms: self.retry_min_ms.or(next.retry_min_ms),
            retry_max_ms: self.retry_max_ms.or(next.retry_max_ms),
            key_server_check_interval_ms: self
                .key_server_check_interval_ms
                .or(next.key_server_check_interval_ms),
            create_late_max_ms: self.create_late_max_ms.or(next.create_late_max_ms),
            kmip_request_deadline_ms: self
                .kmip_request_deadline_ms
                .or(next.kmip_request_deadline_ms),
            rekey_ms_per_drive: self.rekey_ms_per_drive.or(next.rekey_ms_per_drive),
            rekey_stop_before: self.rekey_stop_before.or(next.rekey_stop_before),
            body_deadline_ms: self.body_deadline_ms.or(next.body_deadline_ms),
            session_idle_ms: self.session_idle_ms.or(next.session_idle_ms),
            lab_controller: self.lab_controller.or(next.lab_controller),
            kmip_trace: self.kmip_trace.or(next.kmip_trace),
            log: self.log.or(next.log),
        }
    }

    /// Returns the settings, checked; or the one sentence that says what is wrong.
    pub(crate) fn check(self) -> Result<Settings, String> {
        let listen = address("listen", self.listen.as_deref().unwrap_or("127.0.0.1:8443"))?;
        let node_listen =
            self.node_listen.as_deref().map(|text| address("node-listen", text)).transpose()?;
        let (user, password) = credentials(self.user, self.password)?;
        let certificate = certificate_source(self.cert, self.key)?;
        let mvip = self.mvip.unwrap_or_else(|| reachable(listen.ip()));
        let defaults = ClusterSettings::default();
        let session_idle =
            deadline("session-idle-ms", self.session_idle_ms, SESSION_IDLE, &SESSION_IDLES_MS)?;
        let lab = self.lab_controller.map(check_controller).transpose()?;
        let (retry_min, retry_max) = retry_waits(
            self.retry_min_ms,
            self.retry_max_ms,
            (defaults.retry_min, defaults.retry_max),
        )?;
        let cluster = ClusterSettings {
            folder: self.data.ok_or("data must be set: the folder for everything that is kept.")?,
            nodes: within("nodes", self.nodes.unwrap_or(defaults.nodes), &NODES)?,
            drives_per_node: within(
                "drives-per-node",
                self.drives_per_node.unwrap_or(defaults.drives_per_node),
                &DRIVES,
            )?,
            blocks_per_drive: within(
                "blocks-per-drive",
                self.blocks_per_drive.unwrap_or(defaults.blocks_per_drive),
                &BLOCKS,
            )?,
            name: self.name.map_or(Ok(defaults.name), check_name)?,
            mvip: mvip.to_string(),
            svip: self.svip.unwrap_or(mvip).to_string(),
            retry_min,
            retry_max,
            key_server_check_interval: deadline(
                "key-server-check-interval-ms",
                self.key_server_check_interval_ms,
                defaults.key_server_check_interval,
                &CHECK_INTERVALS_MS,
            )?,
            create_late_max: self
                .create_late_max_ms
                .map_or(defaults.create_late_max, Duration::from_millis),
            rekey_control: rekey_control(
                self.rekey_ms_per_drive.unwrap_or_default(),
                self.rekey_stop_before.as_deref(),
            )?,
            steps: defaults.steps,
        };
        let body_deadline =
            deadline("body-deadline-ms", self.body_deadline_ms, BODY_DEADLINE, &BODY_DEADLINES_MS)?;
        let kmip_request_deadline = deadline(
            "kmip-request-deadline-ms",
            self.kmip_request_deadline_ms,
            REQUEST_DEADLINE,
            &KMIP_REQUEST_DEADLINES_MS,
        )?;
        Ok(Settings {
            listen,
            node_listen,
            user,
            password,
            certificate,
            cluster,
            body_deadline,
            session_idle,
            lab,
            kmip_request_deadline,
            kmip_trace: self.kmip_trace,
            log: self.log.unwrap_or_else(|| "info".to_owned()),
        })
    }
}

/// The address at which a listener of this one can be reached.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn address(setting: &str, text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{setting} is {text:?}; it must be an address and a port, like 127.0.0.1:8443.")
    })
}

fn within<T: PartialOrd + std::fmt::Display>(
    setting: &str,
    value: T,
    range: &std::ops::RangeInclusive<T>,
) -> Result<T, String> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (min, max) = (range.start(), range.end());
    Err(format!("{setting} is {value}; it must be {min} to {max}."))
}

fn certificate_source(
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<CertificateSource, String> {
    match (cert, key) {
        (None, None) => Ok(CertificateSource::SelfSigned),
        (Some(cert), Some(key)) => Ok(CertificateSource::Files { cert, key }),
        (Some(_), None) => Err("cert is set, so key must be set as well.".to_owned()),
        (None, Some(_)) => Err("key is set, so cert must be set as well.".to_owned()),
    }
}

/// The waits between two attempts: the first and the longest.
fn retry_waits(
    min_ms: Option<u64>,
    max_ms: Option<u64>,
    (min, max): (Duration, Duration),
) -> Result<(Duration, Duration), String> {
    let min = min_ms.map_or(min, Duration::from_millis);
    let max = max_ms.map_or(max, Duration::from_millis);
    if min.is_zero() || min > max {
        return Err("retry-min-ms must be at least 1, and at most retry-max-ms.".to_owned());
    }
    Ok((min, max))
}

fn credentials(
    user: Option<String>,
    password: Option<String>,
) -> Result<(String, Zeroizing<String>), String> {
    let user = user.unwrap_or_else(|| "admin".to_owned());
    if user.is_empty() || user.contains(':') {
        return Err("user must not be empty, and has no colon.".to_owned());
    }
    let password = Zeroizing::new(password.unwrap_or_else(|| DEFAULT_PASSWORD.to_owned()));
    if password.is_empty() {
        return Err("password must not be empty.".to_owned());
    }
    Ok((user, password))
}

fn deadline(
    setting: &str,
    milliseconds: Option<u64>,
    default: Duration,
    range: &std::ops::RangeInclusive<u64>,
) -> Result<Duration, String> {
    let set = milliseconds.map(|value| within(setting, value, range)).transpose()?;
    Ok(set.map_or(default, Duration::from_millis))
}

fn rekey_control(
    milliseconds_per_drive: u64,
    stop_before: Option<&str>,
) -> Result<RekeyControlSettings, String> {
    let range = 0..=MILLISECONDS_PER_DRIVE_MAX;
    let milliseconds_per_drive = within("rekey-ms-per-drive", milliseconds_per_drive, &range)?;
    let stop_before = stop_before.map(|name| {
        stop_by_name(name).ok_or_else(|| {
            let allowed = STOPS.map(|(name, _)| name).join(", ");
            format!("rekey-stop-before is {name:?}; it must be one of {allowed}.")
        })
    });
    Ok(RekeyControlSettings { milliseconds_per_drive, stop_before: stop_before.transpose()? })
}

/// The name is a part of host names.
fn check_name(name: String) -> Result<String, String> {
    let fits = (1..=32).contains(&name.len());
    if fits && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(name);
    }
    Err(format!("name is {name:?}; it must be 1 to 32 letters, digits and dashes."))
}

/// Refuses what cannot be a host and a port.
fn check_controller(text: String) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains('/'));
    match parts.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(text),
        None => Err(format!("lab-controller is {text:?}; it must be HOST:PORT.")),
    }
}

#[cfg(test)]
mod tests {
    use super::{CertificateSource, PartialSettings};
    use std::path::PathBuf;

    fn partial(toml: &str) -> PartialSettings {
        PartialSettings::from_toml(toml).unwrap()
    }

    #[test]
    fn what_comes_first_wins_and_defaults_fill_the_rest() {
        let flags = partial("data = 'a'\nnodes = 2");
        let file = partial("data = 'b'\nlisten = '0.0.0.0:0'\nuser = 'root'");
        let settings = flags.or(file).check().ok().unwrap();
        assert_eq!(settings.cluster.folder, PathBuf::from("a"));
        assert_eq!((settings.cluster.nodes, settings.cluster.drives_per_node), (2, 3));
        assert_eq!(settings.listen.to_string(), "0.0.0.0:0");
        assert_eq!(settings.cluster.mvip, "127.0.0.1");
        assert_eq!((settings.user.as_str(), settings.password.as_str()), ("root", "admin"));
        assert_eq!(settings.certificate, CertificateSource::SelfSigned);
    }

    #[test]
    fn a_wrong_setting_is_one_sentence() {
        let table = [
            ("", "data must be set"),
            ("listen = 'x'", "listen is \"x\"; it must be an address and a port"),
            ("node-listen = '1'", "node-listen is \"1\"; it must be an address"),
            ("nodes = 0", "nodes is 0; it must be 1 to 40."),
            ("drives-per-node = 25", "drives-per-node is 25; it must be 1 to 24."),
            ("blocks-per-drive = 1", "blocks-per-drive is 1; it must be 256 to 1073741824."),
            ("user = 'a:b'", "user must not be empty, and has no colon."),
            ("password = ''", "password must not be empty."),
            ("cert = 'c'", "cert is set, so key must be set as well."),
            ("key = 'k'", "key is set, so cert must be set as well."),
            ("name = 'a b'", "name is \"a b\"; it must be 1 to 32 letters"),
            ("retry-min-ms = 0", "retry-min-ms must be at least 1"),
            (
                "rekey-ms-per-drive = 600001",
                "rekey-ms-per-drive is 600001; it must be 0 to 600000.",
            ),
            (
                "rekey-stop-before = 'ready'",
                "rekey-stop-before is \"ready\"; it must be one of CreateNewMasterKey, Rewrap",
            ),
            ("retry-max-ms = 1", "retry-min-ms must be at least 1"),
            (
                "kmip-request-deadline-ms = 19001",
                "kmip-request-deadline-ms is 19001; it must be 1 to 19000.",
            ),
        ];
        for (toml, expected) in table {
            let data = if toml.is_empty() { "" } else { "data = 'd'\n" };
            let error = partial(&format!("{data}{toml}")).check().err().unwrap();
            assert!(error.starts_with(expected) && error.ends_with('.'), "{toml}: {error}");
        }
        let unknown = PartialSettings::from_toml("lisen = '127.0.0.1:0'").unwrap_err();
        assert!(unknown.contains("unknown field `lisen`"), "{unknown}");
    }

    #[test]
    fn the_example_file_is_read() {
        let example = include_str!("../../node-sim.example.toml");
        let commented = partial(example);
        let all = example
            .lines()
            .filter_map(|line| line.strip_prefix("#"))
            .filter(|line| !line.starts_with(' ') && !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(
            commented,
            PartialSettings { data: Some("data".into()), ..PartialSettings::default() }
        );
        let uncommented = partial(&all);
        assert_eq!(uncommented.nodes, Some(4), "{all}");
        assert!(uncommented.log.is_some() && uncommented.retry_max_ms.is_some());
    }
}
