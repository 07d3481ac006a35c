//! One request to a registry: redirects followed, questions about who we are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderMap, LOCATION, RANGE, WWW_AUTHENTICATE,
};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::Semaphore;

use super::answer::{accepted, read_capped, refused};
use super::auth::{Authorization, Challenge, Credentials, Secret, TokenAnswer, basic, challenge};
use super::endpoint::{Endpoint, RegistryConfig, host_and_port, same_origin};
use super::error::RegistryError;
use super::trust::{Lines, Trust, Ways};
use crate::reference::Reference;

const REDIRECTS_MAX: usize = 10;
/// How often as long a registry may take over what it has much to do for.
pub(super) const LONG: u32 = 10;
const TOKEN_BYTES_MAX: usize = 1 << 20;

/// Our side of every connection to registries.
pub(super) struct Client {
    pub(super) config: RegistryConfig,
    /// To everybody whom the machine trusts.
    usual: Arc<Lines>,
    /// What single registries have of their own.
    trust: Arc<Trust>,
    /// The registry that this client is for, as a URL, and the lines to it alone.
    own: Option<(Url, Arc<Lines>)>,
    /// One permit for each blob that may be under way, here or there.
    pub(super) transfers: Arc<Semaphore>,
}

/// Blobs that may be under way at a time, of all pulls and pushes.
const TRANSFERS_MAX: usize = 24;

/// What is wanted of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Pull,
    Push,
    Login,
    Catalog,
}

/// One place, asked for one repository, on behalf of somebody.
pub(super) struct Session {
    pub(super) endpoint: Endpoint,
    pub(super) reference: Reference,
    pub(super) credentials: Option<Credentials>,
    purpose: Purpose,
    /// Further repositories there, to be read from.
    pub(super) sources: Vec<String>,
    authorization: Authorization,
    has_answered: AtomicBool,
}

/// A short request, as often as it takes to be understood.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether the registry may have much to do before it answers.
    pub(super) is_long: bool,
}

impl Ask {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            is_long: false,
        }
    }
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
            purpose: Purpose::Pull,
            sources: Vec::new(),
            authorization,
            has_answered: AtomicBool::new(false),
        }
    }

    /// The same, to push there; layers may be taken from `sources`, repositories of that registry.
    pub(super) fn for_push(self, sources: Vec<String>) -> Self {
        Self {
            purpose: Purpose::Push,
            sources,
            ..self
        }
    }

    /// The same, only to be let in.
    pub(super) fn for_login(self) -> Self {
        Self {
            purpose: Purpose::Login,
            ..self
        }
    }

    /// The same, to be told which repositories there are.
    pub(super) fn for_catalog(self) -> Self {
        Self {
            purpose: Purpose::Catalog,
            ..self
        }
    }

    /// The address of a thing in the repository.
    pub(super) fn url(&self, thing: &str) -> Url {
        self.endpoint.url(self.reference.repository(), thing)
    }

    /// Whether somebody is there: what fails from then on may come back.
    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// What a refusal means.
    pub(super) fn denied(&self) -> RegistryError {
        let repository = self.reference.familiar_name();
        match self.purpose {
            Purpose::Pull => RegistryError::Denied { repository },
            Purpose::Push => RegistryError::PushDenied { repository },
            Purpose::Login => RegistryError::Unauthorized { host: self.host() },
            Purpose::Catalog => RegistryError::CatalogDenied { host: self.host() },
        }
    }

    /// What a token has to allow.
    fn scopes(&self, with_sources: bool) -> Vec<String> {
        let actions = match self.purpose {
            Purpose::Login => return Vec::new(),
            Purpose::Catalog => return vec!["registry:catalog:*".to_owned()],
            Purpose::Pull => "pull",
            Purpose::Push => "pull,push",
        };
        let own = format!("repository:{}:{actions}", self.reference.repository());
        let others = self.sources.iter().filter(|_| with_sources);
        let others = others.map(|source| format!("repository:{source}:pull"));
        std::iter::once(own).chain(others).collect()
    }

    fn has_token(&self) -> bool {
        let value = self.authorization.get();
        value.is_some_and(|value| value.reveal().starts_with("Bearer "))
    }

    pub(super) fn host(&self) -> String {
        self.endpoint.host()
    }
}

impl Client {
    pub(super) fn new(config: RegistryConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            usual: Arc::new(Lines::new(&tls(), config.patience)?),
            trust: Arc::new(Trust::new(config.certificates.clone(), config.patience)),
            own: None,
            config,
            transfers: Arc::new(Semaphore::new(TRANSFERS_MAX)),
        })
    }

    /// The same, for one registry that authorities vouch for which came along: they are trusted by
    /// this client, for its host and port, and for nobody else.
    pub(super) async fn trusting(
        &self,
        registry: &Url,
        authorities: &str,
    ) -> Result<Self, RegistryError> {
        let lines = self.trust.lines_with(registry, authorities).await?;
        Ok(Self {
            config: self.config.clone(),
            usual: Arc::clone(&self.usual),
            trust: Arc::clone(&self.trust),
            own: Some((registry.clone(), lines)),
            transfers: Arc::clone(&self.transfers),
        })
    }

    /// The lines to whoever a URL names.
    async fn lines(&self, url: &Url) -> Result<Arc<Lines>, RegistryError> {
        if let Some((registry, lines)) = &self.own
            && same_origin(url, registry)
        {
            return Ok(Arc::clone(lines));
        }
        let own = self.trust.lines(url).await?;
        Ok(own.unwrap_or_else(|| Arc::clone(&self.usual)))
    }

    /// Asks for a thing in the session's repository, from `offset` on.
    pub(super) async fn get(
        &self,
        session: &Session,
        thing: &str,
        accept: &str,
        offset: u64,
    ) -> Result<Response, RegistryError> {
        let mut ask = Ask::new(Method::GET, session.url(thing));
        if let Ok(accept) = accept.parse() {
            ask.headers.insert(ACCEPT, accept);
        }
        if offset > 0
            && let Ok(range) = format!("bytes={offset}-").parse()
        {
            ask.headers.insert(RANGE, range);
        }
        accepted(session, self.ask(session, ask).await?).await
    }

    /// Asks, and says who we are when that is asked. Any answer but that question is returned.
    pub(super) async fn ask(&self, session: &Session, ask: Ask) -> Result<Response, RegistryError> {
        let response = self.follow(session, ask.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.introduce(session, &response).await?;
        let response = self.follow(session, ask).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // A token was given, so the name is known: it may not see the list.
            return Err(match (session.purpose, session.has_token()) {
                (Purpose::Catalog, true) => session.denied(),
                _ => refused(session),
            });
        }
        Ok(response)
    }

    /// Sends content of any length. The caller watches whether it moves, and answers the question
    /// who we are: content that has gone cannot be sent again from here.
    pub(super) async fn put(
        &self,
        session: &Session,
        ask: Ask,
        content: Body,
    ) -> Result<Response, RegistryError> {
        let host = host_and_port(&ask.url).unwrap_or_default();
        let lines = self.lines(&ask.url).await?;
        let request = self.request(session, &lines.sending, &ask).body(content);
        let response = request.send().await;
        response.map_err(|error| RegistryError::from_request(host, error))
    }

    /// Sends one request and goes where it is redirected, credentials left behind on the way.
    async fn follow(&self, session: &Session, mut ask: Ask) -> Result<Response, RegistryError> {
        let redirect = |reason| RegistryError::Redirect {
            host: session.host(),
            reason,
        };
        for _ in 0..=REDIRECTS_MAX {
            let host = host_and_port(&ask.url).unwrap_or_default();
            let lines = self.lines(&ask.url).await?;
            let (ways, patience) = match ask.is_long {
                true => (&lines.sending, self.config.patience * LONG),
                false => (&lines.asking, self.config.patience),
            };
            let mut request = self.request(session, ways, &ask);
            if ask.body.is_empty() && !matches!(ask.method, Method::GET | Method::HEAD) {
                // Some registries answer 411 to a change that does not say that it has no content.
                request = request.header(CONTENT_LENGTH, 0);
            }
            let request = request.body(ask.body.clone());
            let response = self.send(request, &host, patience).await?;
            session.has_answered.store(true, Ordering::Relaxed);
            if !response.status().is_redirection() {
                return Ok(response);
            }
            if !matches!(ask.method, Method::GET | Method::HEAD) {
                return Err(redirect("it is not followed with a change"));
            }
            ask.url = self.location(session, &ask.url, &response)?;
        }
        Err(redirect("it redirects more than 10 times"))
    }

    /// A request with what the registry itself, and nobody else, is to know of us.
    fn request(&self, session: &Session, ways: &Ways, ask: &Ask) -> RequestBuilder {
        let request = ways
            .to(&ask.url)
            .request(ask.method.clone(), ask.url.clone());
        let request = request.headers(ask.headers.clone());
        match session.authorization.get() {
            Some(value) if same_origin(&ask.url, session.endpoint.base()) => {
                request.header(AUTHORIZATION, value.reveal())
            }
            _ => request,
        }
    }

    /// Where an answer sends us, if we may go there.
    pub(super) fn location(
        &self,
        session: &Session,
        from: &Url,
        response: &Response,
    ) -> Result<Url, RegistryError> {
        let refused = |reason| RegistryError::Redirect {
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
        patience: Duration,
    ) -> Result<Response, RegistryError> {
        let stalled = || RegistryError::Stalled {
            host: host.to_owned(),
        };
        tokio::time::timeout(patience, request.send())
            .await
            .map_err(|_| stalled())?
            .map_err(|error| RegistryError::from_request(host.to_owned(), error))
    }

    /// Answers the question who we are.
    pub(super) async fn introduce(
        &self,
        session: &Session,
        response: &Response,
    ) -> Result<(), RegistryError> {
        // Whoever we were sent to may ask too; only the registry is told, and says whom else to tell.
        if !same_origin(response.url(), session.endpoint.base()) {
            return Err(RegistryError::Redirect {
                host: session.host(),
                reason: "that one wants to know who we are",
            });
        }
        let questions = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let mut questions = questions.filter_map(|value| challenge(value.to_str().ok()?));
        let Some(question) = questions.next() else {
            let reason = "it refuses the request and does not say how to log in";
            return Err(RegistryError::Protocol {
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
    ) -> Result<Secret, RegistryError> {
        let host = session.host();
        let redirect = |reason| RegistryError::Redirect {
            host: session.host(),
            reason,
        };
        let url = Url::parse(realm).map_err(|_| redirect("it is malformed"))?;
        self.config
            .check(&url, session.endpoint.base())
            .map_err(redirect)?;

        let lines = self.lines(&url).await?;
        let is_refused = |response: &Response| {
            let status = response.status();
            matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        };
        let ask = async |with_sources| {
            let scopes = session.scopes(with_sources);
            let request = token_request(session, &lines, url.clone(), service, &scopes);
            self.send(request, &host, self.config.patience).await
        };
        let mut response = ask(true).await?;
        if is_refused(&response) && !session.sources.is_empty() {
            // The neighbours may be somebody else's; the push does without them.
            response = ask(false).await?;
        }
        if is_refused(&response) {
            return Err(refused(session));
        }
        let response = accepted(session, response).await?;
        let body = read_capped(response, TOKEN_BYTES_MAX, &host).await?;
        serde_json::from_slice::<TokenAnswer>(&body)
            .ok()
            .and_then(TokenAnswer::bearer)
            .ok_or(RegistryError::Protocol {
                host,
                reason: "its token server sends no token",
            })
    }
}

fn token_request(
    session: &Session,
    lines: &Lines,
    mut url: Url,
    service: Option<&str>,
    scopes: &[String],
) -> reqwest::RequestBuilder {
    let service = service.unwrap_or_default();
    if let Some(Credentials::IdentityToken(token)) = &session.credentials {
        let form = encode(
            &url,
            &[
                ("grant_type", "refresh_token"),
                ("client_id", "gantry"),
                ("refresh_token", token.reveal()),
                ("service", service),
                ("scope", &scopes.join(" ")),
            ],
        );
        return lines
            .asking
            .to(&url)
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
    }
    url.query_pairs_mut()
        .append_pair("service", service)
        .extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
    let request = lines.asking.to(&url).get(url);
    match &session.credentials {
        Some(Credentials::Password { username, password }) => {
            request.header(AUTHORIZATION, basic(username, password).reveal())
        }
        _ => request,
    }
}

pub(crate) fn tls() -> ClientConfig {
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
