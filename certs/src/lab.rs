//! All certificates of a lab, in one folder.

use std::path::{Path, PathBuf};

use crate::files;
use crate::validity::DAYS_DEFAULT;
use crate::{Algorithm, Authority, BAD, Error};

/// The names under which a server of the lab is reached when nobody says otherwise.
pub const HOSTS_DEFAULT: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// The name in the lab's authority.
const AUTHORITY_NAME: &str = "Lab authority";

/// What a lab needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The names and addresses that `server.crt` is for.
    pub hosts: Vec<String>,
    /// Clients beside `client.crt`; each gets `NAME.crt` and `NAME.key`.
    pub clients: Vec<String>,
    /// How long the certificates last.
    pub days: u32,
    /// The kind of all keys.
    pub algorithm: Algorithm,
    /// Whether the bad set is made too.
    pub bad: bool,
    /// Whether files that are there may be replaced.
    pub replace: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            hosts: HOSTS_DEFAULT.map(str::to_owned).to_vec(),
            clients: Vec::new(),
            days: DAYS_DEFAULT,
            algorithm: Algorithm::default(),
            bad: true,
            replace: false,
        }
    }
}

/// Makes `ca`, `server` and `client` (`.crt` and `.key`) and `bad/` in `dir`; returns the files.
///
/// `ca.crt` is written last: where it is, all the others are.
pub fn init(dir: &Path, plan: &Plan) -> Result<Vec<PathBuf>, Error> {
    let authority = Authority::with_options(AUTHORITY_NAME, plan.algorithm, plan.days)?;
    let mut made = Vec::from(authority.server(&plan.hosts)?.files("server"));
    made.extend(authority.client("client")?.files("client"));
    for name in &plan.clients {
        check_file_name(name)?;
        made.extend(authority.client(name)?.files(name));
    }
    for case in BAD.iter().filter(|_| plan.bad) {
        let pair = authority.bad(case, &plan.hosts, case.name)?;
        made.extend(pair.files(&format!("bad/{}", case.name)));
    }
    let [cert, key] = authority.certified_key().files("ca");
    made.extend([key, cert]);
    files::write_all(dir, &made, plan.replace)
}

/// A certificate's name becomes a file's: it must stay in the folder and hide nothing.
pub(crate) fn check_file_name(name: &str) -> Result<(), Error> {
    let refused = |why| Err(Error::Name { name: name.to_owned(), why });
    if matches!(name, "ca" | "server" | "client" | "bad") {
        return refused("the lab's own files have it");
    }
    if name.starts_with('.') {
        return refused("it begins with a full stop");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return refused("it becomes a file name: use letters, digits, '-', '_' and '.'");
    }
    Ok(())
}
