//! Malformed and hostile messages: what a server does with them, and whether it still serves.
//!
//! The messages are the table `wire.txt`: hex with bars, what is wrong with it, what is right. A
//! server may answer in one of the ways of a row and in no other, and must not hang.

use std::io::{self, Write};
use std::time::Duration;

use kmip::Version;
use kmip::encoding::Element;

use crate::case::items;
use crate::cleanup::{request, succeeded};
use crate::decode;
use crate::transport::{Door, Server, is_late};

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
    pub wrong: String,
    /// What is right to do.
    pub right: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The ways in which it may be answered.
    pub wants: Vec<Want>,
}

/// What may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
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
pub fn rows() -> Result<Vec<Row>, String> {
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
    let wants = whole("want:")?;
    let wants: Option<Vec<Want>> = wants.split(" or ").map(want).collect();
    Ok(Row {
        name: whole("name:")?,
        wrong: whole("wrong:")?,
        right: whole("right:")?,
        bytes: bytes.iter().flat_map(|message| message.iter().copied()).collect(),
        wants: wants.ok_or_else(|| format!("there is no such want in {block:?}"))?,
    })
}

fn want(text: &str) -> Option<Want> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["closed"] => Some(Want::Closed),
        ["waits"] => Some(Want::Waits),
        ["fails", reason] => Some(Want::Fails((*reason).to_owned())),
        ["succeeds", count] => Some(Want::Succeeds(count.parse().ok()?)),
        ["stops", count, reason] => Some(Want::Stops(count.parse().ok()?, (*reason).to_owned())),
        _ => None,
    }
}

/// Sends every row, and sees after each that the server still serves.
pub fn run(server: &Server, told: &mut dyn FnMut(&Outcome)) -> Result<Vec<Outcome>, String> {
    let mut outcomes = Vec::new();
    serves(server).map_err(|why| format!("the server does not serve at all: {why}"))?;
    for row in rows()? {
        let fault = one(server, &row).err();
        let outcome = Outcome { row, fault };
        told(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn one(server: &Server, row: &Row) -> Result<(), String> {
    let mut door = server.open(None).map_err(|why| why.to_string())?;
    let done = send(&mut door, row).map_err(|why| why.to_string())?;
    serves(server).map_err(|why| format!("it does not serve any more: {why}"))?;
    match row.wants.contains(&done) {
        true => Ok(()),
        false => Err(format!("it {}; {}", said(&done), row.right)),
    }
}

fn send(door: &mut Door, row: &Row) -> io::Result<Want> {
    let waits = row.wants.contains(&Want::Waits);
    let limit = if waits { Duration::from_millis(300) } else { ANSWER_WITHIN };
    door.stream().silent_for(limit)?;
    let sent = door.stream().write_all(&row.bytes).and_then(|()| door.stream().flush());
    match sent.and_then(|()| door.frame()) {
        Ok(frame) => {
            let answer = Element::from_ttlv(&frame)
                .map_err(|why| io::Error::other(format!("its answer is no message: {why}")))?;
            Ok(what_it_says(&answer))
        }
        Err(why) if is_late(&why) && waits => Ok(Want::Waits),
        Err(why) if is_late(&why) => {
            let limit = ANSWER_WITHIN.as_secs();
            Err(io::Error::other(format!("it did nothing for {limit} s; {}", row.right)))
        }
        Err(why) if why.kind() == io::ErrorKind::InvalidData => Err(why),
        Err(_) => Ok(Want::Closed),
    }
}

fn what_it_says(answer: &Element) -> Want {
    let count = items(answer).count();
    let text = |item: &Element, name: &str| {
        item.child(name).and_then(Element::text).unwrap_or_default().to_owned()
    };
    match items(answer).last() {
        Some(last) if text(last, "ResultStatus") == "Success" => Want::Succeeds(count),
        Some(last) if count == 1 => Want::Fails(text(last, "ResultReason")),
        Some(last) => Want::Stops(count, text(last, "ResultReason")),
        None => Want::Succeeds(0),
    }
}

fn said(done: &Want) -> String {
    match done {
        Want::Closed => "closed the connection".to_owned(),
        Want::Fails(reason) => format!("answered {reason}"),
        Want::Succeeds(count) => format!("answered {count} items, the last with success"),
        Want::Stops(count, reason) => format!("answered {count} items, the last with {reason}"),
        Want::Waits => "waits".to_owned(),
    }
}

/// Does the server answer a sound message?
fn serves(server: &Server) -> Result<(), String> {
    let mut door = server.open(None).map_err(|why| why.to_string())?;
    let ask = request(Version::V1_1, "DiscoverVersions", Vec::new());
    let answer = door.exchange(&ask).map_err(|why| why.to_string())?;
    match succeeded(&answer) {
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
