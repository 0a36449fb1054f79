//! The clients that are told what changes without having asked (1.4, 5): those of 1.x have no
//! operation for it, and the standard leaves it to the settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kmip::Version;

/// Owners, each with the version in which it is told.
#[derive(Debug, Default)]
pub struct PushTargets(BTreeMap<String, Version>);

impl PushTargets {
    /// Reads a file of lines `version owner`; empty lines and lines that begin with `#` are none.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |why: String| format!("the clients to be told in {}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
        let mut all = BTreeMap::new();
        for (line, number) in text.lines().zip(1_u64..) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let parts = line.split_once(' ');
            let (version, owner) =
                parts.ok_or_else(|| wrong(format!("line {number} is not version owner")))?;
            let served = Version::SERVED.iter().find(|served| served.to_string() == version);
            let served = served
                .ok_or_else(|| wrong(format!("line {number}: KMIP {version} is not served")))?;
            all.insert(owner.trim().to_owned(), *served);
        }
        Ok(Self(all))
    }

    /// The version in which the client is told as soon as it has connected, if it is.
    pub fn version_for(&self, owner: &str) -> Option<Version> {
        self.0.get(owner).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::PushTargets;
    use kmip::Version;

    #[test]
    fn a_line_is_a_version_and_an_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pushes");
        std::fs::write(&file, "# arrays\n1.4 subject:CN=an array,O=Lab\n\n").unwrap();
        let pushes = PushTargets::read(&file).unwrap();
        assert_eq!(pushes.version_for("subject:CN=an array,O=Lab"), Some(Version::V1_4));
        assert_eq!(pushes.version_for("subject:CN=another"), None);
        for (text, why) in
            [("1.4", "line 1 is not version owner"), ("\n9.9 a", "line 2: KMIP 9.9 is not served")]
        {
            std::fs::write(&file, text).unwrap();
            assert!(PushTargets::read(&file).unwrap_err().ends_with(why));
        }
    }
}
