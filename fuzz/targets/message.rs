//! Requests of one client: each is answered, and nothing is shown to another client.

#![no_main]

use fuzz::form::Form;

fuzz::target!(Form::Ttlv, fuzz::sessions::trees(), fuzz::two_clients::check);
