//! The cases: which answer of which key server is changed, and how.

use std::fmt;

use crate::lie::Lie;

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

impl Direction {
    pub(crate) const ALL: [Self; 4] = [
        Self::InternalToExternal,
        Self::ExternalToInternal,
        Self::ExternalToOther,
        Self::ExternalToSame,
    ];

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

    /// The key servers that have a part in it.
    pub(crate) const fn servers(self) -> &'static [usize] {
        match self {
            Self::InternalToExternal | Self::ExternalToInternal | Self::ExternalToSame => &[A],
            Self::ExternalToOther => &[A, B],
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InternalToExternal => "internal to A",
            Self::ExternalToInternal => "A to internal",
            Self::ExternalToOther => "A to B",
            Self::ExternalToSame => "A to A",
        }
    }
}

/// Operation whose answer is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Create,
    Activate,
    Locate,
    GetAttributes,
    Get,
    Revoke,
    Destroy,
}

impl Operation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Create,
        Self::Activate,
        Self::Locate,
        Self::GetAttributes,
        Self::Get,
        Self::Revoke,
        Self::Destroy,
    ];

    /// The name in a rule of the proxy.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Activate => "Activate",
            Self::Locate => "Locate",
            Self::GetAttributes => "GetAttributes",
            Self::Get => "Get",
            Self::Revoke => "Revoke",
            Self::Destroy => "Destroy",
        }
    }
}

/// How often an answer is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Frequency {
    /// The k-th one only.
    Once,
    /// The k-th one and all after it.
    Always,
}

impl Frequency {
    pub(crate) const ALL: [Self; 2] = [Self::Once, Self::Always];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Always => "always",
        }
    }
}

/// Part of the rekey in which the k-th call is made when no answer is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Before every node has proved the new key.
    BeforeProof,
    /// Until the end of the rekey.
    AfterProof,
    /// None: the rekey makes fewer calls.
    AfterEnd,
}

impl Phase {
    pub(crate) const ALL: [Self; 3] = [Self::BeforeProof, Self::AfterProof, Self::AfterEnd];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BeforeProof => "before the last proof",
            Self::AfterProof => "after the last proof",
            Self::AfterEnd => "after the end of the rekey",
        }
    }
}

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) direction: Direction,
    /// The key server whose answers are changed.
    pub(crate) server: usize,
    pub(crate) operation: Operation,
    pub(crate) lie: Lie,
    pub(crate) frequency: Frequency,
    /// Number of the call, from 1.
    pub(crate) k: u64,
    pub(crate) phase: Phase,
}

impl Case {
    /// Whether the key server always says that it has created a key that it has not. Nothing shows
    /// that the key does not exist, so an operator has to look.
    pub(crate) fn needs_operator(&self) -> bool {
        let is_meant = (self.operation, self.lie) == (Operation::Create, Lie::NotDone);
        is_meant && self.frequency == Frequency::Always && self.phase != Phase::AfterEnd
    }

    /// Whether an answer is certain to be changed during the rekey.
    pub(crate) fn must_fire(&self) -> bool {
        // A stale answer needs one before it.
        let is_stale = self.lie == Lie::NotDone && self.operation == Operation::GetAttributes;
        self.phase != Phase::AfterEnd && !(is_stale && self.k == 1)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, server, operation, lie, frequency, k, .. } = self;
        let server = if *server == A { 'A' } else { 'B' };
        let (direction, operation) = (direction.name(), operation.name());
        let (lie, frequency) = (lie.name(), frequency.name());
        write!(f, "{direction}/at {server}/{operation}/{lie}/{frequency}/{k}")
    }
}
