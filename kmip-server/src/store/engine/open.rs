//! Selection of an engine by its name.

use std::path::Path;
use std::sync::Arc;

use super::contained::Contained;
use super::redb::RedbEngine;
use super::sled::SledEngine;
use super::{Engine, EngineError};
use crate::config::Engine as EngineName;

/// Opens the engine of this name in a directory, and creates its files if there are none.
pub(crate) fn open_engine(
    name: EngineName,
    directory: &Path,
) -> Result<Arc<dyn Engine>, EngineError> {
    Ok(match name {
        EngineName::Sled => Arc::new(Contained::open(|| SledEngine::open(directory))?),
        EngineName::Redb => Arc::new(Contained::open(|| RedbEngine::open(directory))?),
    })
}
