//! Files of lines `name:secret`.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

/// Returns the lines `name:secret` of a file, each with its number.
pub(crate) fn lines(path: &Path) -> Result<Vec<(u64, String, Zeroizing<String>)>, String> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|why| why.to_string())?);
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
