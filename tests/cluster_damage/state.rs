//! States in which the files of a cluster are damaged.

use std::fmt;

/// Location of a master key. The number is that of the provider, and of its key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Location {
    /// In shares on the nodes.
    Internal,
    /// At key server A or B.
    External(usize),
}

/// Key server A, and its provider.
pub(crate) const A: usize = 1;
/// Key server B, and its provider.
pub(crate) const B: usize = 2;

/// From where to where a rekey leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    InternalToExternal,
    ExternalToInternal,
    ExternalToOther,
    ExternalToSame,
}

/// How far a rekey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The new key is planned.
    Planned,
    /// The new key exists and wraps nothing.
    Created,
    /// The headers of some drives have a wrapping by the new key.
    Wrapping,
    /// The headers of all drives have both wrappings.
    Wrapped,
    /// The headers of some drives have lost the wrapping by the old key.
    Unwrapping,
    /// The old key is destroyed.
    Destroyed,
}

/// State of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Internal,
    External,
    Rekey(Direction, Step),
}

impl Direction {
    pub(crate) const fn start(self) -> Location {
        match self {
            Self::InternalToExternal => Location::Internal,
            Self::ExternalToInternal | Self::ExternalToOther | Self::ExternalToSame => {
                Location::External(A)
            }
        }
    }

    pub(crate) const fn end(self) -> Location {
        match self {
            Self::InternalToExternal | Self::ExternalToSame => Location::External(A),
            Self::ExternalToOther => Location::External(B),
            Self::ExternalToInternal => Location::Internal,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::InternalToExternal => "internal to A",
            Self::ExternalToInternal => "A to internal",
            Self::ExternalToOther => "A to B",
            Self::ExternalToSame => "A to A",
        }
    }
}

impl Step {
    pub(crate) const ALL: [Self; 6] = [
        Self::Planned,
        Self::Created,
        Self::Wrapping,
        Self::Wrapped,
        Self::Unwrapping,
        Self::Destroyed,
    ];

    /// The state of Element's that the simulator stops the rekey before, if it can stop it here.
    pub(crate) const fn stop_before(self) -> Option<&'static str> {
        match self {
            Self::Planned => Some("CreateNewMasterKey"),
            Self::Created => Some("RewrapDataEncryptionKeys"),
            Self::Wrapped => Some("DecommissionOldMasterKey"),
            Self::Destroyed => Some("Ready"),
            Self::Wrapping | Self::Unwrapping => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Created => "created",
            Self::Wrapping => "wrapping",
            Self::Wrapped => "wrapped",
            Self::Unwrapping => "unwrapping",
            Self::Destroyed => "destroyed",
        }
    }
}

impl State {
    /// The states that one cluster goes through, in this order; there are two clusters.
    pub(crate) fn routes() -> [Vec<Self>; 2] {
        let steps = |direction| Step::ALL.map(|step| Self::Rekey(direction, step)).into_iter();
        let first = std::iter::once(Self::Internal)
            .chain(steps(Direction::InternalToExternal))
            .chain(steps(Direction::ExternalToInternal));
        let second = std::iter::once(Self::External)
            .chain(steps(Direction::ExternalToOther))
            .chain(steps(Direction::ExternalToSame));
        [first.collect(), second.collect()]
    }

    /// All states, in the order of their cases.
    pub(crate) fn all() -> Vec<Self> {
        let [first, second] = Self::routes();
        first.into_iter().zip(second).flat_map(|(one, other)| [one, other]).collect()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal => write!(f, "internal"),
            Self::External => write!(f, "external"),
            Self::Rekey(direction, step) => write!(f, "{}: {}", direction.name(), step.name()),
        }
    }
}
