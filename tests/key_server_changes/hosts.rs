//! The hosts of a provider's key server, and what each shows to either client.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use harness::{KmipServer, Lab, MasterKeys};
use kmip::vocabulary::State;

/// All addresses of hosts, and the other name of the first.
pub(crate) const HOST_NAMES: [&str; 4] = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "localhost"];

/// Ports that are tried until one is free at two addresses.
const PORTS: usize = 10;

/// A host of a key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// It has the keys.
    First,
    /// A replica that has none of them.
    Empty,
    /// The first, after it was moved: it runs only while the first does not.
    Moved,
}

impl Host {
    const ALL: [Self; 3] = [Self::First, Self::Empty, Self::Moved];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::First => HOST_NAMES[0],
            Self::Empty => HOST_NAMES[1],
            Self::Moved => HOST_NAMES[2],
        }
    }
}

/// A client of the key servers, by the owner of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The cluster as it is named at first.
    Cluster,
    /// The cluster under another name, which owns nothing at first.
    Other,
}

impl Client {
    const ALL: [Self; 2] = [Self::Cluster, Self::Other];

    pub(crate) const fn common_name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Other => "other",
        }
    }
}

/// The hosts of one provider's key server, all at one port.
pub(crate) struct Hosts {
    servers: Vec<(Host, KmipServer)>,
    views: Vec<(Host, Client, MasterKeys)>,
    /// The living keys of the first host while it neither runs nor was moved.
    away: Vec<String>,
    port: u16,
    folder: String,
}

impl Hosts {
    pub(crate) fn start(lab: &Lab, provider: usize) -> Self {
        for attempt in 0..PORTS {
            let folder = |name: &str| format!("kmip-server-{provider}-{name}-{attempt}");
            let first = KmipServer::start_with(lab, &folder("first"), |program| program);
            let port = first.address().port();
            let empty = KmipServer::try_start_at(lab, &folder("empty"), address(Host::Empty, port));
            let Ok(empty) = empty else { continue };
            let of_host = |host| {
                Client::ALL.map(|client| {
                    let keys = MasterKeys::at(lab, address(host, port), client.common_name());
                    (host, client, keys)
                })
            };
            return Self {
                servers: vec![(Host::First, first), (Host::Empty, empty)],
                views: Host::ALL.into_iter().flat_map(of_host).collect(),
                away: Vec::new(),
                port,
                folder: folder("first"),
            };
        }
        panic!("no port is free at two addresses");
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Ends the first host, or the moved one, with SIGKILL.
    pub(crate) fn stop(&mut self, host: Host) {
        let of_host = self.running_views().filter(|(of, _, _)| *of == host);
        self.away = of_host.flat_map(|(_, _, keys)| keys.living().into_keys()).collect();
        self.servers.retain(|(running, _)| *running != host);
    }

    /// Starts the first host at its own address or, if it was moved, at the other one.
    pub(crate) fn start_on_first_folder(&mut self, lab: &Lab, host: Host) {
        let started = KmipServer::try_start_at(lab, &self.folder, address(host, self.port));
        self.servers.push((host, started.unwrap()));
        self.away.clear();
    }

    pub(crate) fn is_running(&self, host: Host) -> bool {
        self.servers.iter().any(|(running, _)| *running == host)
    }

    /// The master keys that this host shows as Active to this client; none if it does not run.
    pub(crate) fn shown(&self, host: Host, client: Client) -> BTreeSet<String> {
        let views = self.running_views();
        let mut views = views.filter(|(of, by, _)| (*of, *by) == (host, client));
        let living = views.next().map(|(_, _, keys)| keys.living()).unwrap_or_default();
        let active = living.into_iter().filter(|(_, state)| *state == State::Active);
        active.map(|(key_id, _)| key_id).collect()
    }

    /// All master keys that are not destroyed, also at a host that is stopped.
    pub(crate) fn living(&self) -> Vec<String> {
        let running = self.running_views().flat_map(|(_, _, keys)| keys.living().into_keys());
        running.chain(self.away.iter().cloned()).collect()
    }

    /// Whether a host has a record of the destruction of this key; true if one that is stopped
    /// cannot be asked.
    pub(crate) fn has_destroyed(&self, key_id: &str) -> bool {
        let is_away = !self.is_running(Host::First) && !self.is_running(Host::Moved);
        is_away || self.running_views().any(|(_, _, keys)| keys.has_destroyed(key_id))
    }

    fn running_views(&self) -> impl Iterator<Item = &(Host, Client, MasterKeys)> {
        self.views.iter().filter(|(host, _, _)| self.is_running(*host))
    }
}

fn address(host: Host, port: u16) -> SocketAddr {
    format!("{}:{port}", host.name()).parse().unwrap()
}
