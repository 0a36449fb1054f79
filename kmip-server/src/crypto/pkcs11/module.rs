//! A loaded PKCS#11 module, and the instances of all clients.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::crypto::pkcs11::parameters::Malformed;
use aws_lc_rs::rand;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::session::Session;
use kmip::vocabulary::{PKCS_11Function, PKCS_11ReturnCode};
use zeroize::Zeroizing;

/// The most instances of one client. Each holds sessions of the module.
const INSTANCES_MAX: usize = 16;

/// The most sessions of one instance; modules have a limit of their own for all together.
pub(crate) const SESSIONS_MAX: usize = 16;

/// How long an instance may rest before it is finalized for its client.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// The length of a correlation value: no one can guess another client's.
pub(crate) const CORRELATION_LEN: usize = 16;

/// A loaded module, and the instances of all clients.
pub(crate) struct Module {
    pub(crate) module: Pkcs11,
    instances: Mutex<BTreeMap<Vec<u8>, Instance>>,
}

/// What one C_Initialize began.
pub(crate) struct Instance {
    owner: String,
    pub(crate) sessions: BTreeMap<u64, Arc<Mutex<Session>>>,
    used: Instant,
}

/// A module that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the PKCS#11 module {path} cannot be used: {why}")]
pub(crate) struct WrongModule {
    path: String,
    why: String,
}

/// A call of a function, as a request has it.
pub(crate) struct Call<'a> {
    /// Who calls.
    pub owner: &'a str,
    /// The function.
    pub function: PKCS_11Function,
    /// The instance, by what C_Initialize gave.
    pub correlation_value: Option<&'a [u8]>,
    /// The parameters.
    pub input: &'a [u8],
}

/// What a call gave.
pub(crate) struct Answer {
    /// What the next calls must bring.
    pub correlation_value: Option<Vec<u8>>,
    /// The parameters that go back.
    pub output: Option<Zeroizing<Vec<u8>>>,
    /// How it went.
    pub return_code: PKCS_11ReturnCode,
}

impl Answer {
    pub(crate) const fn of(return_code: PKCS_11ReturnCode) -> Self {
        Self { correlation_value: None, output: None, return_code }
    }
}

/// Why a call could not be made at all (2.1, 6.1.37.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The parameters cannot be read.
    #[error(transparent)]
    Codec(#[from] Codec),
    /// The instance is not there, or it is another client's.
    #[error("there is no such Correlation Value of this client: call C_Initialize first")]
    Correlation,
}

/// The parameters cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Codec(Malformed);

impl From<Malformed> for CallError {
    fn from(malformed: Malformed) -> Self {
        Self::Codec(Codec(malformed))
    }
}

impl Module {
    /// Loads and initializes the module in the file at `path`.
    pub(crate) fn load(path: &Path) -> Result<Self, WrongModule> {
        let wrong = |why: cryptoki::error::Error| WrongModule {
            path: path.display().to_string(),
            why: why.to_string(),
        };
        let module = Pkcs11::new(path).map_err(wrong)?;
        let args = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        module.initialize(args).map_err(wrong)?;
        module.get_library_info().map_err(wrong)?;
        Ok(Self { module, instances: Mutex::new(BTreeMap::new()) })
    }

    pub(crate) fn instances(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<u8>, Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an instance; `None` when the client has too many, or there is no random value.
    pub(crate) fn begin(&self, owner: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; CORRELATION_LEN];
        rand::fill(&mut value).ok()?;
        let used = Instant::now();
        let mut instances = self.instances();
        instances.retain(|_, instance| used.duration_since(instance.used) < IDLE);
        if instances.values().filter(|instance| instance.owner == owner).count() >= INSTANCES_MAX {
            return None;
        }
        let instance = Instance { owner: owner.to_owned(), sessions: BTreeMap::new(), used };
        instances.insert(value.clone(), instance);
        Some(value)
    }

    /// Does something with the instance of a call, if it is the caller's.
    pub(crate) fn with<T>(
        &self,
        call: &Call<'_>,
        act: impl FnOnce(&mut Instance) -> T,
    ) -> Result<T, CallError> {
        let value = call.correlation_value.ok_or(CallError::Correlation)?;
        let mut instances = self.instances();
        let instance = instances
            .get_mut(value)
            .filter(|instance| instance.owner == call.owner)
            .ok_or(CallError::Correlation)?;
        instance.used = Instant::now();
        Ok(act(instance))
    }

    /// Ends an instance with its sessions.
    pub(crate) fn end(&self, call: &Call<'_>) -> Result<(), CallError> {
        self.with(call, |_| ())?;
        let ended = self.instances().remove(call.correlation_value.unwrap_or_default());
        // Closed here, and not while all others wait.
        drop(ended);
        Ok(())
    }
}
