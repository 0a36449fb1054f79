//! Personas: call sequences of products that use KMIP, played against any key server.
//!
//! ```text
//! cli --> file            personas as TOML, one file a product (condition, message, values)
//!  |----> play            sends the steps, and judges each answer --> server   connections (tls)
//!  |        `- cleanup    destroys the objects that the steps have created
//!  |----> report          text and JSON
//!  `----> table           Markdown of several JSON reports, as in docs/personas.md
//! ```
//!
//! A persona knows nothing of the server, and of KMIP it uses only the XML of messages: a mistake
//! of the server's own types cannot be here too. Key material is compared and never shown.

mod cleanup;
mod cli;
mod condition;
mod file;
mod message;
mod path;
mod play;
mod report;
mod server;
mod table;
mod tls;
mod values;

pub use cli::run;
