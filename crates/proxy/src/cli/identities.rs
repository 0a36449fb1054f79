//! File of identities: which certificate is used at the server for which client.

use std::path::Path;

use serde::Deserialize;

use crate::tls::IdentityFiles;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentitiesFile {
    #[serde(default)]
    identity: Vec<IdentityFiles>,
}

/// Reads the file; paths in it are relative to its directory.
pub(super) fn read(path: &Path) -> Result<Vec<IdentityFiles>, String> {
    let wrong = |why: String| format!("identities {}: {why}", path.display());
    let bytes = support::small_files::read(path).map_err(|why| wrong(why.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    let file: IdentitiesFile = toml::from_str(&text).map_err(|why| {
        let line = why.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = line.matches('\n').count().saturating_add(1);
        let why = why.message().split_whitespace().collect::<Vec<_>>().join(" ");
        wrong(format!("line {line}: {why}"))
    })?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let in_directory = |row: IdentityFiles| IdentityFiles {
        cert: directory.join(row.cert),
        key: directory.join(row.key),
        ..row
    };
    Ok(file.identity.into_iter().map(in_directory).collect())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn paths_are_relative_to_the_file_and_unknown_fields_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identities.toml");
        std::fs::write(
            &path,
            "[[identity]]\nsubject = \"CN=alice\"\ncert = \"alice.crt\"\nkey = \"/k/alice.key\"\n",
        )
        .unwrap();
        let rows = read(&path).unwrap();
        assert_eq!(rows[0].cert, folder.path().join("alice.crt"));
        assert_eq!(rows[0].key, std::path::Path::new("/k/alice.key"));
        std::fs::write(&path, "[[identity]]\nsubject = \"a\"\ncrt = \"b\"\n").unwrap();
        let why = read(&path).unwrap_err();
        assert!(why.contains("line 3: unknown field `crt`, expected one of `subject`"), "{why}");
    }
}
