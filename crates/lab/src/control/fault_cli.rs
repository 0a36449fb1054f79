//! Command line of `lab fault`: the faults of a running lab.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::https::Https;

/// Faults of a running lab, by the switch
#[derive(Parser)]
#[command(name = "fault", bin_name = "lab fault", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

/// The lab.
#[derive(Args)]
struct Target {
    /// Host and port of the cluster, which passes on to the lab controller
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "LAB_CLUSTER",
        default_value = "localhost:8443"
    )]
    cluster: String,
    /// Authority of the cluster's certificate, in PEM
    #[arg(long, global = true, value_name = "FILE", env = "LAB_CA", default_value = "pki/ca.crt")]
    ca: PathBuf,
    /// Name of the administrator
    #[arg(long, global = true, value_name = "NAME", env = "LAB_USER", default_value = "admin")]
    user: String,
    /// Its password
    #[arg(
        long,
        global = true,
        value_name = "TEXT",
        env = "LAB_PASSWORD",
        default_value = "admin",
        hide_env_values = true
    )]
    password: String,
    /// Write JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List the faults, which of them are on, and how often each has acted
    List,
    /// Switch a fault on
    On {
        /// Name of the fault
        name: String,
        /// Parameters of the fault
        #[arg(value_name = "NAME=VALUE")]
        parameters: Vec<String>,
    },
    /// Switch a fault off, or all
    Off {
        /// Name of the fault, or `all`
        name: String,
    },
}

/// Runs the program with its arguments, the first of which is its name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let program = match Program::try_parse_from(args) {
        Ok(program) => program,
        Err(why) => {
            let _ = why.print();
            return ExitCode::from(u8::try_from(why.exit_code()).unwrap_or(2));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .map_err(|why| format!("cannot start: {why}"))
        .and_then(|runtime| runtime.block_on(perform(&program)));
    match done {
        Ok(text) => {
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "lab fault: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(program: &Program) -> Result<String, String> {
    let Target { cluster, ca, user, password, json } = &program.target;
    let cluster = Cluster::new(Https::new(cluster, ca)?, user, password);
    let switch = async |name: &str, body: Value| {
        let path = format!("/lab/v1/faults/{name}");
        let fault = cluster.must("PUT", &path, &body).await?;
        Ok::<_, String>(if *json { fault.to_string() } else { line(&fault) })
    };
    match &program.command {
        Command::List => {
            let answer = cluster.must("GET", "/lab/v1/faults", &Value::Null).await?;
            let faults = answer.get("faults").and_then(Value::as_array);
            let faults = faults.cloned().unwrap_or_default();
            Ok(if *json { Value::from(faults).to_string() } else { table(&faults) })
        }
        Command::On { name, parameters } => {
            let parameters = read_parameters(parameters)?;
            switch(name, json!({ "on": true, "parameters": parameters })).await
        }
        Command::Off { name } if name == "all" => {
            cluster.must("DELETE", "/lab/v1/faults", &Value::Null).await?;
            Ok(if *json { "{}".to_owned() } else { "all faults are off".to_owned() })
        }
        Command::Off { name } => switch(name, json!({ "on": false })).await,
    }
}

/// Reads `name=value`; what is a whole number is sent as one.
fn read_parameters(given: &[String]) -> Result<Map<String, Value>, String> {
    let read = |text: &String| {
        let (name, value) =
            text.split_once('=').ok_or_else(|| format!("parameter {text:?} must be NAME=VALUE"))?;
        let number = value.parse::<i64>().map(Value::from);
        Ok((name.to_owned(), number.unwrap_or_else(|_| value.into())))
    };
    given.iter().map(read).collect()
}

fn table(faults: &[Value]) -> String {
    let mut text =
        format!("{:<24} {:<6} {:<5} {:>6}  PARAMETERS\n", "FAULT", "GROUP", "STATE", "ACTED");
    for fault in faults {
        let _ = writeln!(text, "{}", line(fault));
    }
    text
}

fn line(fault: &Value) -> String {
    let part = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default();
    let is = |name: &str| fault.get(name).and_then(Value::as_bool).unwrap_or_default();
    let state = match (is("available"), is("on")) {
        (false, _) => "n/a",
        (true, true) => "on",
        (true, false) => "off",
    };
    let fired = fault.get("fired").and_then(Value::as_u64).unwrap_or_default();
    let parameters = fault.get("parameters").and_then(Value::as_object);
    let parameters: Vec<_> = parameters
        .into_iter()
        .flatten()
        .map(|(name, parameter)| {
            let value = parameter.get("value").cloned().unwrap_or_default();
            format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    let (name, group) = (part("name"), part("group"));
    let line = format!("{name:<24} {group:<6} {state:<5} {fired:>6}  {}", parameters.join(" "));
    line.trim_end().to_owned()
}
