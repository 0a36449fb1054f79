//! Rows of the vocabulary: a number, its names, and the versions that have it.

use core::fmt;

use crate::version::Version;

/// One value of the vocabulary: a number, its names, and the versions that have it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number on the wire.
    pub value: u32,
    /// The name, as the text encodings spell it.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it.
    pub until: Version,
    /// Its other names.
    pub aliases: &'static [Alias],
}

/// Another name of a value.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// The first and the last version that spell it so; none for a misprint of the standard,
    /// which is read and never written.
    pub versions: Option<(Version, Version)>,
}

impl Row {
    /// Whether `version` has it.
    pub fn exists_in(&self, version: Version) -> bool {
        (self.since..=self.until).contains(&version)
    }

    /// Whether `name` is its name or one of its aliases.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias.name == name)
    }

    /// Its name in `version`.
    pub fn name_in(&self, version: Version) -> &'static str {
        let old = self
            .aliases
            .iter()
            .find(|alias| alias.versions.is_some_and(|(from, to)| (from..=to).contains(&version)));
        old.map_or(self.name, |alias| alias.name)
    }
}

/// Row of a number, by binary search: rows are in the order of their numbers.
pub fn row_by_value(rows: &'static [Row], value: u32) -> Option<&'static Row> {
    rows.binary_search_by_key(&value, |row| row.value).ok().and_then(|index| rows.get(index))
}

/// Row of a name, which may be an alias.
pub fn row_by_name(rows: &'static [Row], name: &str) -> Option<&'static Row> {
    rows.iter().find(|row| row.is_named(name))
}

/// Spellings of other standards, which names of the text encodings cannot have.
const SPELLINGS: &[(&str, &str)] = &[("X_509", "X.509"), ("PKCS_", "PKCS#")];

/// Writes a name for people.
pub(crate) fn write_name(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match SPELLINGS.iter().find_map(|(key, word)| Some((word, name.strip_prefix(key)?))) {
        Some((word, rest)) => write!(f, "{word}{rest}"),
        None => f.write_str(name),
    }
}

#[cfg(test)]
mod tests {
    use crate::vocabulary::{CertificateType, KeyFormatType, Operation};

    #[test]
    fn name_for_people_has_the_spelling_of_its_standard() {
        assert_eq!(KeyFormatType::PKCS_12.to_string(), "PKCS#12");
        assert_eq!(Operation::PKCS_11.to_string(), "PKCS#11");
        assert_eq!(CertificateType::X_509.to_string(), "X.509");
        assert_eq!(Operation::Create.to_string(), "Create");
        assert_eq!(Operation(0x99).to_string(), "0x00000099");
    }
}
