//! Questions to an identity provider: in time, in bounds, to its own host, and nowhere else that an answer might point to.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;

use super::OidcError;

/// Until a connection stands.
const CONNECT_SECONDS_MAX: u64 = 5;
/// Until an answer is whole.
const ANSWER_SECONDS_MAX: u64 = 10;
/// The largest answer: key sets of large providers have some dozens of keys with their certificates.
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// A client for one provider.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    hosts: Vec<Url>,
}

impl Http {
    /// A client for the provider of this issuer. Redirections are not followed.
    ///
    /// # Errors
    /// When the issuer is no address, or TLS cannot be had.
    pub(crate) fn new(issuer: &str) -> Result<Self, OidcError> {
        Self::at(&[issuer])
    }

    /// A client for somebody who is at several hosts; the scheme of the first is that of all.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub(crate) fn at(addresses: &[&str]) -> Result<Self, OidcError> {
        let addresses: Result<Vec<Url>, _> = addresses.iter().map(|address| address.parse()).collect();
        let addresses: Vec<Url> = addresses.map_err(|_| OidcError::MetadataWrong)?;
        let plain = addresses.first().is_some_and(|first| first.scheme() == "http");
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .timeout(Duration::from_secs(ANSWER_SECONDS_MAX))
            .https_only(!plain)
            .referer(false)
            .user_agent("Alongside");
        if plain {
            // The configuration takes plain http at a loopback address alone: that is never behind a proxy.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| OidcError::Broken)?;
        Ok(Self { client, hosts: addresses })
    }

    /// An address at a scheme, host and port that were configured.
    ///
    /// # Errors
    /// For every other address: what a document says must not make this program ask somebody else.
    pub(crate) fn own(&self, text: &str) -> Result<Url, OidcError> {
        let url: Url = text.parse().map_err(|_| OidcError::MetadataWrong)?;
        let own = self.hosts.iter().any(|host| host.origin() == url.origin()) && url.username().is_empty() && url.password().is_none();
        if own { Ok(url) } else { Err(OidcError::MetadataWrong) }
    }

    /// Reads a JSON document.
    ///
    /// # Errors
    /// When it is not there, too large, or of another form.
    pub(crate) async fn document<T: DeserializeOwned>(&self, url: Url) -> Result<T, OidcError> {
        of_json(self.client.get(url)).await
    }

    /// Reads a resource with a token.
    ///
    /// # Errors
    /// When it is not there, not for whoever has this token, too large, or of another form.
    pub(crate) async fn resource<T: DeserializeOwned>(&self, url: Url, token: &str) -> Result<T, OidcError> {
        of_json(self.client.get(url).bearer_auth(token).header("Accept", "application/fhir+json")).await
    }

    /// Sends a form, with an `Authorization` header if there is one: whether it was taken, and the answer's body.
    ///
    /// # Errors
    /// When no answer came in time and in bounds.
    pub(crate) async fn form(&self, url: Url, form: &[(&str, &str)], basic: Option<String>) -> Result<(bool, Vec<u8>), OidcError> {
        let mut request = self.client.post(url).header("Accept", "application/json").form(form);
        if let Some(basic) = basic {
            request = request.header("Authorization", basic);
        }
        answer(request).await
    }
}

async fn of_json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, OidcError> {
    let (successful, body) = answer(request).await?;
    if !successful {
        return Err(OidcError::Unreachable);
    }
    serde_json::from_slice(&body).map_err(|_| OidcError::MetadataWrong)
}

async fn answer(request: RequestBuilder) -> Result<(bool, Vec<u8>), OidcError> {
    let answer = request.send().await.map_err(|_| OidcError::Unreachable)?;
    if answer.status().is_server_error() || answer.status().is_redirection() {
        return Err(OidcError::Unreachable);
    }
    Ok((answer.status().is_success(), body(answer).await?))
}

async fn body(mut answer: Response) -> Result<Vec<u8>, OidcError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| OidcError::Unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(OidcError::Unreachable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
