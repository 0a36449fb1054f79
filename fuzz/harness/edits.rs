//! Changes of a file that an input spells: bytes set, flipped, moved, taken out, put in.
//!
//! An input that is the file itself would be worth nothing in the next process, where the file has
//! other random keys; a list of changes means the same there.

/// Longest file that changes make.
const LEN_MAX: usize = 1 << 16;

/// Reads numbers and bytes of an input; zeros behind its end.
#[derive(Debug)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// Starts at the first byte.
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// Returns whether all is read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Reads a number of two bytes, below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let number = u16::from_be_bytes([self.byte(), self.byte()]);
        usize::from(number).checked_rem(end).unwrap_or_default()
    }

    /// Reads bytes: as many as a byte says, or what is left.
    pub fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }

    /// Reads all that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// Makes the changes that stand in `script`, to its end.
pub fn apply(file: &mut Vec<u8>, script: &mut Script<'_>) {
    while !script.is_empty() {
        change(file, script);
        file.truncate(LEN_MAX);
    }
}

fn change(file: &mut Vec<u8>, script: &mut Script<'_>) {
    let kind = script.byte() % 8;
    let at = script.below(file.len() + 1);
    let end = |file: &[u8], len: usize| (at + len).min(file.len());
    match kind {
        0 => {
            let value = script.byte();
            file.get_mut(at).into_iter().for_each(|byte| *byte = value);
        }
        1 => {
            let bit = 1 << (script.byte() % 8);
            file.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
        }
        2 => file.truncate(at),
        3 => {
            let len = script.below(4096);
            file.drain(at..end(file, len));
        }
        4 => drop(file.splice(at..at, script.bytes().iter().copied())),
        5 => {
            let bytes = script.bytes();
            file.splice(at..end(file, bytes.len()), bytes.iter().copied());
        }
        // Repeats a part elsewhere, over what is there or beside it.
        6 => {
            let len = script.below(4096);
            let part = file[at..end(file, len)].to_vec();
            let to = script.below(file.len() + 1);
            file.splice(to..(to + part.len()).min(file.len()), part);
        }
        _ => {
            let len = script.below(4096);
            let part = file[at..end(file, len)].to_vec();
            let to = script.below(file.len() + 1);
            file.splice(to..to, part);
        }
    }
}
