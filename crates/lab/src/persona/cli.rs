//! Command line of `lab persona`, and all output to a terminal.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::file::{Persona, built_in};
use super::play::play;
use super::server::TlsKeyServer;
use super::tls::{Connector, Identity};
use super::{report, table};

/// The call sequences of products that use KMIP, against any key server
#[derive(Parser)]
#[command(name = "persona", bin_name = "lab persona", version, after_help = HELP)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Program {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    play: Option<Play>,
}

#[derive(Subcommand)]
enum Command {
    /// List the personas
    List,
    /// Write the tables of docs/personas.md out of JSON reports
    Table {
        /// Name of a server, and its report
        #[arg(required = true, value_name = "SERVER=FILE")]
        reports: Vec<String>,
    },
}

const HELP: &str = "\
Objects that a persona creates are destroyed after it. The exit status is 0 when all steps have
passed, 1 when one has not, 2 when the arguments or a file are wrong.";

#[derive(Args)]
struct Play {
    /// A name of `lab persona list`, `all`, or a file of your own that ends in .toml
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The authorities in PEM that may have signed the server's certificate
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The client's certificate in PEM
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The private key of that certificate in PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Write a report in JSON instead of text
    #[arg(long)]
    json: bool,
    /// After a failed step, play those that do not need its values
    #[arg(long)]
    keep_going: bool,
}

/// Runs the program with its arguments, the first of which is its name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let program = match Program::try_parse_from(args) {
        Ok(program) => program,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match (program.command, program.play) {
        (Some(Command::List), _) => built_in().map(|personas| {
            print(&report::list(&personas));
            true
        }),
        (Some(Command::Table { reports }), _) => tables(&reports),
        (None, Some(play)) => play.run(),
        (None, None) => Err("NAME is missing".to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            let _ = writeln!(io::stderr(), "lab persona: {why}");
            ExitCode::from(2)
        }
    }
}

/// Prints to standard output; a reader that has gone away is no failure of ours.
fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

impl Play {
    fn run(&self) -> Result<bool, String> {
        let personas = chosen(&self.names)?;
        let port = self.server.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            return Err(format!("server {:?} must be HOST:PORT", self.server));
        }
        let identity = Identity::read(&self.ca, &self.cert, &self.key)?;
        let mut outcomes = Vec::new();
        for persona in &personas {
            let connector = Connector::new(&identity, &self.server, &persona.habits)?;
            let outcome = play(persona, &mut TlsKeyServer::new(connector), self.keep_going);
            if !self.json {
                print(&report::text(&outcome));
            }
            outcomes.push(outcome);
        }
        if self.json {
            print(&report::json(&self.server, &outcomes));
        }
        Ok(outcomes.iter().all(|outcome| outcome.has_passed()))
    }
}

/// The personas of these names, each once and in this order.
fn chosen(names: &[String]) -> Result<Vec<Persona>, String> {
    let mut personas: Vec<Persona> = Vec::new();
    for name in names {
        let found: Vec<Persona> = if name.ends_with(".toml") {
            vec![Persona::read(Path::new(name))?]
        } else {
            built_in()?.into_iter().filter(|known| name == "all" || known.name == *name).collect()
        };
        if found.is_empty() {
            return Err(format!("persona {name:?} not found; see `lab persona list`"));
        }
        for persona in found {
            if !personas.iter().any(|known| known.name == persona.name) {
                personas.push(persona);
            }
        }
    }
    Ok(personas)
}

fn tables(reports: &[String]) -> Result<bool, String> {
    let reports = reports.iter().map(|given| {
        let (server, path) = given.split_once('=').ok_or("a report must be SERVER=FILE")?;
        let text = fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))?;
        table::Report::read(server, &text).map_err(|why| format!("{path}: {why}"))
    });
    let reports = reports.collect::<Result<Vec<_>, String>>()?;
    print(&table::tables(&built_in()?, &reports));
    Ok(true)
}
