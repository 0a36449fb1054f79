//! Bytes that look like the structure of a store's files: made anew with right checksums, or cut
//! out of the files of the running store.
//!
//! ```text
//! sled: segment header   CRC-32 (4)  LSN (8)  stable LSN (8)                  inverted
//!       message          CRC-32 (4)  kind (1)  length  segment  page  body    numbers of one byte
//! store: row             00 | 01 parts (2)  stamp (8)  value;   head row: 96 bytes
//! ```

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use harness::Random;

/// Segment length of sled as the store sets it.
const SEGMENT_LEN: usize = 8 << 20;

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// Header of a segment of sled.
fn sled_segment(lsn: u64, stable: u64) -> Vec<u8> {
    let inverted = |number: u64| (number ^ 0x7fff_ffff_ffff_ffff).to_le_bytes();
    let numbers = [inverted(lsn), inverted(stable)].concat();
    [&(!crc32(&numbers)).to_le_bytes()[..], &numbers].concat()
}

/// Message of sled; segment and page are numbers of one byte, as is the length of the body.
fn sled_message(kind: u8, segment: u8, page: u8, body: &[u8]) -> Vec<u8> {
    let header = [kind, u8::try_from(body.len()).unwrap(), segment, page];
    let crc = !crc32(&[body, &header].concat());
    [&crc.to_le_bytes()[..], &header, body].concat()
}

/// As [`sled_message`], with a body that makes all of it ASCII without zeros, so that it may stand
/// in an identifier.
fn sled_message_in_text(random: &mut Random) -> Vec<u8> {
    loop {
        let body: Vec<u8> = (0..4 + random.below(12)).map(|_| 1 + byte(random, 127)).collect();
        // A page that is freed, a node in place of another, a change of a node; a low page.
        let kind = [4, 8, 10, 3, 2, 5][random.below(6)];
        let (segment, page) = (1 + byte(random, 3), 1 + byte(random, 15));
        let message = sled_message(kind, segment, page, &body);
        if message.is_ascii() && !message.contains(&0) {
            return message;
        }
    }
}

fn byte(random: &mut Random, below: usize) -> u8 {
    u8::try_from(random.below(below)).unwrap()
}

/// Rows as the store lays them out: whole, in parts, a part, and what looks like a head.
fn row(random: &mut Random) -> Vec<u8> {
    let stamp = u64::try_from(random.below(1 << 20)).unwrap().to_be_bytes();
    let fill: Vec<u8> = (0..24 + random.below(80)).map(|_| byte(random, 256)).collect();
    match random.below(4) {
        0 => [&[0][..], &stamp, &fill].concat(),
        1 => [&[1, 0, 2][..], &stamp, &fill].concat(),
        2 => [&[0, 0, 5][..], b"\x01head", &[0, 1], &fill].concat(),
        _ => [&b"\x01head"[..], &stamp, &[0; 40], &fill].concat(),
    }
}

/// The files of a running store, which pieces are cut from.
pub(crate) struct Pieces {
    files: Vec<PathBuf>,
}

impl Pieces {
    /// Looks at the files that are there now.
    pub(crate) fn of(data: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![data.join("store")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "reserve") {
                    files.push(path);
                }
            }
        }
        files.sort();
        assert!(files.len() >= 3, "header, head and records: {files:?}");
        Self { files }
    }

    /// Cuts out at most so many bytes, half of the time where something begins. Nothing, if the
    /// file is gone.
    fn cut(&self, random: &mut Random, len: usize) -> Vec<u8> {
        let Ok(file) = File::open(&self.files[random.below(self.files.len())]) else {
            return Vec::new();
        };
        let all = usize::try_from(file.metadata().unwrap().len()).unwrap().max(1);
        let begins = [0, 20, 64, 192, 4096, SEGMENT_LEN, SEGMENT_LEN + 20];
        let offset = match random.below(2) {
            0 => begins[random.below(begins.len())],
            _ => random.below(all),
        };
        let mut bytes = vec![0; len];
        let read = file.read_at(&mut bytes, u64::try_from(offset).unwrap()).unwrap();
        bytes.truncate(read);
        bytes
    }

    /// Draws so many bytes: some structure, or a few of them one after another.
    pub(crate) fn draw(&self, random: &mut Random, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let rest = len - bytes.len();
            let segment = u64::try_from(random.below(4) * SEGMENT_LEN).unwrap();
            let some = 1 + random.below(rest);
            let piece = match random.below(6) {
                0 => (0..some).map(|_| byte(random, 256)).collect(),
                1 | 2 => self.cut(random, some),
                3 => sled_message_in_text(random),
                4 => sled_segment(segment, segment),
                _ => row(random),
            };
            bytes.extend(&piece[..piece.len().min(rest)]);
        }
        bytes
    }
}

/// The bytes as text: what is text already stays as it is, and every other byte becomes the
/// character of its number. At most so many bytes of it.
pub(crate) fn text(bytes: &[u8], len: usize) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    text.truncate(text.floor_char_boundary(len));
    text
}

/// As [`text`], without the zero bytes that no identifier may have.
pub(crate) fn identifier(bytes: &[u8], len: usize) -> String {
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    text(&bytes, len)
}

/// The structures are those of sled: a file that sled wrote has them in the same bytes.
#[test]
fn forged_structures_are_those_of_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let settings = kmip_server::store::StoreSettings::new(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    drop(runtime.block_on(kmip_server::store::open(settings)).unwrap());
    let written = std::fs::read(folder.path().join("store/records/db")).unwrap();
    assert!(
        written.starts_with(&sled_segment(0, 0x7fff_ffff_ffff_ffff)) || {
            let inverted = u64::from_le_bytes(written[12..20].try_into().unwrap());
            written.starts_with(&sled_segment(0, inverted ^ 0x7fff_ffff_ffff_ffff))
        }
    );
    let header: [u8; 4] = written[24..28].try_into().unwrap();
    let [kind, len, segment, page] = header;
    let body = &written[28..28 + usize::from(len)];
    assert_eq!(written[20..28 + usize::from(len)], sled_message(kind, segment, page, body));
}
