//! A client of one server, whose messages go by any channel.

use kmip::Version;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::*;
use kmip::vocabulary::{
    BatchErrorContinuationOption, QueryFunction, ResultReason, ResultStatus, StorageStatusMask,
};

use crate::channel::{Answer, Channel};
use crate::comparison::message;
use crate::requests::{get_attributes, locate};
use crate::server::{Identity, Server};

/// A client of a server.
pub(crate) struct Session<'a> {
    pub(crate) server: &'a mut Server,
    pub(crate) client: Identity,
}

impl Session<'_> {
    /// Sends a message by a channel.
    #[track_caller]
    pub(crate) fn send(&mut self, channel: Channel, request: &RequestMessage) -> ResponseMessage {
        let answer = self.server.exchange(&self.client, channel, &request.encode());
        ResponseMessage::decode(&answer).unwrap()
    }

    /// Sends a message by the TTLV port; returns what came back.
    pub(crate) fn answer(&mut self, request: &RequestMessage) -> Answer {
        self.send_bytes(Channel::Port, &request.encode())
    }

    /// Sends bytes by a channel; returns what came back.
    pub(crate) fn send_bytes(&mut self, channel: Channel, body: &[u8]) -> Answer {
        self.server.send(&self.client, channel, body)
    }

    /// Sends one item by the TTLV port, in 2.1; the reason where it fails.
    #[track_caller]
    pub(crate) fn ask<R: Request>(&mut self, request: R) -> Result<R::Response, ResultReason> {
        let request = message(Version::V2_1, vec![request.into()]);
        let item = self.send(Channel::Port, &request).items.remove(0);
        match item.payload.filter(|_| item.result_status == ResultStatus::Success) {
            Some(payload) => {
                Ok(R::Response::try_from(payload).unwrap_or_else(|other| panic!("{other:?}")))
            }
            None => Err(item.result_reason.unwrap_or_else(|| panic!("{:?}", item.result_status))),
        }
    }

    /// As [`Self::ask`], of an item that succeeds.
    #[track_caller]
    pub(crate) fn done<R: Request>(&mut self, request: R) -> R::Response {
        self.ask(request).unwrap_or_else(|why| panic!("{:?}: {why:?}", R::OPERATION))
    }

    /// All that the server keeps of the client: the attributes of its objects, its defaults and its
    /// constraints. Reading changes nothing.
    #[track_caller]
    pub(crate) fn state(&mut self) -> String {
        let mask = StorageStatusMask(7);
        let all = LocateRequest { storage_status_mask: Some(mask), ..locate([]) };
        let ids = self.done(all).unique_identifiers;
        let function = QueryFunction::QueryDefaultsInformation;
        let defaults = QueryRequest { query_functions: vec![function], object_groups: None };
        let mut items: Vec<RequestPayload> = vec![GetConstraintsRequest {}.into(), defaults.into()];
        items.extend(ids.iter().map(|id| get_attributes(Some(id), &[]).into()));
        let mut request = message(Version::V2_1, items);
        request.header.batch_error_continuation_option =
            Some(BatchErrorContinuationOption::Continue);
        let response = self.send(Channel::Port, &request);
        let mut state = String::new();
        for item in response.items {
            // Of an archived object nothing else is told.
            state.push_str(&format!("{:?} {:?}\n", item.payload, item.result_message));
        }
        state
    }
}
