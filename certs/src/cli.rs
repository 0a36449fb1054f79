//! Command line of `certs`, and all output to a terminal.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::lab::check_file_name;
use crate::validity::DAYS_DEFAULT;
use crate::{Algorithm, Authority, CertifiedKey, Error, HOSTS_DEFAULT, Plan, files, init};

/// The lab's certificates: an authority, servers, clients, and a deliberately bad set.
#[derive(Parser)]
#[command(name = "certs", version)]
struct Certs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make ca, server and client (.crt and .key) and the bad set in DIR/bad.
    Init {
        /// The folder; made if it is not there.
        dir: PathBuf,
        /// A name or address of the server; may be repeated.
        #[arg(long = "host", value_name = "NAME", default_values = HOSTS_DEFAULT)]
        hosts: Vec<String>,
        /// One more client, as NAME.crt and NAME.key; may be repeated.
        #[arg(long = "client", value_name = "NAME")]
        clients: Vec<String>,
        /// The kind of all keys.
        #[arg(long, value_enum, default_value_t)]
        algorithm: Algorithm,
        #[command(flatten)]
        writing: Writing,
    },
    /// Make NAME.crt and NAME.key for a client, signed by DIR/ca.key.
    Client {
        /// The folder with ca.crt and ca.key.
        dir: PathBuf,
        /// The client's name, and the files'.
        name: String,
        #[command(flatten)]
        writing: Writing,
    },
    /// Make a server's certificate, signed by DIR/ca.key.
    Server {
        /// The folder with ca.crt and ca.key.
        dir: PathBuf,
        /// A name or address of the server; may be repeated.
        #[arg(long = "host", value_name = "NAME", required = true)]
        hosts: Vec<String>,
        /// The name of the two files.
        #[arg(long, default_value = "server")]
        name: String,
        #[command(flatten)]
        writing: Writing,
    },
    /// Sign a client's certificate request. Only its subject and key are taken from it.
    Sign {
        /// The folder with ca.crt and ca.key.
        dir: PathBuf,
        /// The request, PKCS#10 in PEM; `-` is the standard input.
        #[arg(long, value_name = "FILE")]
        csr: PathBuf,
        /// Where the certificate goes; `-` is the standard output.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Put this common name in place of the request's subject.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        writing: Writing,
    },
}

#[derive(Args)]
struct Writing {
    /// How long the certificates last.
    #[arg(long, default_value_t = DAYS_DEFAULT)]
    days: u32,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

/// Runs the program with `args`, the program's name first; another program can be `certs` by this.
pub fn run<I>(args: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let certs = match Certs::try_parse_from(args) {
        Ok(certs) => certs,
        Err(error) => {
            // Help and version are errors of the parser too. The terminal may be closed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match execute(certs.command) {
        Ok(output) => {
            // A reader that has gone away has read enough.
            let _ = std::io::stdout().lock().write_all(output.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "certs: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Executes a command and returns its output: the files made, or the certificate.
fn execute(command: Command) -> Result<String, Error> {
    match command {
        Command::Init { dir, hosts, clients, algorithm, writing } => {
            let (days, replace) = (writing.days, writing.force);
            init(&dir, &Plan { hosts, clients, days, algorithm, bad: true, replace }).map(lines)
        }
        Command::Client { dir, name, writing } => {
            check_file_name(&name)?;
            let pair = Authority::read(&dir)?.with_validity(writing.days)?.client(&name)?;
            write_pair(&dir, &pair, &name, writing.force)
        }
        Command::Server { dir, hosts, name, writing } => {
            if name != "server" {
                check_file_name(&name)?;
            }
            let pair = Authority::read(&dir)?.with_validity(writing.days)?.server(&hosts)?;
            write_pair(&dir, &pair, &name, writing.force)
        }
        Command::Sign { dir, csr, out, name, writing } => {
            let authority = Authority::read(&dir)?.with_validity(writing.days)?;
            let request = if is_stream(&csr) { files::read_stdin()? } else { files::read(&csr)? };
            let cert = match name {
                Some(name) => authority.sign_as(&request, &name)?,
                None => authority.sign(&request)?,
            };
            if is_stream(&out) {
                return Ok(cert);
            }
            files::check_targets(&Authority::files(&dir), std::slice::from_ref(&out))?;
            files::write_cert(&out, &cert, writing.force)?;
            Ok(lines(vec![out]))
        }
    }
}

/// Writes a certificate and its key beside those of the authority that signed it.
fn write_pair(dir: &Path, pair: &CertifiedKey, name: &str, force: bool) -> Result<String, Error> {
    let targets = ["crt", "key"].map(|extension| dir.join(format!("{name}.{extension}")));
    files::check_targets(&Authority::files(dir), &targets)?;
    files::write_all(dir, &pair.files(name), force).map(lines)
}

/// Whether a path stands for the standard input or output.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// One line a file.
fn lines(paths: Vec<PathBuf>) -> String {
    paths.iter().map(|path| format!("{}\n", path.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_takes_what_it_is_told() {
        let args = "certs init pki --host a --host 10.0.0.1 --client b --algorithm rsa2048";
        let certs = Certs::try_parse_from(args.split(' ')).unwrap();
        let Command::Init { dir, hosts, clients, algorithm, writing } = certs.command else {
            panic!("another command");
        };
        assert_eq!((dir.as_path(), algorithm), (Path::new("pki"), Algorithm::Rsa2048));
        assert_eq!(
            (hosts.as_slice(), clients.as_slice()),
            (&["a", "10.0.0.1"].map(String::from)[..], &["b".to_owned()][..])
        );
        assert_eq!((writing.days, writing.force), (DAYS_DEFAULT, false));
    }
}
