//! Subjects of certificates, by which rules and identities name clients.

/// Returns whether a setting names a subject: the whole name, or its Common Name.
pub(crate) fn names(setting: &str, subject: &str) -> bool {
    let common_name = subject.split(',').find_map(|part| part.trim().strip_prefix("CN="));
    setting == subject || common_name == Some(setting.strip_prefix("CN=").unwrap_or(setting))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn subject_is_named_as_a_whole_or_by_its_cn() {
        for (setting, subject, expected) in [
            ("alice", "O=Example, CN=alice", true),
            ("CN=alice", "O=Example, CN=alice", true),
            ("O=Example, CN=alice", "O=Example, CN=alice", true),
            ("O=Example", "O=Example, CN=alice", false),
            ("alice", "O=alice, CN=bob", false),
            ("alice", "CN=alice2", false),
            ("", "CN=", true),
        ] {
            assert_eq!(names(setting, subject), expected, "{setting} {subject}");
        }
    }
}
