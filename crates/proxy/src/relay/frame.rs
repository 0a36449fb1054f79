//! Frames out of a stream: whole messages, and what is none as it comes.

use std::io;

use kmip::tags;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use ttlv::{HEADER_LEN, Header, Type};
use zeroize::Zeroizing;

/// Bytes that are read at once where no message begins.
const CHUNK: usize = 16 << 10;

/// What has come.
pub(super) enum Frame {
    /// A whole message by its first tag and its length.
    Message(Zeroizing<Vec<u8>>),
    /// Bytes that do not begin with a message, or the beginning of one after which the stream
    /// ended.
    Other(Zeroizing<Vec<u8>>),
    /// A message that is longer than the limit.
    TooLong(usize),
    /// The end of the stream.
    End,
}

/// Reader of frames. It can be interrupted while it waits, and loses nothing.
pub(super) struct FrameReader<R> {
    from: R,
    max: usize,
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    /// Whether what came was no message. Where the next one begins is not known then.
    is_lost: bool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads messages of at most `max` bytes.
    pub(super) fn new(from: R, max: usize) -> Self {
        Self { from, max, buffer: Zeroizing::default(), filled: 0, is_lost: false }
    }

    /// Waits for the next frame.
    pub(super) async fn next(&mut self) -> io::Result<Frame> {
        loop {
            let wanted = match self.wanted() {
                Ok(wanted) => wanted,
                Err(len) => return Ok(Frame::TooLong(len)),
            };
            if self.filled >= wanted && wanted > 0 {
                return Ok(Frame::Message(self.take()));
            }
            if self.is_lost && self.filled > 0 {
                return Ok(Frame::Other(self.take()));
            }
            let len = match wanted {
                0 if self.is_lost => CHUNK,
                0 => HEADER_LEN,
                wanted => wanted,
            };
            if self.buffer.len() != len {
                self.resize(len);
            }
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let read = self.from.read(room).await?;
            if read == 0 {
                return Ok(match self.filled {
                    0 => Frame::End,
                    _ => Frame::Other(self.take()),
                });
            }
            self.filled = self.filled.saturating_add(read);
        }
    }

    /// Length of the message that has begun; 0 if its header is not there yet, or if it is none.
    fn wanted(&mut self) -> Result<usize, usize> {
        let seen = self.buffer.get(..self.filled).unwrap_or_default();
        if self.is_lost {
            return Ok(0);
        }
        let Some(start) = seen.first_chunk::<HEADER_LEN>() else { return Ok(0) };
        let header = Header::parse(*start);
        let is_message = matches!(header.tag, tags::RequestMessage | tags::ResponseMessage);
        if !is_message || header.ty != Type::Structure.number() {
            self.is_lost = true;
            return Ok(0);
        }
        let len = usize::try_from(header.len).unwrap_or(usize::MAX).saturating_add(HEADER_LEN);
        if len > self.max { Err(len) } else { Ok(len) }
    }

    /// A vector that grows leaves behind what it held: a new one is made.
    fn resize(&mut self, len: usize) {
        let mut buffer = Zeroizing::new(vec![0; len]);
        let kept = self.filled.min(len);
        if let (Some(to), Some(from)) = (buffer.get_mut(..kept), self.buffer.get(..kept)) {
            to.copy_from_slice(from);
        }
        self.buffer = buffer;
    }

    fn take(&mut self) -> Zeroizing<Vec<u8>> {
        let mut taken = std::mem::take(&mut self.buffer);
        taken.truncate(std::mem::take(&mut self.filled));
        taken
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use ttlv::Writer;

    use super::{Frame, FrameReader};

    fn message(len: usize) -> Vec<u8> {
        let mut w = Writer::default();
        w.structure(kmip::tags::RequestMessage, |w| {
            w.byte_string(kmip::tags::Data, &vec![7; len]);
        });
        w.into_bytes()
    }

    /// What is read of these bytes, that come in pieces of every size.
    async fn read(bytes: &[u8], piece: usize) -> Vec<(char, Vec<u8>)> {
        let (mut near, far) = tokio::io::duplex(64);
        let bytes = bytes.to_vec();
        let sent = async move {
            for piece in bytes.chunks(piece) {
                // The reader goes once a message is too long.
                if near.write_all(piece).await.is_err() {
                    return;
                }
            }
        };
        let received = async {
            let mut reader = FrameReader::new(far, 1000);
            let mut frames: Vec<(char, Vec<u8>)> = Vec::new();
            loop {
                match reader.next().await.unwrap() {
                    Frame::Message(bytes) => frames.push(('m', bytes.to_vec())),
                    Frame::Other(bytes) => match frames.last_mut() {
                        Some(('o', before)) => before.extend_from_slice(&bytes),
                        _ => frames.push(('o', bytes.to_vec())),
                    },
                    Frame::TooLong(_) => frames.push(('l', Vec::new())),
                    Frame::End => return frames,
                }
                if frames.last().is_some_and(|(kind, _)| *kind == 'l') {
                    return frames;
                }
            }
        };
        tokio::join!(sent, received).1
    }

    #[tokio::test]
    async fn messages_are_told_apart_however_they_come() {
        let (short, long) = (message(3), message(300));
        let both = [short.clone(), long.clone()].concat();
        for piece in 1..70 {
            let frames = read(&both, piece).await;
            assert_eq!(frames, [('m', short.clone()), ('m', long.clone())], "{piece}");
        }
    }

    #[tokio::test]
    async fn what_is_no_message_comes_as_it_is() {
        let foreign = b"GET / HTTP/1.1\r\n\r\n".to_vec();
        let after = [message(3), foreign.clone()].concat();
        for piece in 1..20 {
            assert_eq!(read(&foreign, piece).await, [('o', foreign.clone())]);
            assert_eq!(read(&after, piece).await, [('m', message(3)), ('o', foreign.clone())]);
            let cut = &message(30)[..20];
            assert_eq!(read(cut, piece).await, [('o', cut.to_vec())]);
            assert_eq!(read(b"\x42", piece).await, [('o', b"\x42".to_vec())]);
        }
        assert_eq!(read(&message(2000), 7).await, [('l', Vec::new())]);
    }
}
