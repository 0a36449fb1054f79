//! How a case ends.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// All data is readable, and nothing is left to be done.
    Readable,
    /// All data is readable, and a fault names the file until it is put back.
    Fault,
    /// What is damaged cannot be read, with a fault that names the file until it is put back.
    Lost,
    /// The start is refused, and the message names the file.
    Refused,
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::Readable, Self::Fault, Self::Lost, Self::Refused];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::Fault => "readable, fault",
            Self::Lost => "lost, fault",
            Self::Refused => "refused",
        }
    }
}
