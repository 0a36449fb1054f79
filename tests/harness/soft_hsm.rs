//! A PKCS#11 module that nobody here wrote: SoftHSM2, with a token of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::foreign::{passed, skip};
use crate::{Lab, Program};

/// Where distributions keep the module.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// The module, and the file that tells it where its tokens are.
pub struct SoftHsm {
    module: &'static str,
    settings: PathBuf,
}

impl SoftHsm {
    /// Makes a token in the lab; `None` where there is no SoftHSM2, and then the line is told.
    #[track_caller]
    pub fn new(lab: &Lab) -> Option<Self> {
        let Some(module) = MODULES.into_iter().find(|module| Path::new(module).exists()) else {
            skip("SoftHSM2 is not installed");
            return None;
        };
        let (tokens, settings) = (lab.path("tokens"), lab.path("softhsm2.conf"));
        fs::create_dir(&tokens).expect("a folder");
        let text = format!("directories.tokendir = {}\n", tokens.display());
        fs::write(&settings, text).expect("a file");
        let init =
            ["--init-token", "--free", "--label", "lab", "--so-pin", "1234", "--pin", "1234"];
        let mut softhsm2 = Command::new("softhsm2-util");
        passed("softhsm2-util", softhsm2.args(init).env("SOFTHSM2_CONF", &settings).output());
        Some(Self { module, settings })
    }

    /// Configures a key server that is to be started to use the module.
    pub fn configure(&self, program: Program) -> Program {
        let program = program.arg("--pkcs11-module").arg(self.module);
        program.env("SOFTHSM2_CONF", self.settings.clone())
    }
}
