//! Names of the bits of a mask.

use core::fmt;

use super::row::Row;

/// A mask of which only the rows are known.
#[derive(Clone, Copy, Debug)]
pub struct MaskNames {
    /// The bits that have names.
    pub rows: &'static [Row],
    /// The number.
    pub bits: u32,
}

impl MaskNames {
    /// The names of the bits that have one, in the order of the bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = move |row: &&Row| row.value != 0 && self.bits & row.value == row.value;
        self.rows.iter().filter(set).map(|row| row.name)
    }

    /// The bits that have no name.
    pub fn unnamed(self) -> u32 {
        self.rows.iter().fold(self.bits, |rest, row| rest & !row.value)
    }
}

impl fmt::Display for MaskNames {
    /// The names apart by blanks; bits without a name follow in hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}{name}")?;
            separator = " ";
        }
        match self.unnamed() {
            0 if self.bits != 0 => Ok(()),
            rest => write!(f, "{separator}0x{rest:08X}"),
        }
    }
}
