//! The damage of a case: which file, and what is done to it.

use std::fmt;
use std::fs::Permissions;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use harness::{Random, WorkingCopy};

use crate::contents::{BLOCK_LEN, BLOCKS, Suspects, WRITTEN};
use crate::file_kind::FileKind;
use crate::stages::Stage;

/// Length of the header of the file `checksums`, and of an entry.
const CHECKSUMS_HEADER: usize = 64;
const ENTRY: usize = 32;

/// What is done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Flip { bit: usize },
    Cut { len: usize },
    Empty,
    Removed,
    Exchanged { other: PathBuf },
    Older { bytes: Vec<u8> },
}

/// Kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DamageKind {
    Flip,
    Cut,
    Empty,
    Removed,
    Exchanged,
    Older,
}

/// A file and its damage.
pub(crate) struct Plan {
    pub(crate) kind: FileKind,
    pub(crate) file: PathBuf,
    pub(crate) damage: Damage,
}

impl DamageKind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Flip, Self::Cut, Self::Empty, Self::Removed, Self::Exchanged, Self::Older];

    /// How often a file is damaged so, among all.
    const fn weight(self) -> usize {
        match self {
            Self::Flip => 4,
            Self::Cut | Self::Exchanged | Self::Older => 2,
            Self::Empty | Self::Removed => 1,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flip => "bit flipped",
            Self::Cut => "cut",
            Self::Empty => "emptied",
            Self::Removed => "removed",
            Self::Exchanged => "exchanged",
            Self::Older => "older copy",
        }
    }
}

impl Damage {
    pub(crate) const fn kind(&self) -> DamageKind {
        match self {
            Self::Flip { .. } => DamageKind::Flip,
            Self::Cut { .. } => DamageKind::Cut,
            Self::Empty => DamageKind::Empty,
            Self::Removed => DamageKind::Removed,
            Self::Exchanged { .. } => DamageKind::Exchanged,
            Self::Older { .. } => DamageKind::Older,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file.display(), self.damage.kind().name())?;
        match &self.damage {
            Damage::Flip { bit } => write!(f, ", bit {bit}"),
            Damage::Cut { len } => write!(f, " to {len} bytes"),
            Damage::Exchanged { other } => write!(f, " with {}", other.display()),
            Damage::Empty | Damage::Removed | Damage::Older { .. } => Ok(()),
        }
    }
}

impl Plan {
    /// Draws a kind of file, a damage that such a file can have, and a file.
    pub(crate) fn draw(random: &mut Random, stage: &Stage) -> Self {
        let files: Vec<_> = stage.copy.files().collect();
        let kinds: Vec<_> = FileKind::ALL
            .into_iter()
            .filter(|kind| files.iter().any(|(file, _)| FileKind::of(file) == *kind))
            .collect();
        let kinds: Vec<_> =
            kinds.into_iter().flat_map(|kind| std::iter::repeat_n(kind, kind.weight())).collect();
        let kind = kinds[random.below(kinds.len())];
        let of_kind = files.iter().filter(|(file, _)| FileKind::of(file) == kind);
        let of_kind: Vec<&Path> = of_kind.map(|(file, _)| *file).collect();
        let file = of_kind[random.below(of_kind.len())].to_owned();
        let bytes = stage.copy.bytes(&file).unwrap();
        let others: Vec<_> =
            of_kind.iter().filter(|other| stage.copy.bytes(other).unwrap() != bytes).collect();
        let older: Vec<_> = stage.older.iter().filter_map(|copy| copy.bytes(&file)).collect();
        let older: Vec<_> = older.into_iter().filter(|older| *older != bytes).collect();
        let possible: Vec<_> = DamageKind::ALL
            .into_iter()
            .filter(|damage| match damage {
                DamageKind::Flip | DamageKind::Empty => !bytes.is_empty(),
                DamageKind::Cut => bytes.len() > 1,
                DamageKind::Removed => true,
                DamageKind::Exchanged => !others.is_empty(),
                DamageKind::Older => !older.is_empty(),
            })
            .flat_map(|damage| std::iter::repeat_n(damage, damage.weight()))
            .collect();
        let damage = match possible[random.below(possible.len())] {
            DamageKind::Flip => Damage::Flip { bit: bit(random, kind, bytes.len()) },
            DamageKind::Cut => Damage::Cut { len: 1 + random.below(bytes.len() - 1) },
            DamageKind::Empty => Damage::Empty,
            DamageKind::Removed => Damage::Removed,
            DamageKind::Exchanged => {
                Damage::Exchanged { other: others[random.below(others.len())].to_path_buf() }
            }
            DamageKind::Older => {
                Damage::Older { bytes: older[random.below(older.len())].to_owned() }
            }
        };
        Self { kind, file, damage }
    }

    /// The files that it changes.
    pub(crate) fn files(&self) -> Vec<&Path> {
        let other = match &self.damage {
            Damage::Exchanged { other } => Some(other.as_path()),
            Damage::Flip { .. }
            | Damage::Cut { .. }
            | Damage::Empty
            | Damage::Removed
            | Damage::Older { .. } => None,
        };
        std::iter::once(self.file.as_path()).chain(other).collect()
    }

    /// Damages the file in a folder.
    pub(crate) fn apply(&self, copy: &WorkingCopy) {
        let path = copy.path.join(&self.file);
        let write = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).unwrap();
        match &self.damage {
            Damage::Flip { bit } => {
                let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
                let (mut byte, offset) = ([0], u64::try_from(bit / 8).unwrap());
                file.read_exact_at(&mut byte, offset).unwrap();
                file.write_all_at(&[byte[0] ^ (1 << (bit % 8))], offset).unwrap();
            }
            Damage::Cut { len } => write(&path, &copy.bytes(&self.file).unwrap()[..*len]),
            Damage::Empty => write(&path, &[]),
            Damage::Removed => std::fs::remove_file(&path).unwrap(),
            Damage::Exchanged { other } => {
                write(&path, copy.bytes(other).unwrap());
                write(&copy.path.join(other), copy.bytes(&self.file).unwrap());
            }
            Damage::Older { bytes } => write(&path, bytes),
        }
    }

    /// Puts the files back as they were.
    pub(crate) fn mend(&self, copy: &WorkingCopy) {
        for file in self.files() {
            let path = copy.path.join(file);
            std::fs::write(&path, copy.bytes(file).unwrap()).unwrap();
            // A private key that others may read is refused.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// Blocks that the damage may cost, when the drives that it may lock serve.
    pub(crate) fn suspects(&self) -> Suspects {
        let range = match (self.kind, &self.damage) {
            (FileKind::Blocks, Damage::Flip { bit }) => one(bit / 8 / BLOCK_LEN),
            (FileKind::Blocks, Damage::Cut { len }) => from(len / BLOCK_LEN),
            (FileKind::Checksums, Damage::Flip { bit }) => match bit / 8 {
                // There are two copies of the header.
                ..CHECKSUMS_HEADER => 0..0,
                byte => one((byte - CHECKSUMS_HEADER) / ENTRY),
            },
            (FileKind::Checksums, Damage::Cut { len }) if *len >= CHECKSUMS_HEADER => {
                from((len - CHECKSUMS_HEADER) / ENTRY)
            }
            (FileKind::Blocks | FileKind::Checksums, _) => 0..BLOCKS,
            _ => return Suspects::new(),
        };
        self.files().into_iter().map(|file| (drive_of(file).unwrap(), range.clone())).collect()
    }

    /// Whether the damage may lock this drive.
    pub(crate) fn may_lock(&self, drive: u64) -> bool {
        match self.kind {
            FileKind::Header => self.files().into_iter().any(|file| drive_of(file) == Some(drive)),
            // Too few shares are left, or no key server can be reached.
            FileKind::Share => matches!(self.damage, Damage::Exchanged { .. }),
            FileKind::KeyPair => true,
            FileKind::Ledger
            | FileKind::Generation
            | FileKind::AccountKey
            | FileKind::Certificate
            | FileKind::CertificateKey
            | FileKind::Blocks
            | FileKind::Checksums
            | FileKind::Lock
            | FileKind::Replacement => false,
        }
    }
}

/// A bit of a file; in `blocks`, as often of a block that is written as of any.
fn bit(random: &mut Random, kind: FileKind, len: usize) -> usize {
    let any = random.below(len * 8);
    if kind != FileKind::Blocks || random.below(2) == 0 {
        return any;
    }
    let written: Vec<_> = WRITTEN.into_iter().flatten().collect();
    let lba = usize::try_from(written[random.below(written.len())]).unwrap();
    lba * BLOCK_LEN * 8 + any % (BLOCK_LEN * 8)
}

fn one(lba: usize) -> std::ops::Range<u64> {
    let lba = u64::try_from(lba).unwrap();
    lba..lba + 1
}

fn from(lba: usize) -> std::ops::Range<u64> {
    u64::try_from(lba).unwrap().min(BLOCKS)..BLOCKS
}

/// The drive whose folder a file is in.
fn drive_of(file: &Path) -> Option<u64> {
    let folder = file.parent()?.file_name()?.to_str()?;
    folder.strip_prefix("drive-")?.parse().ok()
}
