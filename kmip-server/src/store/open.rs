//! Opens a data directory's store: its lock, its root key, its engine, its seal, in this order.

use std::path::PathBuf;
use std::sync::Arc;

use super::engine::sled::{Directory, SledStore};
use super::failure_signal::FailureWatch;
use super::key_source::{KEY_FILE, KeySource};
use super::root_key::IndexKey;
use super::sealed::Sealed;
use super::{OpenError, Store};

/// Which store to open.
#[derive(Debug)]
pub struct StoreSettings {
    /// The data directory; made if there is none.
    pub data: PathBuf,
    /// Where the root key comes from; by default `store.key` in the data directory.
    pub key: Option<KeySource>,
}

/// An open store.
pub struct OpenStore {
    /// The records.
    pub store: Arc<dyn Store>,
    /// The key for what goes into the keys of index rows.
    pub index_key: IndexKey,
    /// Tells when the store has stopped and the program must end.
    pub health: FailureWatch,
}

/// Opens the store, and makes it if there is none.
pub async fn open(settings: StoreSettings) -> Result<OpenStore, OpenError> {
    let StoreSettings { data, key } = settings;
    let key = key.unwrap_or_else(|| KeySource::File(data.join(KEY_FILE)));
    let directory = Directory::lock(&data)?;
    let root_key = key.root_key(directory.is_new())?;
    let engine = SledStore::open(directory)?;
    let health = engine.health();
    let store = Sealed::open(engine, &root_key, &key.place()).await?;
    Ok(OpenStore { store: Arc::new(store), index_key: root_key.index_key(), health })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use zeroize::Zeroizing;

    use super::*;
    use crate::store::contract_tests::put;
    use crate::store::{Order, Range};

    fn settings(data: &Path, key: Option<&str>) -> StoreSettings {
        let text = |text: &str| KeySource::Text {
            text: Zeroizing::new(text.to_owned()),
            setting: "the test".to_owned(),
        };
        StoreSettings { data: data.to_owned(), key: key.map(text) }
    }

    async fn refused(settings: StoreSettings) -> String {
        open(settings).await.map(drop).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_store_opens_again_with_its_key_and_with_no_other() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path().join("made/with/its/parents");
        let first = open(settings(&data, None)).await.unwrap();
        first.store.commit(vec![put("key", 0, "value")]).await.unwrap();
        let hash = first.index_key.hash(&[b"name"]);
        drop(first);

        let other = refused(settings(&data, Some(&"00".repeat(32)))).await;
        assert!(other.contains("another root key than the one in the test"), "{other}");

        let again = open(settings(&data, None)).await.unwrap();
        assert_eq!(again.index_key.hash(&[b"name"]), hash);
        assert_eq!(*again.store.get(b"key").await.unwrap().unwrap().value, b"value");
        assert!(again.health.check().is_ok());
    }

    #[tokio::test]
    async fn a_store_whose_key_is_lost_says_so() {
        let data = tempfile::tempdir().unwrap();
        drop(open(settings(data.path(), None)).await.unwrap());
        std::fs::remove_file(data.path().join(KEY_FILE)).unwrap();
        let error = refused(settings(data.path(), None)).await;
        assert!(error.ends_with("put the file back"), "{error}");
    }

    #[tokio::test]
    async fn one_directory_is_for_one_process() {
        let data = tempfile::tempdir().unwrap();
        let first = open(settings(data.path(), None)).await.unwrap();
        let error = refused(settings(data.path(), None)).await;
        assert!(error.contains("is in use by another process"), "{error}");
        drop(first);
        open(settings(data.path(), None)).await.unwrap();
    }

    #[tokio::test]
    async fn neither_value_nor_root_key_is_in_the_files() {
        let data = tempfile::tempdir().unwrap();
        let opened = open(settings(data.path(), Some(&"ab".repeat(32)))).await.unwrap();
        let secret = b"a value that is easy to find";
        let changes = (0..50).map(|n| put(format!("k/{n}"), 0, secret)).collect();
        opened.store.commit(changes).await.unwrap();
        let page = opened.store.scan(Range::prefix(b"k/", 99, Order::Ascending)).await.unwrap();
        assert_eq!(page.len(), 50);
        drop(opened);
        for file in ["records/db", "log.0"] {
            let bytes = std::fs::read(data.path().join(file)).unwrap();
            let found = |what: &[u8]| bytes.windows(what.len()).any(|bytes| bytes == what);
            assert!(found(b"k/"), "the rows are there to be searched in {file}");
            assert!(!found(secret) && !found(&[0xab; 32]), "{file}");
        }
    }
}
