//! `kmip-server store`: work on the store of a stopped server.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::logging;
use super::store_key::store_key;
use crate::config::{self, Engine, Given, LogFormat};
use crate::store::StoreSettings;
use crate::store::offline::{self, Moved};

/// What is done with a store.
#[derive(Subcommand)]
pub(super) enum StoreCommand {
    /// Check every record, and change nothing: the engine opens a copy of its files. Status 1 if
    /// anything is missing or damaged.
    Verify {
        #[command(flatten)]
        place: Place,
        /// The folder in which the copy is made, and removed [default: that for temporary files]
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Write all records to a file, sealed as in the store, and read it back. The store is not
    /// changed: the engine opens a copy of its files.
    Export {
        #[command(flatten)]
        place: Place,
        /// The folder in which the copy is made, and removed [default: that for temporary files]
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
        /// Export what is left of a store that has lost records
        #[arg(long)]
        accept_loss: bool,
        /// The file to write; it must not be there
        file: PathBuf,
    },
    /// Make a store of an export file, in a data folder that has none, under the same root key.
    Import {
        #[command(flatten)]
        place: Place,
        /// The storage engine of the new store [default: sled]
        #[arg(long, value_name = "sled|redb", env = "KMIP_SERVER_ENGINE")]
        engine: Option<Engine>,
        /// The file to read
        file: PathBuf,
    },
}

/// Where a store is.
#[derive(Args)]
pub(super) struct Place {
    /// A file with settings, of which data, store-key-file and engine are used
    #[arg(long, value_name = "FILE", env = "KMIP_SERVER_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the store
    #[arg(long, value_name = "DIR", env = "KMIP_SERVER_DATA")]
    data: Option<PathBuf>,
    /// The file of the key that seals the store [default: store.key in the data folder]
    #[arg(long, value_name = "FILE", env = "KMIP_SERVER_STORE_KEY_FILE")]
    store_key_file: Option<PathBuf>,
}

impl Place {
    fn settings(self, engine: Option<Engine>) -> Result<StoreSettings, Failure> {
        let file = self.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
        let Self { data, store_key_file, .. } = self;
        let given = Given { data, store_key_file, engine, ..Given::default() }.or(file);
        let missing = || Failure::Setting("data is not set: give --data DIR".to_owned());
        let mut settings = StoreSettings::new(given.data.ok_or_else(missing)?);
        settings.key = store_key(given.store_key_file)?;
        settings.engine = given.engine.unwrap_or(settings.engine);
        Ok(settings)
    }
}

impl StoreCommand {
    /// Does it, and says on the standard output what was done.
    pub(super) fn run(self) -> Result<(), Failure> {
        logging::start("warn", LogFormat::Text, 0).map_err(Failure::Setting)?;
        let failed = |error: crate::store::OpenError| Failure::Other(error.to_string());
        match self {
            Self::Verify { place, scratch } => {
                let settings = place.settings(None)?;
                let data = settings.data.display().to_string();
                let scratch = scratch.unwrap_or_else(std::env::temp_dir);
                let report = offline::verify(settings, &scratch).map_err(failed)?;
                report.lines.iter().for_each(|line| say(line));
                match report.is_whole {
                    true => Ok(()),
                    false => Err(Failure::Other(format!("the store in {data} is not whole"))),
                }
            }
            Self::Export { place, scratch, accept_loss, file } => {
                let settings = StoreSettings { accept_loss, ..place.settings(None)? };
                let scratch = scratch.unwrap_or_else(std::env::temp_dir);
                let moved = offline::export(settings, &scratch, &file).map_err(failed)?;
                say_moved("exported", &moved);
                Ok(())
            }
            Self::Import { place, engine, file } => {
                let settings = place.settings(engine)?;
                let moved = offline::import(&settings, &file).map_err(failed)?;
                say_moved("imported", &moved);
                Ok(())
            }
        }
    }
}

fn say_moved(what: &str, moved: &Moved) {
    let Moved { store, group, rows } = moved;
    say(&format!("{what} {rows} rows of store {store}, group {group}"));
}

fn say(line: &str) {
    // A closed stream is nobody's to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}
