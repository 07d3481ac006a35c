//! A fresh server and the people in it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use backend::access::{Actor, Permission, Permit, policy, session};
use backend::app::App;
use backend::clock::Clock;
use backend::domain::{Account, AccountId, Browser, Front, RequestId, Role, Theme};
use backend::http::extract::Locate;
use backend::store::sessions::Sessions;
use backend::store::{Store, accounts};
use backend::tasks::Tasks;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_sessions::Session;

use crate::engine::FakeEngine;

pub(crate) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
pub(crate) const PASSWORD: &str = "a quiet harbour";

/// A server in one process.
/// How long a fact may take to come true on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct House {
    pub app: App,
    pub engine: FakeEngine,
    pub clock: Clock,
    pub tasks: Tasks,
    pub dir: tempfile::TempDir,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl House {
    /// A server whose index knows the engine.
    pub(crate) async fn new() -> Self {
        let house = Self::without_engine().await;
        house.app.begin().await.unwrap();
        house
            .wait(|app| app.services.index().host().state.is_online())
            .await;
        house
    }

    /// A server that has not looked at its engine yet.
    pub(crate) async fn without_engine() -> Self {
        Self::behind(Front::default()).await
    }

    /// A server with something before it, that has not looked at its engine yet.
    pub(crate) async fn behind(front: Front) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tasks = Tasks::default();
        let engine = FakeEngine::new(tasks.clone());
        let clock = Clock::manual(1_800_000_000);
        let store = Store::open(&dir.path().join("gantry.db")).await.unwrap();
        let app = App::new(store, clock.clone(), tasks.clone(), engine.client(), front);
        Self {
            app,
            engine,
            clock,
            tasks,
            dir,
        }
    }

    /// Waits for a fact.
    pub(crate) async fn wait(&self, holds: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.app) {
            assert!(
                Instant::now() < deadline,
                "a fact did not come in {PATIENCE:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn router(&self) -> Router {
        self.app.router()
    }

    /// Adds an account whose password is [`PASSWORD`].
    pub(crate) async fn account(&self, name: &str, role: Role) -> Account {
        let password = backend::domain::Password::typed(PASSWORD.to_owned()).unwrap();
        let hash = backend::access::password::Hasher::default()
            .hash(&password)
            .await
            .unwrap();
        let account = Account {
            id: AccountId::unique(),
            name: name.parse().unwrap(),
            role,
            language: None,
            theme: Theme::System,
            created_at: self.clock.now(),
        };
        let mut write = self.app.services.store().write().await.unwrap();
        accounts::insert(&mut write, &account, &hash).await.unwrap();
        write.commit_silent("a test").await.unwrap();
        account
    }

    /// Logs an account in; returns the cookie of its browser.
    pub(crate) async fn login(&self, account: &Account) -> String {
        let session = self.session(None);
        let browser = Browser::of("curl/8.5.0");
        session::begin(&session, account, ADDRESS, &browser)
            .await
            .unwrap();
        format!("gantry={}", session.id().unwrap())
    }

    pub(crate) fn session(&self, id: Option<tower_sessions::session::Id>) -> Session {
        let store = Sessions::new(self.app.services.store().clone(), self.clock.clone());
        Session::new(id, Arc::new(store), None)
    }

    /// The person behind a cookie.
    pub(crate) async fn actor(&self, cookie: &str) -> Option<Actor> {
        let id = cookie.trim_start_matches("gantry=").parse().unwrap();
        let session = self.session(Some(id));
        let store = self.app.services.store();
        session::actor(&session, store, ADDRESS, RequestId::unique())
            .await
            .unwrap()
    }

    /// An account of that role, logged in.
    pub(crate) async fn person(&self, name: &str, role: Role) -> (String, Actor) {
        let account = self.account(name, role).await;
        let cookie = self.login(&account).await;
        let actor = self.actor(&cookie).await.unwrap();
        (cookie, actor)
    }

    /// Asks for a permit for the thing of that name.
    pub(crate) async fn permit<P>(&self, actor: &Actor, name: &str) -> Permit<P>
    where
        P: Permission,
        P::Place: Locate,
    {
        let place = P::Place::locate(name, actor, &self.app).await.unwrap();
        policy::permit(actor, place, self.app.services.watchtower()).unwrap()
    }

    /// Sends a request as a page of ours does.
    pub(crate) async fn ask(&self, method: Method, path: &str, cookie: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "gantry.test")
            .header(header::ORIGIN, "http://gantry.test")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}
