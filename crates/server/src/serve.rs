//! The running service: listeners, pages, and what time brings.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alongside_app::setup::Server;
use alongside_app::{App, Failure, Invalid};
use axum::Router;
use tokio::net::TcpListener;
use tracing::{error, info};

use crate::audit::Heads;
use crate::backend::Clients;
use crate::current::Current;
use crate::http::{self, Bounds};
use crate::letters::Folder;
use crate::metrics;
use crate::mllp::courier::courier;
use crate::mllp::{self, Listener};
use crate::oidc::Providers;
use crate::web;

/// Between two writings of the counters.
const FLUSH_SECONDS: u64 = 1;
/// Between two looks at what time has brought.
const TICK_SECONDS: u64 = 60;

/// Between two writings of the audit's head.
const HEAD_SECONDS: u64 = 300;

/// Runs the service until it is told to stop.
///
/// # Errors
/// When an address cannot be had, or the pages would be served beyond this machine.
pub(crate) fn serve(app: &App) -> Result<(), Failure> {
    let mut heads = Heads::open(Path::new(&app.setup.server.audit_heads))?;
    note_head(&mut heads, app);
    let current = Current::from(app.clone());
    let listeners = listen_to_feeds(&current)?;
    let couriers = app.setup.feeds.values().map(|feed| courier(&current, feed)).collect::<Result<Vec<_>, _>>()?;
    let address = loopback("server.http", &app.setup.server.http)?;
    let watched = app.setup.server.metrics.as_deref().map(|text| loopback("server.metrics", text)).transpose()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Broken(error.kind().to_string()))?;
    let pages = web::router(app.clone(), options(app)?);
    let served = runtime.block_on(async {
        let keeper = tokio::spawn(keep_time(app.clone(), heads.clone()));
        let watching = match watched {
            Some(address) => Some(tokio::spawn(serve_metrics(bind("server.metrics", address).await?, app.clone()))),
            None => None,
        };
        let served = serve_pages(address, pages, stop_signal()).await;
        keeper.abort();
        watching.inspect(|watching| watching.abort());
        served
    });
    // The listeners end first: what they still answered is counted too.
    drop((listeners, couriers));
    app.flush()?;
    note_head(&mut heads, app);
    served
}

/// How the pages are served here: under the configured name, with the configured identity providers.
///
/// # Errors
/// When a provider's secret cannot be had.
fn options(app: &App) -> Result<web::Options, Failure> {
    let host = app.setup.server.origin.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, host)| host.to_owned());
    Ok(web::Options {
        host,
        theme: theme(&app.setup.server)?,
        embedded_by: app.setup.server.embedded_by.clone(),
        identity: Arc::new(Providers::from_setup(&app.setup)?),
        clients: Arc::new(Clients::from_setup(&app.setup)?),
        ..web::Options::default()
    })
}

/// The service's own look, as it is configured.
fn theme(server: &Server) -> Result<web::Theme, Failure> {
    let read = |path: &String| {
        std::fs::read_to_string(path).map_err(|error| Failure::invalid("server.stylesheet", format!("cannot be read: {}", error.kind())))
    };
    let sheet = server.stylesheet.as_ref().map(read).transpose()?;
    Ok(web::Theme { name: server.name.clone().unwrap_or_else(|| web::Theme::default().name), sheet })
}

/// Opens the listener of every feed of messages that has an address.
///
/// # Errors
/// When one cannot be had.
pub(crate) fn listen_to_feeds(current: &Current) -> Result<Vec<(String, Listener)>, Failure> {
    let mut listeners = Vec::new();
    for (key, feed) in &current.get().setup.feeds {
        let Some(address) = &feed.listen else { continue };
        listeners.push((key.clone(), mllp::listen(current, feed, address)?));
    }
    Ok(listeners)
}

/// The address of the pages. This program speaks no TLS, so nobody beyond this machine may ask it without a proxy.
///
/// # Errors
/// For any other than a loopback address.
pub(crate) fn loopback(place: &str, text: &str) -> Result<SocketAddr, Failure> {
    let problem = |what: &str| Failure::Invalid(vec![Invalid::new(place, what)]);
    let address: SocketAddr = text.parse().map_err(|_| problem("must be an address and a port, such as 127.0.0.1:8080"))?;
    if !address.ip().is_loopback() {
        return Err(problem("must be a loopback address, behind a proxy that speaks TLS"));
    }
    Ok(address)
}

/// Serves pages until `stop` comes.
///
/// # Errors
/// When the address cannot be had.
pub(crate) async fn serve_pages(
    address: SocketAddr,
    pages: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let listener = bind("server.http", address).await?;
    let at = listener.local_addr().map_err(|error| Failure::Broken(error.kind().to_string()))?;
    info!("pages at http://{at}/");
    http::serve(listener, pages, Bounds::default(), stop).await
}

/// Takes an address.
///
/// # Errors
/// When it cannot be had.
pub(crate) async fn bind(place: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let problem = |error: std::io::Error| Failure::invalid(place, format!("cannot be had: {}", error.kind()));
    TcpListener::bind(address).await.map_err(problem)
}

/// Serves what machines are watched by, for as long as the program runs.
async fn serve_metrics(listener: TcpListener, app: App) {
    let served = http::serve(listener, metrics::router(app), Bounds::default(), std::future::pending()).await;
    if let Err(failure) = served {
        error!(%failure, "metrics are not served any more");
    }
}

/// Completes at Ctrl-C or when the system asks the program to end.
pub(crate) async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        };
    };
    tokio::select! {
        _ = interrupt => {}
        () = terminate => {}
    }
}

/// Writes counters, asks the deferred again when their day has come, hands on letters that are due, counts figures ahead.
async fn keep_time(app: App, heads: Heads) {
    let mut seconds = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(FLUSH_SECONDS)).await;
        seconds += FLUSH_SECONDS;
        let (app, mut heads) = (app.clone(), heads.clone());
        let (tick, head) = (seconds % TICK_SECONDS == 0, seconds % HEAD_SECONDS == 0);
        let kept = tokio::task::spawn_blocking(move || {
            if head {
                note_head(&mut heads, &app);
            }
            app.flush()?;
            if tick {
                what_time_brings(&app)?;
                app.count_ahead()?;
            }
            Ok::<_, Failure>(())
        });
        match kept.await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => error!(%failure, "what time brings was not done"),
            Err(_) => error!("what time brings was not done: it ended badly"),
        }
    }
}

/// Writes the audit's head down. A file that cannot be written stops nothing else; the log has the head all the same.
fn note_head(heads: &mut Heads, app: &App) {
    if let Err(failure) = heads.note(app) {
        error!(%failure, "the audit's head was not written down");
    }
}

/// Deferrals, old messages, letters.
///
/// # Errors
/// The store's, or when the folder of letters cannot be written.
pub(crate) fn what_time_brings(app: &App) -> Result<(), Failure> {
    app.tick()?;
    let Some(folder) = &app.setup.server.letters else { return Ok(()) };
    app.dispatch(&mut Folder::open(Path::new(folder))?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_served_on_this_machine_only() {
        assert!(loopback("server.http", "127.0.0.1:0").is_ok());
        assert!(loopback("server.http", "[::1]:8080").is_ok());
        for beyond in ["0.0.0.0:8080", "192.168.1.2:80", "[::]:80", "localhost", ""] {
            assert!(loopback("server.http", beyond).is_err(), "{beyond}");
        }
    }
}
