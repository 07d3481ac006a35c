//! One request to a registry: redirects followed, questions about who we are answered.

use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, LOCATION, RANGE, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode, Url, redirect};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::Semaphore;

use super::answer::{accepted, read_capped, refused};
use super::auth::{Authorization, Challenge, Credentials, Secret, TokenAnswer, basic, challenge};
use super::endpoint::{Endpoint, RegistryConfig, host_and_port, is_loopback, same_origin};
use super::error::PullError;
use crate::reference::Reference;

const REDIRECTS_MAX: usize = 10;
const TOKEN_BYTES_MAX: usize = 1 << 20;

/// Our side of every connection to registries.
pub(super) struct Client {
    pub(super) config: RegistryConfig,
    /// Through the proxy that the environment names, if any.
    outside: reqwest::Client,
    /// To this machine itself, past every proxy.
    loopback: reqwest::Client,
    /// One permit for each blob that may be under way.
    pub(super) fetches: Semaphore,
}

/// Blobs that may be under way at a time, of all pulls.
const FETCHES_MAX: usize = 24;

/// One place, asked for one repository, on behalf of somebody.
pub(super) struct Session {
    pub(super) endpoint: Endpoint,
    pub(super) reference: Reference,
    pub(super) credentials: Option<Credentials>,
    authorization: Authorization,
}

impl Session {
    pub(super) fn new(
        endpoint: Endpoint,
        reference: &Reference,
        credentials: Option<&Credentials>,
    ) -> Self {
        let credentials = credentials.filter(|_| endpoint.is_registry).cloned();
        let authorization = Authorization::default();
        if let Some(Credentials::RegistryToken(token)) = &credentials {
            authorization.set(Secret::new(format!("Bearer {}", token.reveal())));
        }
        Self {
            endpoint,
            reference: reference.clone(),
            credentials,
            authorization,
        }
    }

    pub(super) fn host(&self) -> String {
        self.endpoint.host()
    }
}

impl Client {
    pub(super) fn new(config: RegistryConfig) -> Result<Self, reqwest::Error> {
        let tls = tls();
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(redirect::Policy::none())
                .connect_timeout(config.patience)
                .read_timeout(config.patience)
                .user_agent("gantry")
        };
        let outside = builder().build()?;
        let loopback = builder().no_proxy().build()?;
        Ok(Self {
            config,
            outside,
            loopback,
            fetches: Semaphore::new(FETCHES_MAX),
        })
    }

    /// Asks for a thing in the session's repository, from `offset` on.
    pub(super) async fn get(
        &self,
        session: &Session,
        thing: &str,
        accept: &str,
        offset: u64,
    ) -> Result<Response, PullError> {
        let url = session.endpoint.url(session.reference.repository(), thing);
        let mut headers = HeaderMap::new();
        if let Ok(accept) = accept.parse() {
            headers.insert(ACCEPT, accept);
        }
        if offset > 0
            && let Ok(range) = format!("bytes={offset}-").parse()
        {
            headers.insert(RANGE, range);
        }
        let response = self.follow(session, url.clone(), headers.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return accepted(session, response).await;
        }
        self.introduce(session, &response).await?;
        let response = self.follow(session, url, headers).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(refused(session));
        }
        accepted(session, response).await
    }

    /// Sends one request and goes where it is redirected, credentials left behind on the way.
    async fn follow(
        &self,
        session: &Session,
        mut url: Url,
        headers: HeaderMap,
    ) -> Result<Response, PullError> {
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self.client(&url).get(url.clone()).headers(headers.clone());
            if same_origin(&url, session.endpoint.base())
                && let Some(value) = session.authorization.get()
            {
                request = request.header(AUTHORIZATION, value.reveal());
            }
            let host = host_and_port(&url).unwrap_or_default();
            let response = self.send(request, &host).await?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            url = self.next(session, &url, &response)?;
        }
        Err(PullError::Redirect {
            host: session.host(),
            reason: "it redirects more than 10 times",
        })
    }

    fn next(&self, session: &Session, from: &Url, response: &Response) -> Result<Url, PullError> {
        let refused = |reason| PullError::Redirect {
            host: session.host(),
            reason,
        };
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| refused("it is missing"))?;
        let url = from
            .join(location)
            .map_err(|_| refused("it is malformed"))?;
        self.config.check(&url, from).map_err(refused)?;
        Ok(url)
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        host: &str,
    ) -> Result<Response, PullError> {
        let stalled = || PullError::Stalled {
            host: host.to_owned(),
        };
        tokio::time::timeout(self.config.patience, request.send())
            .await
            .map_err(|_| stalled())?
            .map_err(|error| PullError::from_request(host.to_owned(), error))
    }

    /// Answers the question who we are.
    async fn introduce(&self, session: &Session, response: &Response) -> Result<(), PullError> {
        let questions = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let mut questions = questions.filter_map(|value| challenge(value.to_str().ok()?));
        let Some(question) = questions.next() else {
            let reason = "it refuses the request and does not say how to log in";
            return Err(PullError::Protocol {
                host: session.host(),
                reason,
            });
        };
        let value = match (question, &session.credentials) {
            (Challenge::Basic, Some(Credentials::Password { username, password })) => {
                basic(username, password)
            }
            (Challenge::Basic, _) => return Err(refused(session)),
            (Challenge::Bearer { realm, service }, _) => {
                self.token(session, &realm, service.as_deref()).await?
            }
        };
        session.authorization.set(value);
        Ok(())
    }

    async fn token(
        &self,
        session: &Session,
        realm: &str,
        service: Option<&str>,
    ) -> Result<Secret, PullError> {
        let host = session.host();
        let redirect = |reason| PullError::Redirect {
            host: session.host(),
            reason,
        };
        let url = Url::parse(realm).map_err(|_| redirect("it is malformed"))?;
        self.config
            .check(&url, session.endpoint.base())
            .map_err(redirect)?;

        let response = self
            .send(self.token_request(session, url, service), &host)
            .await?;
        if matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            return Err(refused(session));
        }
        let response = accepted(session, response).await?;
        let body = read_capped(response, TOKEN_BYTES_MAX, &host).await?;
        serde_json::from_slice::<TokenAnswer>(&body)
            .ok()
            .and_then(TokenAnswer::bearer)
            .ok_or(PullError::Protocol {
                host,
                reason: "its token server sends no token",
            })
    }

    fn token_request(
        &self,
        session: &Session,
        mut url: Url,
        service: Option<&str>,
    ) -> reqwest::RequestBuilder {
        let scope = format!("repository:{}:pull", session.reference.repository());
        let service = service.unwrap_or_default();
        if let Some(Credentials::IdentityToken(token)) = &session.credentials {
            let form = encode(
                &url,
                &[
                    ("grant_type", "refresh_token"),
                    ("client_id", "gantry"),
                    ("refresh_token", token.reveal()),
                    ("service", service),
                    ("scope", &scope),
                ],
            );
            return self
                .client(&url)
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form);
        }
        url.query_pairs_mut()
            .append_pair("service", service)
            .append_pair("scope", &scope);
        let request = self.client(&url).get(url);
        match &session.credentials {
            Some(Credentials::Password { username, password }) => {
                request.header(AUTHORIZATION, basic(username, password).reveal())
            }
            _ => request,
        }
    }

    fn client(&self, url: &Url) -> &reqwest::Client {
        if url.host_str().is_some_and(is_loopback) {
            &self.loopback
        } else {
            &self.outside
        }
    }
}

fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has every protocol version");
    match builder.clone().with_platform_verifier() {
        Ok(trusting) => trusting.with_no_client_auth(),
        // A bare machine has no authorities at all: then nobody is trusted, and who asks is told.
        Err(_) => builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth(),
    }
}

/// A form, by the one URL encoder that is there already.
fn encode(url: &Url, pairs: &[(&str, &str)]) -> String {
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}
