//! A known key goes through the whole program at trace level, and is then looked for.

use std::path::Path;

use rustix::process::Signal;
use tokio::io::AsyncWriteExt;
use ttlv::{Tag, Type, Writer};

use crate::client::{is_invalid_message, is_success, read_frame};
use crate::program::Program;
use crate::running::Lab;

/// Not a key that anything else would have.
const KEY: &[u8; 32] = b"Xk7#qP2~vR9!mZ4^tL8&wB3*yN6(dF1)";
const NAME: &str = "a name that is easy to find, too";

/// Register and Get of [`KEY`] under [`NAME`] in one batch of KMIP 1.2; the Get asks for what the
/// Register made. `material` is the type of the Key Material: a Byte String, if all is right.
pub(crate) fn register_and_get(material: Type) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.structure(Tag(0x42_0078), |message| {
        message.structure(Tag(0x42_0077), |header| {
            header.structure(Tag(0x42_0069), |version| {
                version.integer(Tag(0x42_006a), 1);
                version.integer(Tag(0x42_006b), 2);
            });
            header.integer(Tag(0x42_000d), 2);
        });
        message.structure(Tag(0x42_000f), |item| {
            item.enumeration(Tag(0x42_005c), 0x03);
            item.byte_string(Tag(0x42_0093), b"1");
            item.structure(Tag(0x42_0079), |payload| register(payload, material));
        });
        message.structure(Tag(0x42_000f), |item| {
            item.enumeration(Tag(0x42_005c), 0x0a);
            item.byte_string(Tag(0x42_0093), b"2");
            item.structure(Tag(0x42_0079), |_| {});
        });
    });
    writer.into_bytes()
}

fn register(payload: &mut Writer, material: Type) {
    payload.enumeration(Tag(0x42_0057), 0x02);
    payload.structure(Tag(0x42_0091), |template| {
        template.structure(Tag(0x42_0008), |attribute| {
            attribute.text_string(Tag(0x42_000a), "Cryptographic Usage Mask");
            attribute.integer(Tag(0x42_000b), 0x0c);
        });
        template.structure(Tag(0x42_0008), |attribute| {
            attribute.text_string(Tag(0x42_000a), "Name");
            attribute.structure(Tag(0x42_000b), |name| {
                name.text_string(Tag(0x42_0055), NAME);
                name.enumeration(Tag(0x42_0054), 0x01);
            });
        });
    });
    payload.structure(Tag(0x42_008f), |key| {
        key.structure(Tag(0x42_0040), |block| {
            block.enumeration(Tag(0x42_0042), 0x01);
            block.structure(Tag(0x42_0045), |value| value.item(Tag(0x42_0043), material, KEY));
            block.enumeration(Tag(0x42_0028), 0x03);
            block.integer(Tag(0x42_002a), 256);
        });
    });
}

/// The bytes as a log or a file could have them.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let spaced: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let texts = [lower.to_uppercase(), lower, spaced.join(" "), numbers.join(", ")];
    texts.into_iter().map(String::into_bytes).chain([bytes.to_vec()]).collect()
}

/// The quarters of a secret: half a key is a leak as well.
fn quarters(secret: &[u8]) -> std::slice::Chunks<'_, u8> {
    secret.chunks(secret.len().div_ceil(4))
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|bytes| bytes == part)
}

/// Whether a quarter of `secret` stands in `text`, in any form.
fn leaks(text: &[u8], secret: &[u8]) -> bool {
    quarters(secret).flat_map(forms).any(|form| holds(text, &form))
}

/// All bytes of all files in a folder.
fn contents(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(&path, into)
        } else {
            into.extend(std::fs::read(path).unwrap())
        }
    }
}

#[tokio::test]
async fn no_key_is_in_the_log_and_neither_key_nor_name_in_the_files() {
    let lab = Lab::new();
    let program = Program::start(&lab, &["--log", "trace"]);
    let mut stream = lab.client().connect(program.address).await.unwrap();
    let mut ask = async |request: &[u8]| {
        stream.write_all(request).await.unwrap();
        stream.flush().await.unwrap();
        read_frame(&mut stream).await.unwrap()
    };
    let response = ask(&register_and_get(Type::ByteString)).await;
    assert!(is_success(&response) && leaks(&response, KEY), "the key went in and out again");

    // The same key where none belongs, and in a message that breaks off within it.
    for wrong in [Type::TextString, Type::BigInteger] {
        let response = ask(&register_and_get(wrong)).await;
        assert!(!leaks(&response, KEY), "an error does not tell the key");
    }
    let mut broken = register_and_get(Type::ByteString);
    let at = broken.windows(KEY.len()).position(|bytes| bytes == KEY).unwrap();
    broken[at - 1] = 0xff;
    let response = ask(&broken).await;
    assert!(is_invalid_message(&response) && !leaks(&response, KEY), "{response:02x?}");
    drop(stream);

    program.signal(Signal::TERM);
    let (status, log) = program.ended();
    assert!(status.success(), "{log}");
    assert!(log.contains("kmip_server::messages"), "the messages were logged: {log}");
    let telling: Vec<_> = log.lines().filter(|line| leaks(line.as_bytes(), KEY)).collect();
    assert!(telling.is_empty(), "the log tells the key: {telling:#?}");

    let mut files = Vec::new();
    contents(&lab.path("data"), &mut files);
    assert!(files.len() > 1000, "the store has files");
    for secret in [&KEY[..], NAME.as_bytes()] {
        let told = quarters(secret).any(|part| holds(&files, part));
        assert!(!told, "the files tell {}", String::from_utf8_lossy(secret));
    }
}
