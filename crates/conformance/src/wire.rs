//! Malformed and hostile messages: what a server does with them, and whether it still serves.
//!
//! The messages are the table `wire.txt`: hex with bars, what is wrong with it, what is right. A
//! server may answer in one of the ways of a row and in no other, and must not hang.

use std::io::{self, Write};
use std::time::Duration;

use kmip::Version;
use kmip::encoding::Element;

use crate::case::items;
use crate::cleanup::{request_message, success_payload};
use crate::decode;
use crate::transport::{Connection, Server, is_timeout};

/// The table.
const TABLE: &str = include_str!("wire.txt");

/// How long a server may take to answer or to close: a hostile message costs it nothing.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// One message of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub(crate) wrong: String,
    /// What is right to do.
    pub(crate) right: String,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// The permitted reactions.
    pub(crate) reactions: Vec<Reaction>,
}

/// Reaction of a server to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// The connection is closed without an answer.
    Closed,
    /// The first item fails with this Result Reason.
    Fails(String),
    /// So many items come, and the last succeeds.
    Succeeds(usize),
    /// So many items come, and the last fails with this Result Reason.
    Stops(usize, String),
    /// The server waits for more, and serves others meanwhile.
    Waits,
}

/// What a server has done with a row.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The row.
    pub row: Row,
    /// What is wrong with what the server did, if anything is.
    pub fault: Option<String>,
}

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>, String> {
    TABLE.split("\n\n").map(str::trim).filter(|block| block.contains("name:")).map(row).collect()
}

fn row(block: &str) -> Result<Row, String> {
    let field = |wanted: &str| {
        let mut lines = block.lines().skip_while(|line| !line.starts_with(wanted));
        let first = lines.next()?.strip_prefix(wanted)?;
        // A line that is indented goes on.
        let more = lines.take_while(|line| line.starts_with(' '));
        Some(core::iter::once(first).chain(more).map(str::trim).collect::<Vec<_>>().join(" "))
    };
    let whole = |name: &str| field(name).ok_or_else(|| format!("a row has no {name} in {block:?}"));
    let bytes = decode::read(whole("send:")?.as_bytes())?;
    let reactions = whole("want:")?;
    let reactions: Option<Vec<Reaction>> = reactions.split(" or ").map(parse_reaction).collect();
    Ok(Row {
        name: whole("name:")?,
        wrong: whole("wrong:")?,
        right: whole("right:")?,
        bytes: bytes.iter().flat_map(|message| message.iter().copied()).collect(),
        reactions: reactions.ok_or_else(|| format!("there is no such want in {block:?}"))?,
    })
}

fn parse_reaction(text: &str) -> Option<Reaction> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["closed"] => Some(Reaction::Closed),
        ["waits"] => Some(Reaction::Waits),
        ["fails", reason] => Some(Reaction::Fails((*reason).to_owned())),
        ["succeeds", count] => Some(Reaction::Succeeds(count.parse().ok()?)),
        ["stops", count, reason] => {
            Some(Reaction::Stops(count.parse().ok()?, (*reason).to_owned()))
        }
        _ => None,
    }
}

/// Sends every row, and checks after each that the server still serves.
pub fn run(server: &Server, on_outcome: &mut dyn FnMut(&Outcome)) -> Result<Vec<Outcome>, String> {
    let mut outcomes = Vec::new();
    check_serving(server).map_err(|why| format!("the server does not serve at all: {why}"))?;
    for row in rows()? {
        let fault = check_row(server, &row).err();
        let outcome = Outcome { row, fault };
        on_outcome(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn check_row(server: &Server, row: &Row) -> Result<(), String> {
    let mut connection = server.open(None).map_err(|why| why.to_string())?;
    let done = send(&mut connection, row).map_err(|why| why.to_string())?;
    check_serving(server).map_err(|why| format!("it does not serve any more: {why}"))?;
    match row.reactions.contains(&done) {
        true => Ok(()),
        false => Err(format!("it {}; {}", describe_reaction(&done), row.right)),
    }
}

fn send(connection: &mut Connection, row: &Row) -> io::Result<Reaction> {
    let expects_wait = row.reactions.contains(&Reaction::Waits);
    let limit = if expects_wait { Duration::from_millis(300) } else { ANSWER_WITHIN };
    connection.stream().silent_for(limit)?;
    let sent = connection.stream().write_all(&row.bytes).and_then(|()| connection.stream().flush());
    match sent.and_then(|()| connection.read_frame()) {
        Ok(frame) => {
            let answer = Element::from_ttlv(&frame)
                .map_err(|why| io::Error::other(format!("its answer is no message: {why}")))?;
            Ok(classify_answer(&answer))
        }
        Err(why) if is_timeout(&why) && expects_wait => Ok(Reaction::Waits),
        Err(why) if is_timeout(&why) => {
            let limit = ANSWER_WITHIN.as_secs();
            Err(io::Error::other(format!("it did nothing for {limit} s; {}", row.right)))
        }
        Err(why) if why.kind() == io::ErrorKind::InvalidData => Err(why),
        Err(_) => Ok(Reaction::Closed),
    }
}

fn classify_answer(answer: &Element) -> Reaction {
    let count = items(answer).count();
    let text = |item: &Element, name: &str| {
        item.child(name).and_then(Element::text).unwrap_or_default().to_owned()
    };
    match items(answer).last() {
        Some(last) if text(last, "ResultStatus") == "Success" => Reaction::Succeeds(count),
        Some(last) if count == 1 => Reaction::Fails(text(last, "ResultReason")),
        Some(last) => Reaction::Stops(count, text(last, "ResultReason")),
        None => Reaction::Succeeds(0),
    }
}

fn describe_reaction(done: &Reaction) -> String {
    match done {
        Reaction::Closed => "closed the connection".to_owned(),
        Reaction::Fails(reason) => format!("answered {reason}"),
        Reaction::Succeeds(count) => format!("answered {count} items, the last with success"),
        Reaction::Stops(count, reason) => format!("answered {count} items, the last with {reason}"),
        Reaction::Waits => "waits".to_owned(),
    }
}

/// Checks that the server answers a correct message.
fn check_serving(server: &Server) -> Result<(), String> {
    let mut connection = server.open(None).map_err(|why| why.to_string())?;
    let ask = request_message(Version::V1_1, "DiscoverVersions", Vec::new());
    let answer = connection.exchange(&ask).map_err(|why| why.to_string())?;
    match success_payload(&answer) {
        Some(_) => Ok(()),
        None => Err("it refuses Discover Versions".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn the_table_can_be_read() {
        let rows = rows().unwrap();
        assert!(rows.len() > 20, "{}", rows.len());
        let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows.len());
    }
}
