//! File of a persona: TOML that a person reads and writes, with messages in the standard's XML.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use kmip::Version;
use kmip::encoding::{Element, xml};
use serde::Deserialize;

use super::condition::Condition;
use super::message::items;
use super::path::Path;
use super::values::{Generator, Values, is_built_in, names};

/// Name of a persona and the text of its file.
macro_rules! persona {
    ($name:literal) => {
        ($name, include_str!(concat!("../../personas/", $name, ".toml")))
    };
}

/// The personas of this program: each name, and the text of its file.
const FILES: [(&str, &str); 20] = [
    persona!("ceph-radosgw"),
    persona!("edb-postgres-tde"),
    persona!("fortios"),
    persona!("hpe-ezmeral"),
    persona!("ibm-db2"),
    persona!("mongodb-csfle"),
    persona!("mongodb-csfle-delegated"),
    persona!("nvidia-infra-controller"),
    persona!("openstack-barbican"),
    persona!("openstack-swift"),
    persona!("percona-keyring-kmip"),
    persona!("percona-pg-tde"),
    persona!("percona-server-mongodb"),
    persona!("scylladb"),
    persona!("storage-array-459"),
    persona!("synology-dsm"),
    persona!("truenas"),
    persona!("vast-data"),
    persona!("veeam"),
    persona!("vmware-vcenter"),
];

/// The longest file that is read.
const FILE_LEN_MAX: usize = 1 << 20;

/// A product as a client.
#[derive(Debug)]
pub(super) struct Persona {
    /// Name of its file.
    pub(super) name: String,
    /// The product and its version.
    pub(super) product: String,
    /// The version of KMIP that it speaks.
    pub(super) version: Version,
    /// Where the facts are from.
    pub(super) sources: Vec<String>,
    /// What the product does and the persona does not.
    pub(super) left_out: Vec<String>,
    /// How it connects and writes.
    pub(super) habits: Habits,
    /// Elements of each Request Header, between Protocol Version and Batch Count.
    pub(super) header: Vec<Element>,
    /// Values that are generated for each run.
    pub(super) values: Vec<(String, Generator)>,
    /// What it does, in order.
    pub(super) steps: Vec<Step>,
}

/// How a product connects and writes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Habits {
    /// When it connects.
    pub(super) connection: Connections,
    /// Offers to resume the TLS session of the connection before.
    pub(super) resume_tls_session: bool,
    /// Speaks TLS 1.2 only.
    pub(super) tls12_only: bool,
    /// Writes the first eight bytes of a message, and then the others.
    pub(super) split_writes: bool,
    /// Elements whose text counts the padding into its length.
    pub(super) count_padding: Vec<String>,
}

/// When a product connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Connections {
    /// Once.
    #[default]
    One,
    /// For each message.
    PerMessage,
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    /// What it is for.
    pub(super) does: String,
    /// The batch items.
    pub(super) items: Vec<Element>,
    /// A value, and what it must be for the step to be played.
    pub(super) when: Option<(String, String)>,
    /// How often the message is sent.
    pub(super) times: u32,
    /// Values that the answer has, and the item and the path where.
    pub(super) captures: Vec<(String, usize, Path)>,
    /// What must be true of the answer.
    pub(super) expectations: Vec<Expectation>,
    /// What the product does if it is not.
    pub(super) otherwise: String,
}

/// What a product expects of an answer.
#[derive(Debug)]
pub(super) struct Expectation {
    /// In the product's terms.
    pub(super) that: String,
    pub(super) condition: Condition,
    /// What the product does otherwise, if it is not what the step says.
    pub(super) otherwise: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPersona {
    product: String,
    version: String,
    sources: Vec<String>,
    #[serde(default)]
    left_out: Vec<String>,
    #[serde(default)]
    habits: Habits,
    #[serde(default)]
    header: String,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    step: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawStep {
    does: String,
    send: String,
    when: Option<String>,
    times: Option<u32>,
    #[serde(default)]
    capture: BTreeMap<String, String>,
    #[serde(default)]
    expect: Vec<RawExpectation>,
    otherwise: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawExpectation {
    Condition(String),
    Sentence { that: String, test: String, otherwise: Option<String> },
}

/// All personas of this program, by name.
pub(super) fn built_in() -> Result<Vec<Persona>, String> {
    FILES.iter().map(|(name, text)| Persona::parse(name, text)).collect()
}

impl Persona {
    /// Reads a file.
    pub(super) fn read(path: &FilePath) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
        if text.len() > FILE_LEN_MAX {
            return Err(format!("{} exceeds {FILE_LEN_MAX} bytes", path.display()));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text)
    }

    /// Reads the text of a file.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("persona {name}: {why}");
        let raw: RawPersona = toml::from_str(text).map_err(|why| wrong(why.to_string()))?;
        let version = parse_version(&raw.version).map_err(wrong)?;
        let header = elements(&raw.header).map_err(wrong)?;
        let values = raw.values.into_iter().map(|(name, how)| Ok((name, Generator::parse(&how)?)));
        let values: Vec<_> = values.collect::<Result<_, String>>().map_err(wrong)?;
        let steps = raw.step.into_iter().enumerate().map(|(at, step)| {
            Step::from_raw(step)
                .map_err(|why| wrong(format!("step {}: {why}", at.saturating_add(1))))
        });
        let persona = Self {
            name: name.to_owned(),
            product: raw.product,
            version,
            sources: raw.sources,
            left_out: raw.left_out,
            habits: raw.habits,
            header,
            values,
            steps: steps.collect::<Result<_, _>>()?,
        };
        persona.check().map_err(wrong)?;
        Ok(persona)
    }

    /// Checks that each message can be written, and that each value it needs is set before.
    fn check(&self) -> Result<(), String> {
        if self.sources.is_empty() {
            return Err("must have sources".to_owned());
        }
        if self.steps.is_empty() {
            return Err("must have steps".to_owned());
        }
        let mut known = Values::generate(&self.values);
        for (number, step) in (1..).zip(&self.steps) {
            let wrong = |why: String| format!("step {number}: {why}");
            if let Some((value, _)) = &step.when {
                known.resolve(value).map_err(|name| wrong(format!("{name} has no value here")))?;
            }
            for element in self.header.iter().chain(&step.items) {
                let sample = known
                    .resolve_element(element)
                    .map_err(|name| wrong(format!("{name} has no value here")))?;
                sample.to_ttlv().map_err(|why| wrong(why.to_string()))?;
            }
            for (name, ..) in &step.captures {
                known.set(name, "00");
            }
            for expectation in &step.expectations {
                for name in expectation.condition.value_names() {
                    if !is_built_in(name) && known.resolve(&format!("${name}")).is_err() {
                        return Err(wrong(format!("${name} has no value here")));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Step {
    fn from_raw(raw: RawStep) -> Result<Self, String> {
        let items = elements(&raw.send)?;
        if items.is_empty() || items.iter().any(|item| item.name != "BatchItem") {
            return Err("send must be Batch Items".to_owned());
        }
        let when = raw.when.map(|when| match when.split_once(" = ") {
            Some((value, wanted)) => Ok((value.to_owned(), wanted.to_owned())),
            None => Err(format!("when {when:?} must be as \"$state = Active\"")),
        });
        let when = when.transpose()?;
        let captures = raw.capture.into_iter().map(|(name, path)| capture(name, &path));
        let expectations = raw.expect.into_iter().map(|raw| {
            let (that, test, otherwise) = match raw {
                RawExpectation::Condition(test) => (test.clone(), test, None),
                RawExpectation::Sentence { that, test, otherwise } => (that, test, otherwise),
            };
            Ok(Expectation { that, condition: Condition::parse(&test)?, otherwise })
        });
        Ok(Self {
            does: raw.does,
            items,
            when,
            times: raw.times.unwrap_or(1).max(1),
            captures: captures.collect::<Result<_, String>>()?,
            expectations: expectations.collect::<Result<_, String>>()?,
            otherwise: raw.otherwise,
        })
    }
}

/// Reads `PATH` or `item 2 PATH` of a value that an answer has.
fn capture(name: String, text: &str) -> Result<(String, usize, Path), String> {
    if names(&format!("${name}")).next() != Some(name.as_str()) || is_built_in(&name) {
        return Err(format!("{name:?} must be a name of small letters, digits and _"));
    }
    let (number, rest) = match text.strip_prefix("item ").and_then(|rest| rest.split_once(' ')) {
        Some((number, rest)) => {
            let number = number.parse().ok().filter(|number| *number > 0);
            (number.ok_or_else(|| format!("{text:?}: items are numbered from 1"))?, rest)
        }
        None => (1, text),
    };
    match Path::parse(rest)? {
        (path, "") => Ok((name, number, path)),
        (_, more) => Err(format!("{text:?} has {more:?} after its path")),
    }
}

/// Elements in a row, as XML.
fn elements(text: &str) -> Result<Vec<Element>, String> {
    let root = xml::read(&format!("<RequestMessage>{text}</RequestMessage>"));
    Ok(root.map_err(|why| why.to_string())?.children().to_vec())
}

fn parse_version(text: &str) -> Result<Version, String> {
    let numbers = text.split_once('.').and_then(|(major, minor)| {
        Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
    });
    numbers.ok_or_else(|| format!("version {text:?} must be as \"1.4\""))
}

/// Operations of the items of a step, each once.
pub(super) fn operations(step: &Step) -> Vec<String> {
    let message = Element::structure("RequestMessage", step.items.clone());
    let mut all: Vec<String> = Vec::new();
    for item in items(&message) {
        let name = super::message::item_text(item, "Operation");
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{FILES, Persona, built_in};
    use std::path::Path;

    #[test]
    fn every_file_is_a_persona() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort_unstable();
        assert_eq!(names, FILES.map(|(name, _)| name));
        for persona in built_in().unwrap() {
            let file = folder.join(format!("{}.toml", persona.name));
            let steps = Persona::read(&file).unwrap().steps.len();
            assert_eq!(steps, persona.steps.len(), "{}", persona.name);
        }
    }

    #[test]
    fn wrong_file_is_refused_with_the_step() {
        let (_, text) = FILES.iter().find(|(name, _)| *name == "truenas").unwrap();
        let rows = [
            ("version = \"1.2\"", "version = \"one\"", "version \"one\""),
            ("\"32 bytes\"", "\"some bytes\"", "\"some bytes\""),
            ("value=\"$uid\"", "value=\"$id\"", "step 2: $id has no value here"),
            ("= $password", "= $other", "step 3: $other has no value here"),
            ("value=\"Activate\"", "value=\"Activation\"", "step 2: "),
            ("<BatchItem>", "<Item>", "step 1: "),
            ("otherwise =", "other =", "unknown field `other`"),
            ("SecretData/SecretDataType =", "SecretData/SecretDataType is", "step 3: condition"),
            ("uid = \"Unique", "uid = \"item 0 Unique", "step 1: "),
        ];
        for (from, to, why) in rows {
            assert!(text.contains(from), "{from}");
            let wrong = Persona::parse("truenas", &text.replacen(from, to, 1)).unwrap_err();
            assert!(wrong.contains(why), "{to}: {wrong}");
        }
    }
}
