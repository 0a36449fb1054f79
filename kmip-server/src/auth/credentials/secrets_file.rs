//! Files of lines `name:secret`.

use std::path::Path;

use support::small_files;
use zeroize::Zeroizing;

/// Returns the lines `name:secret` of a file, each with its number.
pub(crate) fn lines(path: &Path) -> Result<Vec<(u64, String, Zeroizing<String>)>, String> {
    let bytes = small_files::read_secret(path).map_err(|why| why.to_string())?;
    let text = str::from_utf8(&bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut all = Vec::new();
    for (line, number) in text.lines().zip(1_u64..) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, secret) =
            line.split_once(':').ok_or_else(|| format!("line {number} is not name:password"))?;
        all.push((number, name.to_owned(), Zeroizing::new(secret.to_owned())));
    }
    Ok(all)
}
