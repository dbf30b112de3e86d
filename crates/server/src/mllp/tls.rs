//! TLS of a feed's listener: both sides show a certificate, and only whoever has one of a named authority may speak.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use alongside_app::london_date;
use alongside_app::setup::Tls;
use jiff::Timestamp;
use jiff::civil::Date;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::keys::secret;

/// What both directions need: who we are, and whom we believe.
struct Own {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authorities: RootCertStore,
}

impl Own {
    fn read(tls: &Tls) -> std::result::Result<Self, String> {
        let mut authorities = RootCertStore::empty();
        for authority in certificates(&tls.clients)? {
            authorities.add(authority).map_err(|_| format!("{} holds a certificate that is no authority's", tls.clients))?;
        }
        let key = secret(Path::new(&tls.key)).and_then(|text| text.ok_or_else(|| "is missing".to_owned()));
        let key = key.and_then(|text| PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| "is no private key in PEM".to_owned()));
        let key = key.map_err(|what| format!("{} {what}", tls.key))?;
        Ok(Self { certificates: certificates(&tls.certificate)?, key, authorities })
    }
}

/// Reads a listener's certificate, its key and the authorities of its clients.
///
/// # Errors
/// Which file is wrong, and how: in words without any of it.
pub(crate) fn server(tls: &Tls) -> std::result::Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let own = Own::read(tls)?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(own.authorities), Arc::clone(&provider)).build();
    let clients = clients.map_err(|_| format!("{} holds no authority", tls.clients))?;
    // Engines of hospitals speak 1.2 still; what is older is not in the library.
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| "no version of TLS".to_owned())?.with_client_cert_verifier(clients);
    let config = config.with_single_cert(own.certificates, own.key);
    config.map(Arc::new).map_err(|_| format!("{} and {} do not belong together", tls.certificate, tls.key))
}

/// The same files for the way back: the same authorities vouch for the hospital's listener.
///
/// # Errors
/// Which file is wrong, and how.
pub(crate) fn client(tls: &Tls) -> std::result::Result<Arc<ClientConfig>, String> {
    let own = Own::read(tls)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|_| "no version of TLS".to_owned())?;
    let config = config.with_root_certificates(own.authorities).with_client_auth_cert(own.certificates, own.key);
    config.map(Arc::new).map_err(|_| format!("{} and {} do not belong together", tls.certificate, tls.key))
}

/// The certificates of a file in PEM: at least one.
pub(crate) fn certificates(file: &str) -> std::result::Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let all = read.map_err(|_| format!("{file} cannot be read as certificates in PEM"))?;
    if all.is_empty() { Err(format!("{file} holds no certificate")) } else { Ok(all) }
}

/// The last day on which all certificates of a listener are good, in London.
///
/// # Errors
/// Which file is wrong, and how.
pub(crate) fn ends_on(tls: &Tls) -> std::result::Result<Date, String> {
    let mut first = Date::MAX;
    for file in [&tls.certificate, &tls.clients] {
        for certificate in certificates(file)? {
            let read = Certificate::from_der(&certificate).map_err(|_| format!("{file} holds what is no certificate"))?;
            let seconds = read.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
            let end = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            first = first.min(end.map_or(Date::MAX, london_date));
        }
    }
    Ok(first)
}

/// A connection, in the clear or not.
pub(crate) enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Line {
    /// Takes a connection. The handshake goes on as it is read.
    pub(crate) fn take(stream: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Result<Self> {
        let Some(config) = tls else { return Ok(Self::Plain(stream)) };
        let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, stream))))
    }

    /// Whether the other side has not proved yet who it is.
    pub(crate) fn is_handshaking(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.conn.is_handshaking())
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl Drop for Line {
    /// Says that it was the end, so that the other side knows that nothing was cut off.
    fn drop(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            // Whoever has gone away already hears it not.
            let _sent = stream.conn.write_tls(&mut stream.sock);
        }
    }
}
