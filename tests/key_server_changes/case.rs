//! The cases: what is changed, at which key server, in which direction and when.

use std::fmt;

use harness::rounds;

/// Location of a master key. The number is that of the provider, and of its key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Location {
    /// In shares on the nodes.
    Internal,
    /// At the key server of this provider.
    External(usize),
}

/// Provider A.
pub(crate) const A: usize = 1;
/// Provider B.
pub(crate) const B: usize = 2;

/// The variable that selects cases: one by its name, or all whose names begin with it.
pub(crate) const NAME_VARIABLE: &str = "CHANGES_CASES";

/// From where to where a rekey leads, and whose key server is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) start: Location,
    pub(crate) end: Location,
    /// The provider whose key server is changed.
    pub(crate) changed: usize,
}

const ROUTES: [Route; 5] = [
    Route { start: Location::Internal, end: Location::External(A), changed: A },
    Route { start: Location::External(A), end: Location::Internal, changed: A },
    Route { start: Location::External(A), end: Location::External(A), changed: A },
    Route { start: Location::External(A), end: Location::External(B), changed: A },
    Route { start: Location::External(A), end: Location::External(B), changed: B },
];

/// The places of the routes whose old key can be kept from its destruction.
const HELD_UP: [usize; 2] = [1, 3];

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The server has two hosts, the second of them empty, and the first stops.
    FirstHostStops,
    /// The server is pointed to the same host under another name.
    OtherName,
    /// The server runs on at another address, on the same folder, and is pointed to it.
    Moved,
    /// The server is pointed to an empty host.
    EmptyHost,
    /// Another certificate of the same client.
    SameClient,
    /// A certificate of a client that owns nothing.
    OtherClient,
}

impl Change {
    const ALL: [Self; 6] = [
        Self::FirstHostStops,
        Self::OtherName,
        Self::Moved,
        Self::EmptyHost,
        Self::SameClient,
        Self::OtherClient,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::FirstHostStops => "first host stops",
            Self::OtherName => "other name",
            Self::Moved => "moved",
            Self::EmptyHost => "empty host",
            Self::SameClient => "same client",
            Self::OtherClient => "other client",
        }
    }
}

/// When it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the rekey is asked for.
    Before,
    /// Before the place of the new key is chosen.
    BeforeCreation,
    /// When the new key exists and wraps nothing.
    AfterCreation,
    /// When every node has proved the new key, and no wrapping by the old one is removed.
    AfterProof,
    /// When no drive needs the old key, and its host is away, so that it is not destroyed.
    BeforeDestruction,
    /// When the rekey has ended.
    After,
}

impl Moment {
    const ALL: [Self; 6] = [
        Self::Before,
        Self::BeforeCreation,
        Self::AfterCreation,
        Self::AfterProof,
        Self::BeforeDestruction,
        Self::After,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::BeforeCreation => "before creation",
            Self::AfterCreation => "after creation",
            Self::AfterProof => "after proof",
            Self::BeforeDestruction => "before destruction",
            Self::After => "after",
        }
    }
}

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) route: Route,
    pub(crate) change: Change,
    pub(crate) moment: Moment,
}

impl Case {
    /// Only a key server that has the old key and not the new one can hold up its destruction.
    fn makes_sense(self) -> bool {
        let Route { start, end, changed } = self.route;
        let here = Location::External(changed);
        self.moment != Moment::BeforeDestruction || (start == here && end != here)
    }
}

/// The cases to run: those of the variable, or a sample in which every change meets every moment.
pub(crate) fn selected() -> Vec<Case> {
    let name = std::env::var(NAME_VARIABLE).ok();
    let is_whole = name.is_some() || rounds(1, 2) > 1;
    let mut cases = Vec::new();
    for (r, route) in ROUTES.into_iter().enumerate() {
        for (c, change) in Change::ALL.into_iter().enumerate() {
            for (m, moment) in Moment::ALL.into_iter().enumerate() {
                let is_sample = if moment == Moment::BeforeDestruction {
                    r == HELD_UP[c % HELD_UP.len()]
                } else {
                    (r + c + m) % ROUTES.len() == 0
                };
                if is_whole || is_sample {
                    cases.push(Case { route, change, moment });
                }
            }
        }
    }
    cases.retain(|case| case.makes_sense());
    if let Some(name) = name {
        let is_one = cases.iter().any(|case| case.to_string() == name);
        let is_named = |it: String| if is_one { it == name } else { it.starts_with(&name) };
        cases.retain(|case| is_named(case.to_string()));
    }
    cases
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |location| match location {
            Location::Internal => "internal",
            Location::External(A) => "A",
            Location::External(_) => "B",
        };
        let Route { start, end, changed } = self.route;
        let (start, end, at) = (place(start), place(end), place(Location::External(changed)));
        write!(f, "{start} to {end}/at {at}/{}/{}", self.change.name(), self.moment.name())
    }
}
