//! The cases as OASIS publishes them: files of XML, a request and its response in turn.
//!
//! They carry OASIS's notice and are no part of this repository. Nothing of a case is changed
//! here but what is wrong in print: the names of two attributes, a version, and a cipher's output.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use kmip::Version;
use kmip::encoding::{Element, Value, xml};
use ttlv::Type;

/// Attributes that have lost their name in print: the case, and the name.
///
/// The same attribute of the key before has it, and other versions of the case have it here.
const MISPRINTED: &[(&str, &str)] =
    &[("CS-AC-M-3-12", "Cryptographic Parameters"), ("CS-AC-M-8-12", "Cryptographic Parameters")];

/// Answers that are printed in another version than their request: the case, the step, and the
/// minor number that it must be.
const MISVERSIONED: &[(&str, usize, &str)] = &[("OMOS-O-1-14", 1, "4")];

/// Outputs of ciphers that are those of another key: the case, what is printed, and what AES gives,
/// as the same key and data do in CS-BC-M-4 and, from 1.4 on, in this case.
const MISCALCULATED: &[(&str, &str, &str)] = &[
    ("CS-BC-M-6-12", "fd912d102dbb482f6f6e91bd57119095", "d9bcce11b0b437b90239552df3a360c9"),
    ("CS-BC-M-6-13", "fd912d102dbb482f6f6e91bd57119095", "d9bcce11b0b437b90239552df3a360c9"),
];

/// Text that only cases of 3.0 have, whose XML has types that no binary message has.
const VERSION_3_MARK: &str = "<ProtocolVersionMajor type=\"Integer\" value=\"3\"";

/// The longest file that is read: the largest case has 400 KiB.
const FILE_LEN_MAX: u64 = 8 << 20;

/// One case: what is asked, and what is to be answered.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, with the version behind it: `SASED-M-1-21`.
    pub(crate) name: String,
    /// The version that it speaks.
    pub(crate) version: Version,
    /// The profile that it belongs to: `SASED`.
    pub(crate) profile: String,
    /// Must a server pass it that claims the profile?
    pub(crate) mandatory: bool,
    /// Its messages.
    pub(crate) steps: Vec<Step>,
}

/// A request and its response, as printed.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What is asked.
    pub(crate) request: Element,
    /// What is to be answered.
    pub(crate) response: Element,
}

/// Why a folder or a file of cases cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// It cannot be read.
    #[error("{}: {why}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// No case is in it.
    #[error("{} holds no test case: OASIS's files of XML are wanted", .0.display())]
    None(PathBuf),
}

/// A folder of cases.
#[derive(Debug)]
pub struct Cases {
    /// Those that can be run.
    pub all: Vec<Case>,
    /// How many are of a version that this program does not speak.
    pub(crate) newer: usize,
}

/// Reads every case below a folder, in the order of versions and names, numbers by their size.
pub fn read_all(folder: &Path) -> Result<Cases, CaseError> {
    let (mut cases, mut newer) = (Vec::new(), 0_usize);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let wrong =
            |why: std::io::Error| CaseError::Read { path: folder.clone(), why: why.to_string() };
        for entry in fs::read_dir(&folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                match read(&path)? {
                    Some(case) => cases.push(case),
                    None => newer = newer.saturating_add(1),
                }
            }
        }
    }
    if cases.is_empty() {
        return Err(CaseError::None(folder.to_owned()));
    }
    cases.sort_by_cached_key(|case| (case.version, !case.mandatory, natural_order_key(&case.name)));
    Ok(Cases { all: cases, newer })
}

/// Reads the case in a file; none when it is of a version that this program does not speak.
pub(crate) fn read(path: &Path) -> Result<Option<Case>, CaseError> {
    let wrong = |why: String| CaseError::Read { path: path.to_owned(), why };
    let len = fs::metadata(path).map_err(|why| wrong(why.to_string()))?.len();
    if len > FILE_LEN_MAX {
        return Err(wrong(format!("{len} bytes are no test case")));
    }
    let text = fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
    if text.contains(VERSION_3_MARK) {
        return Ok(None);
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    parse(&name, folder != "optional", &text).map(Some).map_err(wrong)
}

/// Reads a case out of its XML.
pub(crate) fn parse(name: &str, mandatory: bool, text: &str) -> Result<Case, String> {
    let mut root = xml::read(text).map_err(|why| why.to_string())?;
    if let Some((_, lost)) = MISPRINTED.iter().find(|(case, _)| *case == name) {
        name_attributes(&mut root, lost);
    }
    for (_, printed, right) in MISCALCULATED.iter().filter(|(case, ..)| *case == name) {
        replace_value(&mut root, printed, right);
    }
    for (_, step, minor) in MISVERSIONED.iter().filter(|(case, ..)| *case == name) {
        let Value::Structure(messages) = &mut root.value else { continue };
        let at = step.saturating_mul(2).saturating_add(1);
        if let Some(response) = messages.get_mut(at) {
            set_value(response, "ProtocolVersionMinor", minor);
        }
    }
    let (pairs, rest) = root.children().as_chunks::<2>();
    let mut steps = Vec::new();
    for [request, response] in pairs {
        if request.name != "RequestMessage" || response.name != "ResponseMessage" {
            return Err("a request and its response are to follow each other".to_owned());
        }
        steps.push(Step { request: request.clone(), response: response.clone() });
    }
    if !rest.is_empty() {
        return Err("its last request has no response".to_owned());
    }
    let first = steps.first().ok_or("it has no messages")?;
    let version = version(&first.request).ok_or("its first request has no protocol version")?;
    let profile = name.split(['-']).take_while(|part| !matches!(*part, "M" | "O"));
    let profile = profile.collect::<Vec<_>>().join("-");
    Ok(Case { name: name.to_owned(), version, profile, mandatory, steps })
}

/// What is repaired in the print of cases before they are run: the case, and the repair.
pub(crate) fn repairs() -> Vec<(&'static str, String)> {
    let names =
        MISPRINTED.iter().map(|(case, name)| (*case, format!("an Attribute is named {name}")));
    let versions = MISVERSIONED.iter().map(|(case, step, minor)| {
        (*case, format!("the answer of step {step} has the minor version {minor}, as its request"))
    });
    let outputs = MISCALCULATED
        .iter()
        .map(|(case, printed, right)| (*case, format!("{printed}, of another key, is {right}")));
    names.chain(versions).chain(outputs).collect()
}

impl Case {
    /// The name without the version behind it: `SASED-M-1`.
    pub(crate) fn base(&self) -> &str {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match self.name.rsplit_once('-') {
            Some((base, version)) if version.len() == 2 && digits(version) => base,
            _ => &self.name,
        }
    }

    /// The operations that it asks for, each once.
    pub(crate) fn operations(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for item in self.steps.iter().flat_map(|step| items(&step.request)) {
            let operation = item.child("Operation").and_then(Element::text).unwrap_or_default();
            if !all.iter().any(|known| known == operation) {
                all.push(operation.to_owned());
            }
        }
        all
    }
}

/// The batch items of a message.
pub(crate) fn items(message: &Element) -> impl Iterator<Item = &Element> {
    message.children().iter().filter(|child| child.name == "BatchItem")
}

/// The version that a message speaks.
fn version(message: &Element) -> Option<Version> {
    let version = message.child("RequestHeader")?.child("ProtocolVersion")?;
    let number = |name| version.child(name)?.text()?.parse().ok();
    Some(Version { major: number("ProtocolVersionMajor")?, minor: number("ProtocolVersionMinor")? })
}

/// Gives a name to each attribute of 1.x that has none.
fn name_attributes(element: &mut Element, name: &str) {
    let is_attribute = element.name == "Attribute";
    let Value::Structure(children) = &mut element.value else { return };
    if is_attribute && children.iter().all(|child| child.name == "AttributeValue") {
        let named = Element::leaf(Cow::Borrowed("AttributeName"), Type::TextString, name);
        children.insert(0, named);
    }
    children.iter_mut().for_each(|child| name_attributes(child, name));
}

/// Sets the value of the elements of a name.
fn set_value(element: &mut Element, name: &str, value: &str) {
    match &mut element.value {
        Value::Structure(children) => {
            children.iter_mut().for_each(|child| set_value(child, name, value));
        }
        Value::Text(_, text) if element.name == name => value.clone_into(text),
        Value::Text(..) => {}
    }
}

/// Replaces a value wherever it is printed.
fn replace_value(element: &mut Element, printed: &str, right: &str) {
    match &mut element.value {
        Value::Structure(children) => {
            children.iter_mut().for_each(|child| replace_value(child, printed, right));
        }
        Value::Text(_, text) if text.as_str() == printed => right.clone_into(text),
        Value::Text(..) => {}
    }
}

/// Sort key of a name, split into words and numbers, so that `SKFF-M-2` stands before `SKFF-M-10`.
fn natural_order_key(name: &str) -> Vec<(u32, String)> {
    let part = |part: &str| match part.parse() {
        Ok(number) => (number, String::new()),
        Err(_) => (0, part.to_owned()),
    };
    name.split('-').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::{natural_order_key, parse};

    const REQUEST: &str = r#"<RequestMessage><RequestHeader><ProtocolVersion>
        <ProtocolVersionMajor type="Integer" value="1"/>
        <ProtocolVersionMinor type="Integer" value="2"/></ProtocolVersion></RequestHeader>
        <BatchItem><Operation type="Enumeration" value="Register"/><RequestPayload>
        <Attribute><AttributeValue type="TextString" value="a"/></Attribute>
        </RequestPayload></BatchItem></RequestMessage>"#;

    #[test]
    fn a_case_is_pairs_of_messages() {
        let whole = format!("<KMIP>{REQUEST}<ResponseMessage/></KMIP>");
        let case = parse("CS-BC-M-GCM-1-21", true, &whole).unwrap();
        assert_eq!((case.profile.as_str(), case.base()), ("CS-BC", "CS-BC-M-GCM-1"));
        assert_eq!(case.operations(), ["Register"]);
        for wrong in [
            "<KMIP/>".to_owned(),
            format!("<KMIP>{REQUEST}</KMIP>"),
            format!("<KMIP><ResponseMessage/>{REQUEST}</KMIP>"),
            "<KMIP><RequestMessage/><ResponseMessage/></KMIP>".to_owned(),
        ] {
            assert!(parse("A-M-1-21", true, &wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_lost_name_is_found_again() {
        let whole = format!("<KMIP>{REQUEST}<ResponseMessage/></KMIP>");
        for (name, lost) in [("CS-AC-M-3-12", false), ("CS-AC-M-3-13", true)] {
            let case = parse(name, true, &whole).unwrap();
            assert!(case.steps[0].request.to_ttlv().is_ok());
            let payload = &case.steps[0].request.children()[1].children()[1];
            assert_eq!(payload.children()[0].children().len() == 1, lost, "{name}");
        }
    }

    #[test]
    fn numbers_are_told_by_their_size() {
        let mut names = ["SKFF-M-10-12", "SKFF-M-2-12", "SASED-M-1-12"];
        names.sort_by_key(|name| natural_order_key(name));
        assert_eq!(names, ["SASED-M-1-12", "SKFF-M-2-12", "SKFF-M-10-12"]);
    }
}
