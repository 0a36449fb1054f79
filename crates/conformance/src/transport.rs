//! Transport of messages: TTLV over TLS, and HTTPS.
//!
//! HTTPS is `POST /kmip` with Content-Type, Content-Length and Cache-Control, and any answer to it
//! is 200 (2.1 profiles, 5.3).

use std::io::{self, Read, Write};
use std::path::Path;

use kmip::encoding::{Element, json, xml};
use kmip::vocabulary::tags;
use ttlv::{HEADER_LEN, Header, Type};
use zeroize::Zeroizing;

use crate::prerequisites::Encoding;
use crate::tls::{Stream, Tls};

/// The longest answer that is read. The cases have some hundred bytes, a Query some thousand.
const ANSWER_LEN_MAX: usize = 4 << 20;

/// The longest head of an HTTP answer.
const HEAD_LEN_MAX: usize = 16 << 10;

/// Addresses and TLS configuration of a server.
#[derive(Clone)]
pub struct Server {
    tls: Tls,
    /// `HOST:PORT` of TTLV over TLS.
    binary: String,
    /// `HOST:PORT` of HTTPS, if it serves it.
    https: Option<String>,
}

/// Failure of a connection or an exchange.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// The connection failed.
    #[error("{server}: {why}")]
    Connection {
        /// The server.
        server: String,
        /// Why.
        why: io::Error,
    },
    /// What came is no answer.
    #[error("{server}: what it sends is no answer: {why}")]
    Answer {
        /// The server.
        server: String,
        /// Why not.
        why: String,
    },
    /// No HTTPS address was given.
    #[error("the case is sent over HTTPS: say where the server has it with --https HOST:PORT")]
    NoHttps,
}

/// An open connection.
pub(crate) struct Connection {
    server: String,
    stream: Stream,
    encoding: Option<Encoding>,
}

impl Server {
    /// Reads the certificates and notes the addresses.
    pub fn new(
        binary: &str,
        https: Option<&str>,
        (ca, cert, key): (&Path, &Path, &Path),
    ) -> Result<Self, String> {
        let tls = Tls::read(ca, cert, key)?;
        Ok(Self { tls, binary: binary.to_owned(), https: https.map(str::to_owned) })
    }

    /// Opens a connection: TTLV over TLS, or HTTPS in an encoding.
    pub(crate) fn open(&self, encoding: Option<Encoding>) -> Result<Connection, TransportError> {
        let server = match encoding {
            None => &self.binary,
            Some(_) => self.https.as_ref().ok_or(TransportError::NoHttps)?,
        };
        let stream = self.tls.connect(server);
        let stream = stream.map_err(|why| TransportError::Connection {
            server: server.clone(),
            why: describe(why),
        })?;
        Ok(Connection { server: server.clone(), stream, encoding })
    }
}

impl Connection {
    /// Is the connection of TLS 1.3?
    pub(crate) fn is_tls13(&self) -> bool {
        self.stream.is_tls13()
    }

    /// The connection itself, for what is no message.
    pub(crate) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Sends a message and reads its answer, which is in the same encoding.
    pub(crate) fn exchange(&mut self, request: &Element) -> Result<Element, TransportError> {
        let answer = |why: kmip::encoding::Error| self.invalid_answer(why.to_string());
        match self.encoding {
            None => {
                let bytes = request.to_ttlv().map_err(answer)?;
                let read = self.exchange_frame(&bytes);
                let came = read.map_err(|why| self.failed(why))?;
                Element::from_ttlv(&came).map_err(|why| self.invalid_answer(why.to_string()))
            }
            Some(encoding) => {
                let (media_type, body) = match encoding {
                    Encoding::Binary => {
                        ("application/octet-stream", request.to_ttlv().map_err(answer)?)
                    }
                    Encoding::Xml => ("text/xml", text_bytes(xml::write(request).map_err(answer)?)),
                    Encoding::Json => {
                        ("application/json", text_bytes(json::write(request).map_err(answer)?))
                    }
                };
                let read = self.post(media_type, &body);
                let (answered, body) = read.map_err(|why| self.failed(why))?;
                if !answered.trim().eq_ignore_ascii_case(media_type) {
                    let why = format!("its Content-Type is {answered} and must be {media_type}");
                    return Err(self.invalid_answer(why));
                }
                let text = || String::from_utf8_lossy(&body);
                let element = match encoding {
                    Encoding::Binary => Element::from_ttlv(&body),
                    // Through TTLV, so that one thing has one spelling.
                    Encoding::Xml => {
                        xml::decode(&text()).and_then(|ttlv| Element::from_ttlv(&ttlv))
                    }
                    Encoding::Json => {
                        json::decode(&text()).and_then(|ttlv| Element::from_ttlv(&ttlv))
                    }
                };
                element.map_err(|why| self.invalid_answer(why.to_string()))
            }
        }
    }

    fn failed(&self, why: io::Error) -> TransportError {
        match why.kind() == io::ErrorKind::InvalidData {
            true => self.invalid_answer(why.to_string()),
            false => TransportError::Connection { server: self.server.clone(), why: describe(why) },
        }
    }

    fn invalid_answer(&self, why: String) -> TransportError {
        TransportError::Answer { server: self.server.clone(), why }
    }

    /// Sends bytes and reads the frame that answers them.
    pub(crate) fn exchange_frame(&mut self, request: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        self.read_frame()
    }

    /// Reads a frame.
    pub(crate) fn read_frame(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut start = [0; HEADER_LEN];
        self.stream.read_exact(&mut start)?;
        let header = Header::parse(start);
        if header.tag != tags::ResponseMessage || header.ty != Type::Structure.number() {
            return Err(invalid("it does not begin with a Response Message"));
        }
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        if len > ANSWER_LEN_MAX {
            return Err(invalid(&format!("it is said to be {len} bytes long")));
        }
        let mut frame = Zeroizing::new(vec![0; HEADER_LEN.saturating_add(len)]);
        let (head, body) = frame.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&start);
        self.stream.read_exact(body)?;
        Ok(frame)
    }

    /// Posts a body and reads the answer: its Content-Type and its body.
    fn post(&mut self, media_type: &str, body: &[u8]) -> io::Result<(String, Zeroizing<Vec<u8>>)> {
        let head = format!(
            "POST /kmip HTTP/1.1\r\nHost: {}\r\nContent-Type: {media_type}\r\n\
             Content-Length: {}\r\nCache-Control: no-cache\r\n\r\n",
            self.server,
            body.len()
        );
        let request = Zeroizing::new([head.as_bytes(), body].concat());
        self.stream.write_all(&request)?;
        self.stream.flush()?;

        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == HEAD_LEN_MAX {
                return Err(invalid("its head has no end"));
            }
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status != "200" {
            return Err(invalid(&format!("its HTTP status is {status} and must be 200")));
        }
        let field = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        let len = field("Content-Length").and_then(|len| len.parse::<usize>().ok());
        let len = len.ok_or_else(|| invalid("it has no Content-Length"))?;
        if len > ANSWER_LEN_MAX {
            return Err(invalid(&format!("it is said to be {len} bytes long")));
        }
        let mut body = Zeroizing::new(vec![0; len]);
        self.stream.read_exact(&mut body)?;
        let media_type = field("Content-Type").unwrap_or_default();
        // A parameter such as the character set may follow.
        let media_type = media_type.split(';').next().unwrap_or_default().to_owned();
        Ok((media_type, body))
    }
}

fn text_bytes(text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

/// Replaces the system's error by a sentence where there is one.
fn describe(why: io::Error) -> io::Error {
    if why.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::other("it closed the connection");
    }
    if is_timeout(&why) {
        let limit = crate::tls::SILENT_FOR.as_secs();
        return io::Error::other(format!("it did not answer within {limit} s"));
    }
    why
}

/// Whether an error is a timeout.
pub(crate) fn is_timeout(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
