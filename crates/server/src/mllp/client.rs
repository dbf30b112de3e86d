//! Sends over MLLP: one message, then its answer, then the next.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alongside_hl7v2::ack::{self, AckCode};
use alongside_hl7v2::mllp::{Decoder, Received, frame};
use alongside_hl7v2::{Header, Message, Options};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::{LOOK_MILLISECONDS, WRITE_SECONDS_MAX};

/// How long an answer is waited for, in seconds.
const ANSWER_SECONDS_MAX: u64 = 30;
/// How long a connection may take to stand, in seconds.
const CONNECT_SECONDS_MAX: u64 = 10;
/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A connection to a listener.
pub(crate) struct Sender {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    buffer: Vec<u8>,
}

/// What a listener answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// MSA-1.
    pub(crate) code: AckCode,
    /// MSH-10 of the answer.
    pub(crate) number: String,
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

impl Sender {
    /// Connects to a listener, at `host:port`, over TLS where it is configured.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(address: &str, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let mut addresses = address.to_socket_addrs()?;
        let nobody = || Error::from(ErrorKind::AddrNotAvailable);
        let stream = TcpStream::connect_timeout(&addresses.next().ok_or_else(nobody)?, Duration::from_secs(CONNECT_SECONDS_MAX))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(LOOK_MILLISECONDS)))?;
        stream.set_write_timeout(Some(Duration::from_secs(WRITE_SECONDS_MAX)))?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(stream),
            Some(config) => {
                let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']).to_owned();
                let name = ServerName::try_from(host).map_err(Error::other)?;
                let connection = ClientConnection::new(Arc::clone(config), name).map_err(Error::other)?;
                Box::new(StreamOwned::new(connection, stream))
            }
        };
        Ok(Self { stream, decoder: Decoder::new(ANSWER_BYTES_MAX), buffer: vec![0; 16 * 1024] })
    }

    /// Sends a message and reads what is answered to it. An answer to another message is no answer.
    ///
    /// # Errors
    /// When none comes in time, or the program is to stop.
    pub(crate) fn send(&mut self, message: &[u8], stop: &AtomicBool) -> Result<Answered> {
        let control_id = Header::scan(message).control_id;
        self.write(&frame(message))?;
        let mut waited_milliseconds = 0;
        loop {
            if let Some(answered) = self.answered(&control_id) {
                return Ok(answered);
            }
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.decoder.push(&self.buffer[..read]),
                Err(error) if is_waiting(&error) => {
                    waited_milliseconds += LOOK_MILLISECONDS;
                    if stop.load(Ordering::SeqCst) || waited_milliseconds >= ANSWER_SECONDS_MAX * 1000 {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Over TLS a first write reads as well, and may have to wait for the other side.
    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let mut waited_milliseconds = 0;
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if is_waiting(&error) && waited_milliseconds < ANSWER_SECONDS_MAX * 1000 => {
                    waited_milliseconds += LOOK_MILLISECONDS;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.stream.flush()
    }

    fn answered(&mut self, control_id: &str) -> Option<Answered> {
        self.decoder.by_ref().find_map(|received| {
            let Received::Frame(bytes) = received else { return None };
            let answer = Message::parse(&bytes, &Options::default()).ok()?;
            let code = ack::read(&answer).filter(|answer| answer.is_to(control_id))?.code;
            Some(Answered { code, number: answer.header().control_id_trimmed().to_owned() })
        })
    }
}

fn is_waiting(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
