//! MLLP. Listeners: one a feed, one thread a connection. A feed has few connections, and each waits for its answer.

pub(crate) mod client;
pub(crate) mod courier;
pub(crate) mod tls;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use alongside_app::Failure;
use alongside_app::setup::Feed;
use alongside_hl7v2::mllp::{Decoder, Dropped, Received, frame};
use rustls::ServerConfig;
use socket2::{SockRef, TcpKeepalive};
use tracing::{info, warn};

use self::tls::Line;
use crate::current::Current;

/// How many connections a feed may hold at once; one more is closed at once.
const CONNECTIONS_MAX: usize = 64;
/// How long a sender may stop within a frame. Between frames a feed may be silent all night.
const FRAME_SECONDS_MAX: u64 = 30;
/// How often a waiting thread looks whether the program ends.
const LOOK_MILLISECONDS: u64 = 250;
/// How long a sender may take to read an answer.
const WRITE_SECONDS_MAX: u64 = 30;
/// After this silence TCP asks whether the peer is still there.
const KEEPALIVE_SECONDS: u64 = 60;

/// A running listener.
pub(crate) struct Listener {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Listener {
    /// Stops taking connections and waits until every connection has answered what it had received.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("a listener ended badly");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens for a feed.
///
/// # Errors
/// [`Failure::Invalid`] where the address cannot be had, or its TLS.
pub(crate) fn listen(current: &Current, feed: &Feed, address: &str) -> Result<Listener, Failure> {
    let problem = |what: &str, why: &dyn std::fmt::Display| Failure::invalid(format!("feed {}, {what}", feed.key), why.to_string());
    let tls = feed.tls.as_ref().map(tls::server).transpose().map_err(|why| problem("TLS", &why))?;
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok((listener.local_addr()?, listener))
    });
    let (address, listener) = bound.map_err(|error| problem("listen", &format!("cannot be had: {}", error.kind())))?;
    let stop = Arc::new(AtomicBool::new(false));
    let (current, feed, stopped) = (current.clone(), Arc::new(feed.clone()), Arc::clone(&stop));
    info!(feed = %feed.key, %address, tls = tls.is_some(), "listening for MLLP");
    let thread = std::thread::spawn(move || accept(&listener, &current, &feed, tls.as_ref(), &stopped));
    Ok(Listener { address, thread: Some(thread), stop })
}

fn accept(listener: &TcpListener, current: &Current, feed: &Arc<Feed>, tls: Option<&Arc<ServerConfig>>, stop: &Arc<AtomicBool>) {
    let open = Arc::new(AtomicUsize::new(0));
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) if open.load(Ordering::SeqCst) < CONNECTIONS_MAX => {
                open.fetch_add(1, Ordering::SeqCst);
                let (current, feed, stop, open) = (current.clone(), Arc::clone(feed), Arc::clone(stop), Arc::clone(&open));
                let tls = tls.cloned();
                threads.push(std::thread::spawn(move || {
                    if let Err(error) = serve(stream, &current, &feed, tls.as_ref(), &stop) {
                        warn!(feed = %feed.key, kind = %error.kind(), "an MLLP connection ended");
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                }));
            }
            Ok((stream, _)) => {
                warn!(feed = %feed.key, "too many connections; one was closed");
                drop(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => {
                warn!(feed = %feed.key, kind = %error.kind(), "a connection could not be taken");
                std::thread::sleep(Duration::from_millis(LOOK_MILLISECONDS));
            }
        }
        threads.retain(|thread| !thread.is_finished());
    }
    for thread in threads {
        if thread.join().is_err() {
            warn!(feed = %feed.key, "a connection ended badly");
        }
    }
}

fn serve(stream: TcpStream, current: &Current, feed: &Feed, tls: Option<&Arc<ServerConfig>>, stop: &AtomicBool) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(LOOK_MILLISECONDS)))?;
    stream.set_write_timeout(Some(Duration::from_secs(WRITE_SECONDS_MAX)))?;
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(KEEPALIVE_SECONDS));
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    let mut stream = Line::take(stream, tls)?;
    let mut decoder = Decoder::new(usize::from(current.get().setup.server.message_mib_max) << 20);
    let mut buffer = vec![0; 64 * 1024];
    let mut waited_milliseconds = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => {
                decoder.end();
                return answer_all(&mut decoder, &mut stream, current, feed);
            }
            Ok(read) => {
                waited_milliseconds = 0;
                decoder.push(&buffer[..read]);
                answer_all(&mut decoder, &mut stream, current, feed)?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                waited_milliseconds += LOOK_MILLISECONDS;
                let stuck = (decoder.is_mid_frame() || stream.is_handshaking()) && waited_milliseconds >= FRAME_SECONDS_MAX * 1000;
                if stop.load(Ordering::SeqCst) || stuck {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Answers every frame in the order of coming: nothing is answered before it is kept.
fn answer_all(decoder: &mut Decoder, stream: &mut Line, current: &Current, feed: &Feed) -> std::io::Result<()> {
    for received in decoder.by_ref() {
        let app = current.get();
        let answered = match received {
            Received::Frame(bytes) => app.receive(feed, &bytes),
            Received::Dropped { reason: Dropped::TooLong { head }, bytes } => {
                warn!(feed = %feed.key, bytes, "a message was larger than allowed");
                app.refuse_too_large(feed, &head)
            }
            Received::Dropped { reason, bytes } => {
                warn!(feed = %feed.key, bytes, reason = reason.words(), "bytes outside a frame were dropped");
                continue;
            }
        };
        if let Some(acknowledgement) = answered.acknowledgement {
            stream.write_all(&frame(&acknowledgement))?;
        }
    }
    Ok(())
}
