//! HL7 v2 as hospitals really send it: MLLP frames, character sets, messages with locations,
//! acknowledgements, files of messages, and a writer. Nothing of Alongside's own is in here.
//!
//! **Invariants.** Nothing panics, whatever the bytes. Nothing that came in is dropped in silence:
//! each tolerance leaves a [`Problem`]. No problem, error or `Debug` text holds a name, an identifier
//! or a result: only locations, codes and counts.
//!
//! A message is decoded once into one `String`, and only the ends of its segments are remembered.
//! Fields, repetitions, components and subcomponents are found when they are asked for: a feed reads
//! a handful of fields of each message, so no tree is built.
//!
//! ```
//! use alongside_hl7v2::{Message, Options, ack, mllp};
//! use alongside_hl7v2::time::Timestamp;
//!
//! // What the socket gives, in whatever pieces, becomes frames.
//! let mut decoder = mllp::Decoder::new(16 * 1024 * 1024);
//! decoder.push(b"\x0bMSH|^~\\&|CERNER|RQM|ALONGSIDE|CHARITY|20241001093000||ADT^A28|42|P|2.4\r");
//! decoder.push(b"PID|1||9990000018^^^NHS^NH~77^^^RQM^MR||Example^Ann||19800229\r\x1c\r");
//! let Some(mllp::Received::Frame(bytes)) = decoder.next() else { panic!("no frame") };
//!
//! // A frame becomes a message; its parts are asked for by path or by number.
//! let message = Message::parse(&bytes, &Options::default()).map_err(|problem| problem.to_string())?;
//! let hospital_number = message.get("PID-3[2].1").ok_or("no hospital number")?;
//! assert_eq!(hospital_number.text(), "77");
//! assert_eq!(hospital_number.location().to_string(), "PID-3[2].1.1");
//! for identifier in message.segment("PID").ok_or("no PID")?.field(3).repetitions() {
//!     assert!(!identifier.component(4).is_empty());
//! }
//! let born = Timestamp::parse(&message.get("PID-7").ok_or("no date")?.text())?;
//! assert_eq!((born.year, born.month, born.hour), (1980, Some(2), None));
//!
//! // And it is answered.
//! let header = message.header();
//! let code = ack::choose(&header, ack::Outcome::Accepted, ack::AckMode::AsAsked);
//! assert_eq!(code, Some(ack::AckCode::AA));
//! let reply = ack::Acknowledgement::new(ack::AckCode::AA, "A1", "20241001093001").build(&header);
//! assert!(reply.ends_with(b"MSA|AA|42\r"));
//! let _on_the_wire = mllp::frame(&reply);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod ack;
pub mod batch;
pub mod charset;
mod delimiters;
pub mod escape;
mod header;
mod lines;
mod location;
mod message;
pub mod mllp;
mod problem;
pub mod time;
pub mod write;

pub use charset::Charset;
pub use delimiters::Delimiters;
pub use header::Header;
pub use location::{BadPath, Location, Name, Path, ToPath};
pub use message::{Message, Options, Segment, Value};
pub use problem::{Code, Problem, Severity};

#[cfg(test)]
mod differential;
