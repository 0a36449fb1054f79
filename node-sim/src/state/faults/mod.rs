//! Cluster faults: what is wrong now, what was wrong and is over.
//!
//! A part of the ledger. A fault is told apart by what it is about (its kind, node, drive and key
//! server): raising it twice is raising it once. No clock is read here.

use crate::state::key_ring::KeyId;
use crate::state::timestamps;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Resolved faults are kept up to this number, the newest ones: they are a memory aid, and the
/// ledger is written whole.
pub(crate) const RESOLVED_MAX: usize = 128;

/// What `kmipServerFault` can mean (Element, "Cluster fault codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KmipServerFault {
    /// The key server could not be reached.
    ConnectionFailure,
    /// Wrong CA or client certificate, or the private key does not match the certificate.
    AuthenticationFailure,
    /// The key server was reached and answered that it cannot.
    ServerError,
}

/// Which certificate a `kmipCertificateFault` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum KmipCertificate {
    /// One that the key server's own certificate is checked against.
    RootCa,
    /// The one that the cluster shows to the key server.
    Client,
}

/// What is wrong with it. With the two certificates these are Element's six sub-kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum CertificateFault {
    /// It will expire before long.
    NearExpiry,
    /// It has expired.
    Expired,
    /// It cannot be used at all.
    Error,
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum FaultKind {
    /// A key server does not do its part.
    KmipServer(KmipServerFault),
    /// A certificate for a key server is unfit, or soon will be.
    KmipCertificate(KmipCertificate, CertificateFault),
    /// Nothing proves that a key server has destroyed this master key, which was given up.
    MasterKeyNotDestroyed(KeyId),
    /// A node's share of an internal master key cannot be used.
    KeyShareDamaged,
    /// The file of the ledger's generation cannot be used.
    GenerationFileDamaged,
    /// A node does not answer.
    NodeOffline,
    /// A node that runs cannot work on its folder.
    NodeHardware,
    /// A drive cannot be used: it is locked, and its key cannot be acquired, or its node is off.
    DriveFailed,
    /// A block of a drive is damaged, and there is no other copy of it.
    BlocksDegraded,
    /// A drive serves, but its header cannot be changed.
    DriveHealth,
}

impl FaultKind {
    /// The `code` member.
    #[must_use]
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::KmipServer(_) | Self::MasterKeyNotDestroyed(_) => "kmipServerFault",
            Self::KmipCertificate(..) => "kmipCertificateFault",
            Self::KeyShareDamaged | Self::GenerationFileDamaged => "ensembleDegraded",
            Self::NodeOffline => "nodeOffline",
            Self::NodeHardware => "nodeHardwareFault",
            Self::DriveFailed => "driveFailed",
            Self::BlocksDegraded => "blocksDegraded",
            Self::DriveHealth => "driveHealthFault",
        }
    }

    /// The sub-kind in words, first in the fault's `details`.
    #[must_use]
    pub(crate) const fn title(self) -> &'static str {
        use {CertificateFault as Why, KmipCertificate as Which, KmipServerFault as Server};
        match self {
            Self::KmipServer(Server::ConnectionFailure) => "KMIP key server connection failure",
            Self::KmipServer(Server::AuthenticationFailure) => {
                "KMIP key server authentication failure"
            }
            Self::KmipServer(Server::ServerError) | Self::MasterKeyNotDestroyed(_) => {
                "KMIP key server error"
            }
            Self::KmipCertificate(Which::RootCa, Why::NearExpiry) => {
                "KMIP root CA certificate near expiration"
            }
            Self::KmipCertificate(Which::RootCa, Why::Expired) => {
                "KMIP root CA certificate expired"
            }
            Self::KmipCertificate(Which::RootCa, Why::Error) => "KMIP root CA certificate error",
            Self::KmipCertificate(Which::Client, Why::NearExpiry) => {
                "KMIP client certificate near expiration"
            }
            Self::KmipCertificate(Which::Client, Why::Expired) => "KMIP client certificate expired",
            Self::KmipCertificate(Which::Client, Why::Error) => "KMIP client certificate error",
            Self::KeyShareDamaged => "Share of an internal master key damaged",
            Self::GenerationFileDamaged => "File of the ledger's generation damaged",
            Self::NodeOffline => "Node offline",
            Self::NodeHardware => "Node hardware fault",
            Self::DriveFailed => "Drive failed",
            Self::BlocksDegraded => "Blocks degraded",
            Self::DriveHealth => "Drive health fault",
        }
    }

    /// The severity when the one who raises it does not say.
    #[must_use]
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::KmipServer(_)
            | Self::NodeOffline
            | Self::NodeHardware
            | Self::DriveFailed
            | Self::DriveHealth => Severity::Error,
            Self::MasterKeyNotDestroyed(_)
            | Self::KeyShareDamaged
            | Self::GenerationFileDamaged
            | Self::KmipCertificate(_, CertificateFault::NearExpiry) => Severity::Warning,
            Self::KmipCertificate(_, CertificateFault::Expired | CertificateFault::Error)
            | Self::BlocksDegraded => Severity::Critical,
        }
    }

    /// The `type` member. Element files key servers under the cluster, or under the node that
    /// found the fault.
    const fn type_text(self, node_id: u64) -> &'static str {
        match self {
            Self::DriveFailed | Self::DriveHealth | Self::BlocksDegraded => "drive",
            Self::NodeOffline | Self::NodeHardware | Self::KeyShareDamaged => "node",
            Self::GenerationFileDamaged => "cluster",
            Self::KmipServer(_) | Self::KmipCertificate(..) | Self::MasterKeyNotDestroyed(_)
                if node_id == 0 =>
            {
                "cluster"
            }
            Self::KmipServer(_) | Self::KmipCertificate(..) | Self::MasterKeyNotDestroyed(_) => {
                "node"
            }
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Severity {
    /// Worth knowing: `bestPractice`.
    BestPractice,
    /// Will become worse.
    Warning,
    /// Something does not work.
    Error,
    /// Data cannot be reached, or soon not.
    Critical,
}

/// Where a fault is; zero is Element's word for "nowhere in particular".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FaultPlace {
    /// The node that has it or found it.
    pub(crate) node_id: u64,
    /// The drive that has it.
    pub(crate) drive_id: u64,
    /// The key server that it is about.
    pub(crate) key_server_id: u64,
}

impl FaultPlace {
    /// The cluster as a whole.
    pub(crate) const CLUSTER: Self = Self { node_id: 0, drive_id: 0, key_server_id: 0 };

    /// A node.
    #[must_use]
    pub(crate) const fn node(node_id: u64) -> Self {
        Self { node_id, ..Self::CLUSTER }
    }

    /// A drive of a node.
    #[must_use]
    pub(crate) const fn drive(node_id: u64, drive_id: u64) -> Self {
        Self { drive_id, ..Self::node(node_id) }
    }

    /// A key server, as the cluster sees it.
    #[must_use]
    pub(crate) const fn key_server(key_server_id: u64) -> Self {
        Self { key_server_id, ..Self::CLUSTER }
    }

    /// A key server, as this node sees it.
    #[must_use]
    pub(crate) const fn key_server_of_node(key_server_id: u64, node_id: u64) -> Self {
        Self { node_id, key_server_id, ..Self::CLUSTER }
    }
}

/// One fault, current or resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    cluster_fault_id: u64,
    kind: FaultKind,
    place: FaultPlace,
    severity: Severity,
    details: String,
    date: String,
    resolved_date: Option<String>,
}

/// Faults as they should be, each with its severity and details.
pub(crate) type ExpectedFaults = BTreeMap<(FaultKind, FaultPlace), (Severity, String)>;

/// Which faults a call means: `faultTypes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultTypes {
    /// Those that are there now.
    Current,
    /// Those that are over.
    Resolved,
    /// Both.
    All,
}

/// All faults that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    last_id: u64,
    faults: Vec<Fault>,
}

impl Faults {
    /// Something is wrong, with the severity its kind has. Answers whether that is news.
    pub(crate) fn raise(
        &mut self,
        kind: FaultKind,
        place: FaultPlace,
        details: &str,
        now: OffsetDateTime,
    ) -> bool {
        self.raise_as(kind, place, kind.severity(), details, now)
    }

    /// Returns whether this fault is there now.
    #[must_use]
    pub(crate) fn is_current(&self, kind: FaultKind, place: FaultPlace) -> bool {
        self.faults.iter().any(|fault| fault.is_current(kind, place))
    }

    /// Returns whether this fault is there now, with these details.
    #[must_use]
    pub(crate) fn is_current_as(&self, kind: FaultKind, place: FaultPlace, details: &str) -> bool {
        let mut found = self.faults.iter().filter(|fault| fault.is_current(kind, place));
        found.any(|fault| fault.details == titled(kind, details))
    }

    /// Something is wrong, this badly. A fault that is there already keeps its number and date.
    pub(crate) fn raise_as(
        &mut self,
        kind: FaultKind,
        place: FaultPlace,
        severity: Severity,
        details: &str,
        now: OffsetDateTime,
    ) -> bool {
        let details = titled(kind, details);
        if let Some(known) = self.current(kind, place) {
            let news = known.severity != severity || known.details != details;
            (known.severity, known.details) = (severity, details);
            return news;
        }
        self.last_id = self.last_id.saturating_add(1);
        self.faults.push(Fault {
            cluster_fault_id: self.last_id,
            kind,
            place,
            severity,
            details,
            date: timestamps::format_microseconds(now),
            resolved_date: None,
        });
        true
    }

    /// It is right again. Answers whether it was wrong.
    pub(crate) fn resolve(
        &mut self,
        kind: FaultKind,
        place: FaultPlace,
        now: OffsetDateTime,
    ) -> bool {
        self.resolve_where(now, |k, p| k == kind && p == place)
    }

    /// Everything of which this holds is right again. Answers whether anything was wrong.
    pub(crate) fn resolve_where(
        &mut self,
        now: OffsetDateTime,
        is_right: impl Fn(FaultKind, FaultPlace) -> bool,
    ) -> bool {
        let mut any = false;
        for fault in self.faults.iter_mut().filter(|fault| fault.resolved_date.is_none()) {
            if is_right(fault.kind, fault.place) {
                fault.resolved_date = Some(timestamps::format_microseconds(now));
                any = true;
            }
        }
        if any {
            self.discard_oldest();
        }
        any
    }

    /// Makes the current faults of these kinds the expected ones. One that is there already keeps
    /// its number and date. Returns whether one changed.
    pub(crate) fn update(
        &mut self,
        is_kind: impl Fn(FaultKind) -> bool,
        mut expected: ExpectedFaults,
        now: OffsetDateTime,
    ) -> bool {
        let mut any = false;
        for fault in self.faults.iter_mut().filter(|fault| fault.resolved_date.is_none()) {
            if !is_kind(fault.kind) {
                continue;
            }
            if let Some((severity, details)) = expected.remove(&(fault.kind, fault.place)) {
                let details = titled(fault.kind, &details);
                any |= fault.severity != severity || fault.details != details;
                (fault.severity, fault.details) = (severity, details);
            } else {
                fault.resolved_date = Some(timestamps::format_microseconds(now));
                any = true;
            }
        }
        for ((kind, place), (severity, details)) in expected {
            any |= self.raise_as(kind, place, severity, &details, now);
        }
        if any {
            self.discard_oldest();
        }
        any
    }

    /// The faults that are there now.
    pub(crate) fn current_faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.resolved_date.is_none())
    }

    /// Forgets faults, as `ClearClusterFaults` does.
    pub(crate) fn clear(&mut self, types: FaultTypes) {
        self.faults.retain(|fault| !fault.is_of(types));
    }

    /// The `faults` of `ListClusterFaults`.
    #[must_use]
    pub(crate) fn list(&self, types: FaultTypes) -> Vec<Value> {
        self.faults.iter().filter(|fault| fault.is_of(types)).map(Fault::json).collect()
    }

    fn current(&mut self, kind: FaultKind, place: FaultPlace) -> Option<&mut Fault> {
        self.faults.iter_mut().find(|fault| fault.is_current(kind, place))
    }

    fn discard_oldest(&mut self) {
        let resolved = self.faults.iter().filter(|fault| fault.resolved_date.is_some()).count();
        let mut surplus = resolved.saturating_sub(RESOLVED_MAX);
        self.faults.retain(|fault| {
            let goes = surplus > 0 && fault.resolved_date.is_some();
            surplus = surplus.saturating_sub(usize::from(goes));
            !goes
        });
    }
}

/// The sub-kind in words, then the details.
fn titled(kind: FaultKind, details: &str) -> String {
    format!("{}: {details}", kind.title())
}

impl Fault {
    fn is_current(&self, kind: FaultKind, place: FaultPlace) -> bool {
        self.resolved_date.is_none() && self.kind == kind && self.place == place
    }

    /// Its number.
    #[must_use]
    pub(crate) const fn id(&self) -> u64 {
        self.cluster_fault_id
    }

    /// What it is about.
    #[must_use]
    pub(crate) const fn kind(&self) -> FaultKind {
        self.kind
    }

    /// How bad it is.
    #[must_use]
    pub(crate) const fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong and what to do.
    #[must_use]
    pub(crate) fn details(&self) -> &str {
        &self.details
    }

    /// An upgrade restarts every node, which needs all that an error or worse says is missing.
    const fn blocks_upgrade(&self) -> bool {
        match self.severity {
            Severity::BestPractice | Severity::Warning => false,
            Severity::Error | Severity::Critical => true,
        }
    }

    const fn is_of(&self, types: FaultTypes) -> bool {
        match types {
            FaultTypes::Current => self.resolved_date.is_none(),
            FaultTypes::Resolved => self.resolved_date.is_some(),
            FaultTypes::All => true,
        }
    }

    fn json(&self) -> Value {
        let FaultPlace { node_id, drive_id, key_server_id } = self.place;
        let drive_ids: Vec<u64> = (drive_id != 0).then_some(drive_id).into_iter().collect();
        let data = (key_server_id != 0).then(|| json!({ "keyServerID": key_server_id }));
        json!({
            "blocksUpgrade": self.blocks_upgrade(),
            "clusterFaultID": self.cluster_fault_id,
            "code": self.kind.code(),
            "data": data,
            "date": self.date,
            "details": self.details,
            "driveID": drive_id,
            "driveIDs": drive_ids,
            "externalSource": "",
            "networkInterface": "",
            "nodeHardwareFaultID": 0,
            "nodeID": node_id,
            "resolved": self.resolved_date.is_some(),
            "resolvedDate": self.resolved_date.as_deref().unwrap_or_default(),
            "serviceID": 0,
            "severity": self.severity,
            "type": self.kind.type_text(node_id),
        })
    }
}

#[cfg(test)]
mod tests;
