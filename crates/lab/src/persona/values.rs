//! Values of a run: what a persona generates, and what it captures from answers.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use kmip::encoding::{Element, Value};
use rand::Rng;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The time now, in the hexadecimal form that any date of a message may have.
const NOW: &str = "now";

/// Length of the shortest value that is replaced by its name in a report: a short text may stand
/// there by itself.
const SHOWN_LEN_MIN: usize = 8;

/// How a value is generated at the beginning of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Generator {
    /// A random UUID.
    Uuid,
    /// So many random bytes, in hex.
    Bytes(usize),
}

impl Generator {
    /// Reads `uuid` or `32 bytes`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let bytes = text.strip_suffix(" bytes").and_then(|number| number.parse().ok());
        match (text, bytes) {
            ("uuid", _) => Ok(Self::Uuid),
            (_, Some(number @ 1..=4096)) => Ok(Self::Bytes(number)),
            _ => Err(format!("value {text:?} must be \"uuid\" or \"N bytes\", at most 4096")),
        }
    }

    fn generate(&self) -> Zeroizing<String> {
        match self {
            Self::Uuid => Zeroizing::new(Uuid::new_v4().to_string()),
            Self::Bytes(len) => {
                let mut bytes = Zeroizing::new(vec![0_u8; *len]);
                rand::rng().fill_bytes(&mut bytes);
                Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            }
        }
    }
}

/// Values by their names.
#[derive(Default)]
pub(super) struct Values(BTreeMap<String, Zeroizing<String>>);

impl Values {
    /// Generates the values of a run.
    pub(super) fn generate(generators: &[(String, Generator)]) -> Self {
        let generated = generators.iter().map(|(name, how)| (name.clone(), how.generate()));
        Self(generated.collect())
    }

    /// Sets a value that an answer has.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
    }

    /// Replaces each `$name` of a text, or returns the first name without a value.
    pub(super) fn resolve(&self, text: &str) -> Result<Zeroizing<String>, String> {
        let mut out = Zeroizing::new(String::with_capacity(text.len()));
        let mut parts = text.split('$');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            match self.0.get(name) {
                Some(value) => out.push_str(value),
                None if name == NOW => out.push_str(&format!("0x{:016x}", now())),
                None => return Err(format!("${name}")),
            }
            out.push_str(rest);
        }
        Ok(out)
    }

    /// Replaces each `$name` in the values of an element, or returns the first without a value.
    pub(super) fn resolve_element(&self, element: &Element) -> Result<Element, String> {
        let value = match &element.value {
            Value::Structure(children) => {
                let children = children.iter().map(|child| self.resolve_element(child));
                Value::Structure(children.collect::<Result<_, _>>()?)
            }
            Value::Text(ty, text) => Value::Text(*ty, self.resolve(text)?),
        };
        Ok(Element { name: element.name.clone(), value })
    }

    /// Replaces each value in a text by its name: a report is the same for every run, and has no
    /// value that may be a secret.
    pub(super) fn redact(&self, text: &str) -> String {
        if let Some((name, _)) = self.0.iter().find(|(_, v)| format!("{:?}", v.as_str()) == text) {
            return format!("${name}");
        }
        let mut rows: Vec<_> = self.0.iter().filter(|(_, v)| v.len() >= SHOWN_LEN_MIN).collect();
        // A value that contains another one comes first.
        rows.sort_by_key(|(_, value)| core::cmp::Reverse(value.len()));
        rows.into_iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(value.as_str(), &format!("${name}"))
        })
    }
}

/// Names of a text that begin with `$`.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|part| {
        let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
        part.split_at(end).0
    })
}

/// Whether a value of this name is there in every run.
pub(super) fn is_built_in(name: &str) -> bool {
    name == NOW
}

fn is_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{Generator, Values, names};

    #[test]
    fn names_are_replaced_by_values_and_back() {
        let mut values = Values::generate(&[("volume".to_owned(), Generator::Uuid)]);
        values.set("uid", "0123456789");
        assert_eq!(values.resolve("a-$uid/b").unwrap().as_str(), "a-0123456789/b");
        assert_eq!(values.resolve("$missing"), Err("$missing".to_owned()));
        assert_eq!(values.resolve("$volume").unwrap().len(), 36);
        assert_eq!(values.redact("object 0123456789 not found"), "object $uid not found");
        values.set("short", "3");
        assert_eq!(
            (values.redact("\"3\""), values.redact("3 there")),
            ("$short".to_owned(), "3 there".to_owned())
        );
        assert_eq!(names("$a, $b_2-$c").collect::<Vec<_>>(), ["a", "b_2", "c"]);
    }

    #[test]
    fn generated_bytes_are_random() {
        let generate = || Generator::Bytes(32).generate();
        assert_eq!(generate().len(), 64);
        assert_ne!(generate(), generate());
        for wrong in ["", "bytes", "0 bytes", "5000 bytes", "a text"] {
            assert!(Generator::parse(wrong).is_err(), "{wrong}");
        }
    }
}
