//! Where the key that seals the store comes from: a file, or a variable of the environment.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::config::WrongSetting;
use crate::store::KeySource;

/// The variable with the key that seals the store. No flag has it: flags are seen by all users.
const STORE_KEY: &str = "KMIP_SERVER_STORE_KEY";

/// Where the store's key comes from; the default is the store's own.
pub(super) fn store_key(file: Option<PathBuf>) -> Result<Option<KeySource>, WrongSetting> {
    let text = match std::env::var(STORE_KEY) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(WrongSetting::new(format!("{STORE_KEY} is not text")));
        }
    };
    match (text, file) {
        (Some(_), Some(_)) => Err(WrongSetting::new(format!(
            "the store's key is given twice: unset {STORE_KEY} or store-key-file"
        ))),
        (Some(text), None) => Ok(Some(KeySource::Text { text, setting: STORE_KEY.to_owned() })),
        (None, file) => Ok(file.map(KeySource::File)),
    }
}
