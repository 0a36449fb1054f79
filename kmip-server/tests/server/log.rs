//! What clients write into the log (2.1, 6.1.29).

use kmip::Version;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{GetRequest, LogRequest, RequestPayload};
use kmip::vocabulary::{BatchErrorContinuationOption, ResultReason};
use rustix::process::Signal;
use tokio::io::AsyncWriteExt;

use crate::client::read_frame;
use crate::program::Program;
use crate::running::Lab;

fn line(text: &str) -> RequestPayload {
    LogRequest { log_message: text.to_owned() }.into()
}

#[tokio::test]
async fn a_clients_line_is_in_the_log_and_can_be_taken_for_no_other() {
    let lab = Lab::new();
    let program = Program::start(&lab, &["--store", "memory"]);
    let mut stream = lab.client().connect(program.address).await.unwrap();
    let mut ask = async |items: Vec<RequestPayload>| {
        let mut header = RequestHeader::new(Version::V2_1, i32::try_from(items.len()).unwrap());
        header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
        let items = items.into_iter().map(RequestBatchItem::from).collect();
        stream.write_all(&RequestMessage { header, items }.encode()).await.unwrap();
        stream.flush().await.unwrap();
        ResponseMessage::decode(&read_frame(&mut stream).await.unwrap()).unwrap().items
    };
    let items = ask(vec![line("before the tape moves\n2026-01-01T00:00:00Z ERROR forged")]).await;
    assert_eq!(items[0].result_reason, None);
    // What is undone was not said.
    let no_such = GetRequest {
        unique_identifier: Some("none".into()),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    };
    ask(vec![line("taken back"), no_such.into()]).await;
    let items = ask(vec![line(&"x".repeat(5000))]).await;
    assert_eq!(items[0].result_reason, Some(ResultReason::InvalidField));
    drop(stream);

    program.signal(Signal::TERM);
    let (status, log) = program.ended();
    assert!(status.success(), "{log}");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("before the tape")).collect();
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].contains("kmip_server::clients") && said[0].contains("\\n2026"), "{}", said[0]);
    assert!(!log.contains("taken back") && !log.contains("xxxx"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01")), "{log}");
}
