//! The files of the page, in the program itself.

use aws_lc_rs::digest::{SHA256, digest};
use miniz_oxide::deflate::compress_to_vec_zlib;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How hard the files are compressed, once, when the first of them is asked for.
const COMPRESSION: u8 = 6;

/// Bytes of the digest that are in a tag.
const TAG_LEN: usize = 12;

/// A file, and what is known about it.
pub(super) struct StaticFile {
    /// Its media type.
    pub(super) content_type: &'static str,
    /// Its entity tag: weak, because it is the same for both encodings.
    pub(super) tag: String,
    bytes: &'static [u8],
    deflated: Vec<u8>,
}

/// Content coding of a body (RFC 9110, 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Identity,
    /// Compressed, in the format of zlib.
    Deflate,
}

impl StaticFile {
    /// The file of this path below `/ui/`.
    pub(super) fn of(path: &str) -> Option<&'static Self> {
        FILES.get(path)
    }

    /// The paths of all files.
    #[cfg(test)]
    pub(super) fn paths() -> impl Iterator<Item = &'static str> {
        FILES.keys().copied()
    }

    fn new(path: &str, bytes: &'static [u8]) -> Self {
        let hash = digest(&SHA256, bytes);
        let hash = hash.as_ref().iter().take(TAG_LEN).map(|byte| format!("{byte:02x}"));
        let tag = format!("W/\"{}\"", hash.collect::<String>());
        let deflated = compress_to_vec_zlib(bytes, COMPRESSION);
        Self { content_type: content_type(path), tag, bytes, deflated }
    }

    /// Its body, compressed if that is allowed and shorter.
    pub(super) fn body(&'static self, may_deflate: bool) -> (Encoding, &'static [u8]) {
        if may_deflate && self.deflated.len() < self.bytes.len() {
            (Encoding::Deflate, self.deflated.as_slice())
        } else {
            (Encoding::Identity, self.bytes)
        }
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// Embeds the files of these paths below `ui/`.
macro_rules! embedded {
    ($($path:literal,)+) => {
        [$(($path, include_bytes!(concat!("../../../ui/", $path)).as_slice()),)+]
    };
}

static FILES: LazyLock<BTreeMap<&'static str, StaticFile>> = LazyLock::new(|| {
    EMBEDDED.iter().map(|(path, bytes)| (*path, StaticFile::new(path, bytes))).collect()
});

const EMBEDDED: [(&str, &[u8]); 40] = embedded![
    "css/base.css",
    "css/cluster.css",
    "css/layout.css",
    "css/tabs.css",
    "css/timeline.css",
    "icon.svg",
    "index.html",
    "lib/api.js",
    "lib/dom.js",
    "lib/errors.js",
    "lib/format.js",
    "lib/icon_paths.js",
    "lib/keys.js",
    "lib/migration.js",
    "lib/relations.js",
    "lib/router.js",
    "lib/safe_text.js",
    "lib/store.js",
    "lib/stream.js",
    "main.js",
    "theme.js",
    "views/app.js",
    "views/call_box.js",
    "views/cluster.js",
    "views/destroy_dialog.js",
    "views/drive_tile.js",
    "views/faults.js",
    "views/header.js",
    "views/hex_view.js",
    "views/login.js",
    "views/message.js",
    "views/message_tree.js",
    "views/objects.js",
    "views/rekey.js",
    "views/scenarios.js",
    "views/servers.js",
    "views/timeline.js",
    "views/timeline_row.js",
    "views/wizard.js",
    "views/wizard_runner.js",
];
