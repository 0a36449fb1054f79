//! Host names of key servers: what `kmipKeyServerHostnames` may hold.

use crate::state::error::ElementError;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Host names of one key server: a cluster of key servers has a few.
const HOSTNAMES_MAX: usize = 16;

/// Longest host name (RFC 1035, 2.3.4).
const HOSTNAME_LEN_MAX: usize = 253;

/// Longest label of a host name (RFC 1035, 2.3.4).
const LABEL_LEN_MAX: usize = 63;

/// Characters of a wrong name that are repeated in the error.
const SHOWN_LEN_MAX: usize = 64;

/// Refuses a list that does not hold 1 to 16 different hosts, each an IPv4 address, an IPv6 address
/// or a DNS name.
///
/// # Errors
/// The message names the first wrong host and says what is allowed.
pub(crate) fn check_hostnames(names: &[String]) -> Result<(), ElementError> {
    let invalid = |reason: &str| ElementError::invalid("kmipKeyServerHostnames", reason);
    if names.is_empty() || names.len() > HOSTNAMES_MAX {
        return Err(invalid(&format!("it must hold 1 to {HOSTNAMES_MAX} hosts")));
    }
    let mut known = BTreeSet::new();
    for name in names {
        let shown = || name.chars().take(SHOWN_LEN_MAX).collect::<String>();
        if !is_host(name) {
            let reason = format!(
                "{:?} must be an IPv4 address, an IPv6 address or a DNS name, without scheme, \
                 port or spaces; the port is kmipKeyServerPort",
                shown()
            );
            return Err(invalid(&reason));
        }
        if !known.insert(name.to_ascii_lowercase()) {
            return Err(invalid(&format!("{:?} is given twice", shown())));
        }
    }
    Ok(())
}

/// An IPv6 address may be in brackets, as in a URL.
fn is_host(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.unwrap_or(text).parse::<Ipv6Addr>().is_ok()
        || text.parse::<Ipv4Addr>().is_ok()
        || is_dns_name(text)
}

/// Labels of letters, digits and hyphens (RFC 1123, 2.1); underscores occur in the names that
/// container networks give. A name whose last label is a number is a wrong address (RFC 3696, 2).
fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let fits = (1..=LABEL_LEN_MAX).contains(&label.len());
        let allowed = label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        fits && allowed && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|c| c.is_ascii_digit());
    text.len() <= HOSTNAME_LEN_MAX
        && text.split('.').all(is_label)
        && !text.rsplit('.').next().is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::check_hostnames;

    fn reason(names: &[&str]) -> Option<String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        check_hostnames(&names).err().map(|error| error.message)
    }

    #[test]
    fn addresses_and_dns_names_are_hosts() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        let hosts = [
            "127.0.0.1",
            "::1",
            "[::1]",
            "2001:db8::192.0.2.1",
            "kms",
            "kms-2.example",
            "KMS.Example",
            "lab_kms_1",
            "3com.example",
            "1e3",
            "xn--bcher-kva.example",
            longest.as_str(),
        ];
        for host in hosts {
            assert_eq!(reason(&[host]), None, "{host}");
        }
        assert_eq!(reason(&hosts), None);
    }

    #[test]
    fn a_host_that_cannot_be_reached_as_it_is_written_is_refused() {
        let label = "a".repeat(64);
        let longer = format!("{0}.{0}.{0}.{0}", "a".repeat(63));
        let wrong = [
            "",
            " ",
            "kms ",
            " kms",
            "k ms",
            "kms\n",
            "127.0.0.1:25696",
            "kms:5696",
            "[::1]:5696",
            "https://kms",
            "kmip://kms:5696",
            "kms/",
            "user@kms",
            "[::1",
            "::1]",
            "[kms]",
            "[]",
            "[127.0.0.1]",
            "[[::1]]",
            "1:2",
            ":",
            "::1%eth0",
            "::1/64",
            ".",
            "..",
            "kms..example",
            ".kms",
            "kms.",
            "-kms",
            "kms-",
            "kms.-a",
            "256.1.1.1",
            "1.2.3",
            "10.0.0.1.2",
            "5696",
            "k\u{fc}chen",
            "kms;ls",
            "*.example",
            label.as_str(),
            longer.as_str(),
        ];
        for host in wrong {
            let reason = reason(&["kms", host]).unwrap_or_else(|| panic!("{host:?} is accepted"));
            assert!(
                reason.contains("must be an IPv4 address, an IPv6 address or a DNS"),
                "{reason}"
            );
            assert!(reason.len() < 256 && !reason.contains(char::is_control), "{reason}");
        }
    }

    #[test]
    fn the_number_of_hosts_is_bounded_and_each_is_given_once() {
        assert!(reason(&[]).unwrap().contains("1 to 16"));
        let many: Vec<_> = (0..17).map(|n| format!("kms-{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(reason(&many).unwrap().contains("1 to 16"));
        assert_eq!(reason(&many[..16]), None);
        assert!(reason(&["kms", "KMS"]).unwrap().ends_with("\"KMS\" is given twice"));
    }
}
