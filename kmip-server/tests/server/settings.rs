//! Each setting from each source, and what a wrong one is told.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use kmip_server::config::{Given, Settings, parse, read, table};

use crate::running::Lab;

const EXAMPLE: &str = include_str!("../../kmip-server.example.toml");

/// The example with its settings switched on.
fn switched_on() -> String {
    let on = |line: &str| {
        let setting = line.strip_prefix('#').filter(|rest| rest.starts_with(char::is_alphabetic));
        setting.unwrap_or(line).to_owned()
    };
    EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_names_every_setting_and_its_default() {
    let silent = parse(EXAMPLE).unwrap();
    assert_eq!(silent, Given::default(), "as it is, the example changes nothing");
    let given = parse(&switched_on()).unwrap();
    let named: BTreeSet<_> = given.names().into_iter().collect();
    let all: BTreeSet<_> = table().into_iter().map(|(name, _, _)| name).collect();
    assert_eq!(named, all, "the example names every setting");

    let shown = given.settle().unwrap();
    let mut expected =
        Settings::new(shown.cert.clone(), shown.key.clone(), shown.client_ca.clone());
    // These have no default, only an example.
    expected.data.clone_from(&shown.data);
    expected.https_listen.clone_from(&shown.https_listen);
    expected.client_crl.clone_from(&shown.client_crl);
    expected.store_key_file.clone_from(&shown.store_key_file);
    expected.one_time_file.clone_from(&shown.one_time_file);
    expected.push_file.clone_from(&shown.push_file);
    expected.users_file.clone_from(&shown.users_file);
    expected.certify_ca_cert.clone_from(&shown.certify_ca_cert);
    expected.certify_ca_key.clone_from(&shown.certify_ca_key);
    expected.pkcs11_module.clone_from(&shown.pkcs11_module);
    expected.disabled_algorithms.clone_from(&shown.disabled_algorithms);
    assert_eq!(shown, expected, "what the example shows are the defaults");
}

/// Runs `kmip-server serve` in an environment of these variables alone.
fn serve(flags: &[String], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kmip-server"))
        .arg("serve")
        .args(flags)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// What it says on the standard error stream, which must be one line, with status 2.
fn sentence(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches('\n').count(), 1, "one sentence: {said}");
    said.trim_end().to_owned()
}

#[test]
fn help_tells_of_every_setting_with_variable_and_default() {
    let output = serve(&["--help".to_owned()], &[]);
    let help = String::from_utf8(output.stdout).unwrap();
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, variable, default) in table() {
        assert_eq!(variable, format!("KMIP_SERVER_{}", name.to_uppercase()));
        assert!(words.contains(&format!("--{} <", name.replace('_', "-"))), "{name}");
        assert!(words.contains(&format!("[env: {variable}=")), "{variable}");
        if let Some(default) = default {
            assert!(words.contains(&format!("[default: {default}]")), "{name} = {default}");
        }
    }
    assert!(
        words.contains("in the variable KMIP_SERVER_STORE_KEY."),
        "the key itself is told of too"
    );
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let lab = Lab::new();
    let file = lab.path("settings.toml");
    let line = |value: Option<u32>| {
        value.map(|value| format!("frame-len-max = {value}\n")).unwrap_or_default()
    };
    // Values from file, environment and flag; all are wrong, and the one that counts is told.
    let rows = [
        (Some(1), None, None, 1),
        (Some(1), Some(2), None, 2),
        (Some(1), None, Some(3), 3),
        (Some(1), Some(2), Some(3), 3),
        (None, Some(2), Some(3), 3),
        (None, Some(2), None, 2),
    ];
    for (in_file, in_environment, in_flag, counts) in rows {
        let rest = "data = 'd'\ncert = 'c'\nkey = 'k'\nclient-ca = 'a'\n";
        fs::write(&file, format!("{}{rest}", line(in_file))).unwrap();
        let mut flags = vec!["--config".to_owned(), file.display().to_string()];
        flags.extend(in_flag.map(|value: u32| format!("--frame-len-max={value}")));
        let value = in_environment.map(|value: u32| value.to_string());
        let variables: Vec<_> =
            value.iter().map(|value| ("KMIP_SERVER_FRAME_LEN_MAX", value.as_str())).collect();
        let said = sentence(&serve(&flags, &variables));
        let expected = format!("kmip-server: frame-len-max is {counts}, but must be from 1024");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn a_wrong_file_is_told_in_one_sentence_with_its_line() {
    let rows = [
        ("listen = 5696", "line 1: invalid type: integer"),
        ("# a comment\nlisten = 'here'", "line 2: invalid socket address syntax"),
        ("lisen = '127.0.0.1:5696'", "line 1: unknown field `lisen`, expected one of"),
        ("listen = ", "line 1: "),
        ("\n\nidentity = 'name'", "line 3: unknown variant `name`, expected `subject` or"),
        ("frame-len-max = -1", "line 1: invalid value: integer `-1`"),
        ("frame_len_max = 4096", "line 1: unknown field `frame_len_max`"),
        ("store-key = '00'", "line 1: unknown field `store-key`"),
    ];
    for (text, sentence) in rows {
        let said = parse(text).unwrap_err().to_string();
        assert!(said.starts_with(sentence), "{text:?}: {said}");
        assert!(!said.contains('\n'), "one sentence: {said}");
    }
    let lab = Lab::new();
    let said = read(&lab.path("none.toml")).unwrap_err().to_string();
    assert!(said.contains("none.toml cannot be read: No such file"), "{said}");
}

#[test]
fn data_folder_is_needed_unless_the_store_is_in_memory() {
    let files = "cert = 'a'\nkey = 'b'\nclient-ca = 'c'\n";
    let settle = |more: &str| parse(&format!("{files}{more}")).unwrap().settle();
    assert_eq!(settle("store = 'memory'").unwrap().data, None);
    assert!(settle("").unwrap_err().to_string().starts_with("data is not set: give --data DIR"));
    assert!(settle("data = 'd'").is_ok());
}

#[test]
fn a_wrong_setting_ends_the_program_with_one_sentence_and_status_2() {
    let lab = Lab::new();
    let path = |name| lab.path(name).display().to_string();
    let flags = |more: &[&str]| -> Vec<String> {
        let data = path("data");
        let (cert, key, ca) = (path("server.crt"), path("server.key"), path("ca.crt"));
        let files = ["--data", &data, "--cert", &cert, "--key", &key, "--client-ca", &ca];
        files.iter().chain(more).map(|flag| (*flag).to_owned()).collect()
    };
    let key = path("server.key");
    type Row<'a> = (Vec<String>, &'a [(&'a str, &'a str)], &'a str);
    let rows: [Row<'_>; 13] = [
        (vec![], &[], "cert is not set: give --cert FILE, KMIP_SERVER_CERT in the environment or"),
        (
            flags(&[]).split_off(2),
            &[],
            "data is not set: give --data DIR, KMIP_SERVER_DATA in the environment or",
        ),
        (flags(&["--listen", "here"]), &[], "invalid value 'here' for '--listen <ADDR>'"),
        (flags(&[]), &[("KMIP_SERVER_LISTEN", "here")], "invalid value 'here' for '--listen"),
        (flags(&["--listne", "x"]), &[], "unexpected argument '--listne' found"),
        (flags(&["--identity", "name"]), &[], "invalid value 'name' for '--identity"),
        (flags(&["--connections-max", "0"]), &[], "connections-max is 0, but must be from 1 to"),
        (flags(&["--idle-deadline-ms", "0"]), &[], "idle-deadline-ms is 0, but must be from 1"),
        (flags(&["--log", "kmip=loud"]), &[], "log filter \"kmip=loud\" is wrong: "),
        (flags(&["--config", "/nowhere.toml"]), &[], "configuration file /nowhere.toml cannot be"),
        (flags(&["--client-crl", &key]), &[], "revocation list "),
        (
            flags(&["--store-key-file", "/nowhere.key"]),
            &[("KMIP_SERVER_STORE_KEY", "00")],
            "the store's key is given twice: unset KMIP_SERVER_STORE_KEY or store-key-file",
        ),
        (flags(&["surplus"]), &[], "unexpected argument 'surplus' found"),
    ];
    for (flags, variables, told) in rows {
        let said = sentence(&serve(&flags, variables));
        assert!(said.starts_with(&format!("kmip-server: {told}")), "{said}");
    }
    assert!(!lab.path("data").exists(), "no store is made before the settings are right");
}
