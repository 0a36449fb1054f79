//! One scenario: messages of one version, whose names are its own.

use kmip::Version;
use kmip::attributes::AttributeValue;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::{Request, RequestPayload};
use kmip::vocabulary::ResultReason;

use crate::comparison::{Comparison, KEYS, message};
use crate::requests;

/// Sender of the messages of a scenario.
pub(crate) struct Script<'a> {
    pub(crate) comparison: &'a mut Comparison,
    pub(crate) version: Version,
}

impl Script<'_> {
    /// Sends a request that may succeed or fail, but everywhere alike.
    #[track_caller]
    pub(crate) fn ask<R: Request>(&mut self, request: R) -> Result<R::Response, ResultReason> {
        self.comparison.ask(self.version, request, &[])
    }

    /// As [`Self::ask`], of a request whose answer may have values that the server draws.
    #[track_caller]
    pub(crate) fn ask_drawn<R: Request>(
        &mut self,
        request: R,
        random: &[&'static str],
    ) -> Result<R::Response, ResultReason> {
        self.comparison.ask(self.version, request, random)
    }

    /// Sends a request that succeeds.
    #[track_caller]
    pub(crate) fn done<R: Request>(&mut self, request: R) -> R::Response {
        let version = self.version;
        self.ask(request).unwrap_or_else(|why| panic!("{:?} in {version}: {why:?}", R::OPERATION))
    }

    /// Sends a request that succeeds and makes a key.
    #[track_caller]
    pub(crate) fn made<R: Request>(&mut self, request: R) -> R::Response {
        let version = self.version;
        let done = self.ask_drawn(request, KEYS);
        done.unwrap_or_else(|why| panic!("{:?} in {version}: {why:?}", R::OPERATION))
    }

    /// Sends a request that fails.
    #[track_caller]
    pub(crate) fn refused<R: Request>(&mut self, request: R) -> ResultReason {
        match self.ask(request) {
            Ok(_) => panic!("{:?} in {}: not refused", R::OPERATION, self.version),
            Err(reason) => reason,
        }
    }

    /// A batch of these items with nothing special in its header.
    pub(crate) fn batch(&self, items: Vec<RequestPayload>) -> RequestMessage {
        message(self.version, items)
    }

    /// Sends a whole message.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &RequestMessage) -> ResponseMessage {
        self.comparison.message(request, KEYS)
    }

    /// A text that no other scenario has.
    pub(crate) fn own(&self, text: &str) -> String {
        format!("{text} <{}>", self.version)
    }

    /// A Name that no object of another scenario has.
    pub(crate) fn name(&self, text: &str) -> AttributeValue {
        requests::name(&self.own(text))
    }
}
