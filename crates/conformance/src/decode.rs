//! Decoder of messages in any form, to text, XML, JSON, hex or base64.
//!
//! Read are TTLV, one message or a stream of them; the same in hex, with blanks and bars, or in
//! base64; XML; JSON; and HTTP with any of these as its body, as a capture that was decrypted has
//! it. **Text hides secrets; the other forms are the message, keys and all.**

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kmip::encoding::{SecretTextBuffer, json, xml};
use ttlv::{HEADER_LEN, Header};
use zeroize::Zeroizing;

/// Output format of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Indented text, secrets hidden.
    Text,
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// Hex, a line a message.
    Hex,
    /// Base64, a line a message.
    Base64,
}

/// One message, or what there is of one.
pub(crate) type Message = Zeroizing<Vec<u8>>;

/// What may stand between the digits of hex.
const BETWEEN: &[u8] = b" \t\r\n|,:;-_";

/// Finds the messages in what was given.
pub(crate) fn read(input: &[u8]) -> Result<Vec<Message>, String> {
    let trimmed = input.trim_ascii();
    let text = || core::str::from_utf8(trimmed).map_err(|_| "this is no text in UTF-8".to_owned());
    match trimmed.first() {
        None => Err("nothing was given".to_owned()),
        Some(b'<') => single_message(xml::decode(text()?)),
        Some(b'{') => single_message(json::decode(text()?)),
        Some(_) if is_http(trimmed) => split_http(input.trim_ascii_start()),
        // A tag is 42 or 54, and then it is no hex: those are the letters B and T.
        Some(b'B' | b'T') if input.get(1..3).is_some_and(|rest| !rest.is_ascii()) => {
            Ok(split_frames(input))
        }
        Some(0x42 | 0x54) if input.get(1) == Some(&0) => Ok(split_frames(input)),
        Some(_) => match parse_hex(trimmed).or_else(|| parse_base64(trimmed)) {
            Some(bytes) => read_bytes(&bytes),
            None => Err("this is no TTLV, hex, base64, XML, JSON or HTTP".to_owned()),
        },
    }
}

/// What hex or base64 stood for: bytes, or text of some kind.
fn read_bytes(bytes: &[u8]) -> Result<Vec<Message>, String> {
    match bytes.first() {
        Some(b'<' | b'{') => read(bytes),
        Some(_) if is_http(bytes) => split_http(bytes),
        Some(_) => Ok(split_frames(bytes)),
        None => Err("nothing was given".to_owned()),
    }
}

fn single_message(message: Result<Message, kmip::encoding::Error>) -> Result<Vec<Message>, String> {
    message.map(|message| vec![message]).map_err(|why| why.to_string())
}

/// Splits a stream into its messages; an incomplete one at the end is kept as it is.
fn split_frames(mut rest: &[u8]) -> Vec<Message> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let len = rest.first_chunk::<HEADER_LEN>().map(|start| Header::parse(*start).len);
        let len = len.and_then(|len| usize::try_from(len).ok());
        let padded = len.and_then(|len| len.checked_next_multiple_of(8));
        let end = padded.map_or(rest.len(), |len| len.saturating_add(HEADER_LEN));
        let (frame, more) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        all.push(Zeroizing::new(frame.to_vec()));
        rest = more;
    }
    all
}

fn is_http(bytes: &[u8]) -> bool {
    bytes.starts_with(b"POST ") || bytes.starts_with(b"HTTP/1.")
}

/// The bodies of HTTP messages, one behind the other.
fn split_http(mut rest: &[u8]) -> Result<Vec<Message>, String> {
    let mut all = Vec::new();
    while is_http(rest) {
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.ok_or("the head of an HTTP message has no end")?;
        let (head, body) = rest.split_at_checked(end.saturating_add(4)).unwrap_or((rest, &[]));
        let head = String::from_utf8_lossy(head);
        let len = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        let (body, more) = len.and_then(|len| body.split_at_checked(len)).unwrap_or((body, &[]));
        match body.first() {
            Some(b'<' | b'{') => all.extend(read(body)?),
            Some(_) => all.extend(split_frames(body)),
            None => {}
        }
        rest = more.trim_ascii_start();
    }
    Ok(all)
}

fn parse_hex(text: &[u8]) -> Option<Message> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut high = None;
    for letter in text.iter().filter(|letter| !BETWEEN.contains(letter)) {
        let digit = u8::try_from(char::from(*letter).to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    (high.is_none() && !bytes.is_empty()).then_some(bytes)
}

fn parse_base64(text: &[u8]) -> Option<Message> {
    let text: Zeroizing<Vec<u8>> = Zeroizing::new(
        text.iter().copied().filter(|letter| !letter.is_ascii_whitespace()).collect(),
    );
    STANDARD.decode(&*text).ok().map(Zeroizing::new)
}

/// Writes messages in a format.
pub(crate) fn write(messages: &[Message], format: Format) -> Result<Zeroizing<String>, String> {
    let mut out = SecretTextBuffer::default();
    for message in messages {
        match format {
            Format::Text => out.push_str(&kmip::redacted_text(message).to_string()),
            Format::Xml => out.push_str(&xml::encode(message).map_err(|why| why.to_string())?),
            Format::Json => {
                out.push_str(&json::encode(message).map_err(|why| why.to_string())?);
                out.push_str("\n");
            }
            Format::Hex => {
                out.push_hex(message);
                out.push_str("\n");
            }
            Format::Base64 => {
                out.push_str(&Zeroizing::new(STANDARD.encode(message)));
                out.push_str("\n");
            }
        }
    }
    Ok(out.into_text())
}

#[cfg(test)]
mod tests {
    use super::{Format, read, write};

    /// An Integer of 8, as 1.4, 9.1.2 prints it.
    const HEX: &str = "42002002000000040000000800000000";

    #[test]
    fn every_form_leads_to_every_other() {
        let message = read(HEX.as_bytes()).unwrap();
        for format in [Format::Xml, Format::Json, Format::Hex, Format::Base64] {
            let written = write(&message, format).unwrap();
            assert_eq!(read(written.as_bytes()).unwrap(), message, "{format:?}");
        }
        assert_eq!(
            write(&message, Format::Text).unwrap().as_str(),
            "CompromiseDate (Integer): 8\n"
        );
    }

    #[test]
    fn hex_may_have_bars_and_bytes_need_no_form() {
        let message = read(HEX.as_bytes()).unwrap();
        let barred = "0x420020 | 02 | 0000 0004 |\n00000008 00000000";
        assert_eq!(read(barred.as_bytes()).unwrap(), message);
        assert_eq!(read(&message[0]).unwrap(), message);
    }

    #[test]
    fn a_stream_is_cut_into_its_messages() {
        let message = read(HEX.as_bytes()).unwrap();
        let stream = [&message[0][..], &message[0][..], &message[0][..5]].concat();
        let all = read(&stream).unwrap();
        assert_eq!(all.len(), 3);
        assert_eq!((&all[0], &all[1]), (&message[0], &message[0]));
        assert_eq!(all[2].as_slice(), &message[0][..5]);
        let head = "POST /kmip HTTP/1.1\r\ncontent-length: 16\r\n\r\n";
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n";
        let stream = [head.as_bytes(), &message[0], answer.as_bytes(), &message[0]].concat();
        assert_eq!(read(&stream).unwrap(), [message[0].clone(), message[0].clone()]);
    }

    #[test]
    fn what_is_no_message_is_said_so() {
        for wrong in ["", "  ", "no message", "123", "<KeyBlok/>", "{", "POST / HTTP/1.1"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
