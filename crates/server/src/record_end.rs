//! A hospital's record as the demo has it: a listener that takes what it is told and accepts it, over MLLP like any other.

use std::io::{Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use alongside_hl7v2::Header;
use alongside_hl7v2::ack::{AckCode, Acknowledgement};
use alongside_hl7v2::mllp::{Decoder, Received, frame};

/// The largest message that it takes, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Opens a record's listener on this machine, for as long as the program runs.
///
/// # Errors
/// The operating system's.
pub(crate) fn open() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            // Whoever goes away is served no longer.
            std::thread::spawn(move || accept_all(stream, number));
        }
    });
    Ok(address)
}

fn accept_all(mut stream: TcpStream, line: usize) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut decoder, mut buffer, mut filed) = (Decoder::new(MESSAGE_BYTES_MAX), vec![0; 16 * 1024], 0_u32);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        decoder.push(&buffer[..read]);
        for received in decoder.by_ref() {
            let Received::Frame(bytes) = received else { continue };
            filed += 1;
            let (header, number) = (Header::scan(&bytes), format!("{}{filed:05}", line + 4));
            let answer = Acknowledgement::new(AckCode::AA, &number, &header.time).build(&header);
            stream.write_all(&frame(&answer))?;
        }
    }
}
