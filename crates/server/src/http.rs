//! The connections of the pages. They are bounded in number and in time, so that nobody who opens many and says little takes
//! what the hospitals' feeds live on.

use std::sync::Arc;
use std::time::Duration;

use alongside_app::Failure;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::timeout::RequestBodyTimeoutLayer;
use tracing::{debug, warn};

/// How many connections the pages may hold at once; the next waits until one ends. A service of a thousand people has a
/// proxy with a few dozen; a system that gives a program 1,024 descriptors leaves most of them to the feeds and the database.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection may take to say what it asks for, and be silent between two requests.
const HEAD_SECONDS_MAX: u64 = 20;
/// How long a request may stop within its form.
const BODY_SECONDS_MAX: u64 = 20;
/// How long requests may go on after the program was asked to end.
const LEAVE_SECONDS_MAX: u64 = 10;
/// After a connection could not be taken: what is missing then, such as descriptors, comes back with time.
const RETRY_MILLISECONDS: u64 = 250;

/// How connections are bounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    connections: usize,
    head: Duration,
    body: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: CONNECTIONS_MAX, head: Duration::from_secs(HEAD_SECONDS_MAX), body: Duration::from_secs(BODY_SECONDS_MAX) }
    }
}

/// Serves pages until `stop` comes, then lets the requests that were begun end.
///
/// # Errors
/// The operating system's.
pub(crate) async fn serve(listener: TcpListener, pages: Router, bounds: Bounds, stop: impl Future<Output = ()>) -> Result<(), Failure> {
    let pages = pages.layer(RequestBodyTimeoutLayer::new(bounds.body));
    let places = Arc::new(Semaphore::new(bounds.connections));
    let leaving = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            taken = take(&listener, &places) => taken?,
            () = &mut stop => break,
        };
        let mut protocol = http1::Builder::new();
        protocol.timer(TokioTimer::new()).header_read_timeout(bounds.head);
        let connection = protocol.serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages.clone()));
        let connection = leaving.watch(connection);
        tokio::spawn(async move {
            // Whoever went away, or never said what they wanted, is no failure of ours.
            if connection.await.is_err() {
                debug!("a connection ended before its answer");
            }
            drop(place);
        });
    }
    if tokio::time::timeout(Duration::from_secs(LEAVE_SECONDS_MAX), leaving.shutdown()).await.is_err() {
        warn!("requests that did not end were cut off");
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn take(listener: &TcpListener, places: &Arc<Semaphore>) -> Result<(TcpStream, OwnedSemaphorePermit), Failure> {
    let place = Arc::clone(places).acquire_owned().await.map_err(|_| Failure::Broken("no places".into()))?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, place)),
            Err(error) => {
                warn!(kind = %error.kind(), "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(RETRY_MILLISECONDS)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Serves two pages with two places and a second of patience, while `visit` goes there.
    fn visited<V: Future<Output = ()>>(visit: impl FnOnce(std::net::SocketAddr) -> V) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let pages = Router::new().route("/", get(async || "here")).route("/form", post(async |form: String| form));
            let bounds = Bounds { connections: 2, head: Duration::from_secs(1), body: Duration::from_secs(1) };
            let (end, ended) = tokio::sync::oneshot::channel::<()>();
            let served = tokio::spawn(serve(listener, pages, bounds, async {
                let _asked = ended.await;
            }));
            visit(address).await;
            end.send(()).unwrap();
            served.await.unwrap().unwrap();
        });
    }

    /// Sends this, and reads until the other side ends the connection.
    async fn say(address: std::net::SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[test]
    fn whoever_says_half_of_what_they_want_makes_nobody_wait_for_ever() {
        visited(async |address| {
            let half = [say(address, "GET / HTTP/1.1\r\nHost: x"), say(address, ""), say(address, "GET / HT"), say(address, "G")];
            let [a, b, c, d] = half.map(tokio::spawn);
            // Two places, both taken by those who wait: a visitor comes after them, and is served.
            let answer = say(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
            assert!(answer.ends_with("here"), "{answer}");
            for waited in [a, b, c, d] {
                assert!(!waited.await.unwrap().contains("200"));
            }
        });
    }

    #[test]
    fn a_form_that_stops_halfway_ends_and_a_whole_one_is_taken() {
        visited(async |address| {
            let head = "POST /form HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n";
            assert!(say(address, &format!("{head}whole")).await.ends_with("whol"));
            assert!(!say(address, &format!("{head}ha")).await.contains(" 200 "));
        });
    }
}
