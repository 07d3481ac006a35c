//! A small engine behind a unix socket, whose streams the test plays by hand.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use backend::app::App;
use backend::domain::{Front, Role};
use engine_api::builds::{DockerfileCheck, DockerfileFault};
use engine_api::containers::{
    Container, ContainerState, ContainerSummary, PATH_STAT_HEADER, PathStat,
};
use engine_api::events::{Actor, Event};
use engine_api::frame::{self, Stream};
use engine_api::operation;
use engine_api::system::{Info, Version};
use engine_api::version::split_path;
use engine_client::EngineClient;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::{broadcast, mpsc};

use crate::engine::id;
use crate::house::{House, PATIENCE};

/// What the engine plays.
#[derive(Default)]
pub(crate) struct Play {
    /// Containers: id, name, state.
    pub containers: Vec<(String, String, String)>,
    /// The journal of events.
    pub journal: Vec<Event>,
    /// Whether the event stream ends after the journal, as of an engine that stops.
    pub ends_events: bool,
    /// Commands that exist in the image.
    pub commands: Vec<String>,
    /// The bytes of the next streams, in the order in which they are asked for.
    pub streams: Vec<mpsc::Receiver<Bytes>>,
    /// The commands that were started, in their order; their exit codes.
    pub execs: Vec<(String, Option<i32>)>,
    /// The sizes that terminals were given.
    pub sizes: Vec<String>,
    /// The `since` of each event stream.
    pub asked_since: Vec<String>,
    /// What was built: the query, the headers, the body.
    pub builds: Vec<(String, HeaderMap, Bytes)>,
    /// Whether it takes connections and answers nothing.
    pub hangs: bool,
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stage {
    play: Arc<Mutex<Play>>,
    events: broadcast::Sender<String>,
    /// Streams that somebody reads now.
    open: Arc<AtomicUsize>,
    /// Streams that were ever opened.
    opened: Arc<AtomicUsize>,
}

/// Counts a stream while it is read.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Stage {
    /// A server whose engine is a stage; one container runs there.
    pub(crate) async fn house() -> (House, Self) {
        let mut house = House::without_engine().await;
        let stage = Self {
            play: Arc::default(),
            events: broadcast::channel(1_024).0,
            open: Arc::default(),
            opened: Arc::default(),
        };
        stage.with(|play| {
            play.containers
                .push((id(1), "web".into(), "running".into()));
        });
        let socket = house.dir.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        house.tasks.spawn("stage", stage.clone().serve(listener));
        house.app = App::new(
            house.app.services.store().clone(),
            house.clock.clone(),
            house.tasks.clone(),
            EngineClient::unix(socket),
            Front::default(),
        );
        house.app.begin().await.unwrap();
        house
            .wait(|app| app.services.index().host().state.is_online())
            .await;
        (house, stage)
    }

    /// Changes what the engine plays.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Play) -> T) -> T {
        change(&mut self.play.lock().unwrap())
    }

    /// Gives the next stream that is asked for; what is sent here is what it carries.
    pub(crate) fn next_stream(&self) -> mpsc::Sender<Bytes> {
        let (sender, receiver) = mpsc::channel(8);
        self.with(|play| play.streams.push(receiver));
        sender
    }

    /// How many streams are read now, and how many ever were.
    pub(crate) fn streams(&self) -> (usize, usize) {
        (
            self.open.load(Ordering::SeqCst),
            self.opened.load(Ordering::SeqCst),
        )
    }

    /// Waits until so many streams are read.
    pub(crate) async fn wait_open(&self, n: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.streams().0 != n {
            let n_open = self.streams().0;
            assert!(
                Instant::now() < deadline,
                "{n_open} streams are open, not {n}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Notes an event in the journal, and tells it unless nobody should hear.
    pub(crate) fn happens(&self, action: &str, container: &str, nano: i64, is_heard: bool) {
        let event = Event {
            kind: "container".to_owned(),
            action: action.to_owned(),
            actor: Actor {
                id: container.to_owned(),
                ..Actor::default()
            },
            time: nano / 1_000_000_000,
            time_nano: nano,
            ..Event::default()
        };
        if is_heard {
            let _nobody = self.events.send(line(&event));
        }
        self.with(|play| play.journal.push(event));
    }

    async fn serve(self, listener: UnixListener) {
        let tasks = backend::tasks::Tasks::default();
        while let Ok((connection, _)) = listener.accept().await {
            let stage = self.clone();
            let service = hyper::service::service_fn(move |request| {
                let stage = stage.clone();
                async move { Ok::<_, Infallible>(stage.answer(request).await) }
            });
            tasks.finish("stage connection", async move {
                let _ended = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service)
                    .with_upgrades()
                    .await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let uri = request.uri().clone();
        let (_, path) = split_path(uri.path()).unwrap();
        let (asked, name) = operation::find(request.method().as_str(), path).unwrap();
        let query = uri.query().unwrap_or_default();
        while self.with(|play| play.hangs) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match asked.name {
            "system.ping" => Response::new(Body::from("OK")),
            "system.version" => json(&Version::default()),
            "system.info" => json(&Info::default()),
            "system.events" => self.follow_events(query),
            "container.list" => json(&self.list(query)),
            "container.inspect" => self.inspect(name),
            "container.path_stat" => self.path_stat(query),
            "network.list" => json(&Vec::<engine_api::networks::Network>::new()),
            "image.list" => json(&Vec::<engine_api::images::ImageSummary>::new()),
            "container.stats" if query.contains("stream=false") => {
                refuse(StatusCode::NOT_FOUND, "No such container")
            }
            "container.logs" | "container.stats" | "image.create" => self.stream(),
            "image.load" => self.load(request).await,
            "build.create" => self.build(request).await,
            "build.check" => self.check(request).await,
            "exec.create" => self.create(request).await,
            "exec.start" => self.start(name, request),
            "exec.inspect" => self.exec(name),
            "exec.resize" => {
                self.with(|play| play.sizes.push(query.to_owned()));
                Response::new(Body::empty())
            }
            other => panic!("the stage does not play {other}"),
        }
    }

    fn counted(&self) -> Counted {
        self.opened.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        Counted(Arc::clone(&self.open))
    }

    /// The stream that the test has prepared, or one that says nothing.
    fn stream(&self) -> Response<Body> {
        let prepared = self.with(|play| (!play.streams.is_empty()).then(|| play.streams.remove(0)));
        let counted = self.counted();
        let pieces =
            futures_util::stream::unfold((prepared, counted), async |(stream, counted)| {
                let mut stream = stream;
                let piece = match &mut stream {
                    Some(receiver) => receiver.recv().await?,
                    None => std::future::pending().await,
                };
                Some((io::Result::Ok(piece), (stream, counted)))
            });
        let mut response = Response::new(Body::from_stream(pieces));
        let kind = "application/vnd.docker.multiplexed-stream".parse().unwrap();
        response.headers_mut().insert("content-type", kind);
        response
    }

    fn follow_events(&self, query: &str) -> Response<Body> {
        let receiver = self.events.subscribe();
        let since = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("since="));
        let since = since.unwrap_or_default().to_owned();
        let from = nano(&since);
        let (journal, ends) = self.with(|play| {
            play.asked_since.push(since);
            let past = play.journal.iter().filter(|event| event.time_nano >= from);
            (past.map(line).collect::<String>(), play.ends_events)
        });
        let past = futures_util::stream::iter([io::Result::Ok(Bytes::from(journal))]);
        let coming = futures_util::stream::unfold(receiver, move |mut receiver| async move {
            if ends {
                return None;
            }
            let line = receiver.recv().await.ok()?;
            // An empty line is how a test breaks the connection.
            (!line.is_empty()).then(|| (io::Result::Ok(Bytes::from(line)), receiver))
        });
        use futures_util::StreamExt;
        Response::new(Body::from_stream(past.chain(coming)))
    }

    /// Ends every event stream, as an engine that goes down.
    pub(crate) fn break_events(&self) {
        let _nobody = self.events.send(String::new());
    }

    fn list(&self, query: &str) -> Vec<ContainerSummary> {
        let all = self.with(|play| play.containers.clone());
        let found = all
            .into_iter()
            .filter(|(id, ..)| !query.contains("filters") || query.contains(id));
        let summary = |(id, name, state): (String, String, String)| ContainerSummary {
            names: vec![format!("/{name}")],
            id,
            state,
            ..ContainerSummary::default()
        };
        found.map(summary).collect()
    }

    fn inspect(&self, wanted: &str) -> Response<Body> {
        let all = self.with(|play| play.containers.clone());
        match all.into_iter().find(|(id, ..)| id == wanted) {
            Some((id, _, status)) => json(&Container {
                id,
                state: ContainerState {
                    running: status == "running",
                    status,
                    ..ContainerState::default()
                },
                ..Container::default()
            }),
            None => refuse(StatusCode::NOT_FOUND, "No such container"),
        }
    }

    /// The files of a container are the commands that it has.
    fn path_stat(&self, query: &str) -> Response<Body> {
        let path = query.strip_prefix("path=").unwrap().replace("%2F", "/");
        let is_there = |command: &String| command.split(' ').next() == Some(path.as_str());
        if !self.with(|play| play.commands.iter().any(is_there)) {
            return refuse(StatusCode::NOT_FOUND, "Could not find the file");
        }
        let mut response = Response::new(Body::empty());
        let facts = PathStat::default().to_header().parse().unwrap();
        response.headers_mut().insert(PATH_STAT_HEADER, facts);
        response
    }

    async fn load(&self, request: Request<Incoming>) -> Response<Body> {
        match request.into_body().collect().await {
            Ok(body) => {
                let n_bytes = body.to_bytes().len();
                let line = format!("{{\"stream\":\"Loaded image: {n_bytes}\\n\"}}\n");
                Response::new(Body::from(line))
            }
            Err(_) => refuse(StatusCode::BAD_REQUEST, "unexpected end of archive"),
        }
    }

    /// Takes the whole context, as an engine does before its first line.
    async fn build(&self, request: Request<Incoming>) -> Response<Body> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let headers = request.headers().clone();
        match request.into_body().collect().await {
            Ok(body) => {
                let body = body.to_bytes();
                self.with(|play| play.builds.push((query, headers, body)));
                self.stream()
            }
            Err(_) => refuse(StatusCode::BAD_REQUEST, "the context broke off"),
        }
    }

    /// Knows one typo.
    async fn check(&self, request: Request<Incoming>) -> Response<Body> {
        let text = request.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&text).into_owned();
        let wrong = text.lines().position(|line| line.starts_with("RUNN"));
        let fault = wrong.map(|at| DockerfileFault {
            line: at + 1,
            last_line: at + 1,
            column: 1,
            rule: "instruction".to_owned(),
            message: "unknown instruction: RUNN".to_owned(),
            meant: Some("RUN".to_owned()),
        });
        json(&DockerfileCheck {
            faults: fault.into_iter().collect(),
            stages: Vec::new(),
        })
    }

    async fn create(&self, request: Request<Incoming>) -> Response<Body> {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body: engine_api::execs::ExecCreateBody = serde_json::from_slice(&body).unwrap();
        let command = body.cmd.unwrap_or_default().join(" ");
        let number = self.with(|play| {
            play.execs.push((command, None));
            play.execs.len()
        });
        json(&engine_api::execs::ExecCreated { id: id(number) })
    }

    /// A command that is there echoes what is typed, until `exit`; another one never ran.
    fn start(&self, name: &str, mut request: Request<Incoming>) -> Response<Body> {
        let number = usize::from_str_radix(name, 16).unwrap() - 1;
        let is_there = self.with(|play| {
            let is_there = play.commands.contains(&play.execs[number].0);
            if !is_there {
                play.execs[number].1 = Some(127);
            }
            is_there
        });
        let stage = self.clone();
        let counted = self.counted();
        let upgrade = hyper::upgrade::on(&mut request);
        backend::tasks::Tasks::default().finish("exec", async move {
            let _counted = counted;
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            if !is_there {
                stream.write_all(b"no such file\r\n").await.unwrap();
                return;
            }
            let mut buffer = [0; 4_096];
            while let Ok(n_bytes @ 1..) = stream.read(&mut buffer).await {
                if buffer[..n_bytes].starts_with(b"exit") {
                    stage.with(|play| play.execs[number].1 = Some(3));
                    return;
                }
                if stream.write_all(&buffer[..n_bytes]).await.is_err() {
                    return;
                }
            }
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "Upgrade")
            .header("upgrade", "tcp")
            .header("content-type", "application/vnd.docker.raw-stream")
            .body(Body::empty())
            .unwrap()
    }

    fn exec(&self, name: &str) -> Response<Body> {
        let number = usize::from_str_radix(name, 16).unwrap() - 1;
        let exit_code = self.with(|play| play.execs[number].1);
        json(&engine_api::execs::ExecInspect {
            running: exit_code.is_none(),
            exit_code,
            ..engine_api::execs::ExecInspect::default()
        })
    }
}

/// An owner of that name: their cookie and who they are.
pub(crate) async fn owner(house: &House, name: &str) -> (String, backend::access::Actor) {
    house.person(name, Role::Owner).await
}

/// Ends every session of a person's, as they do from another browser.
pub(crate) async fn end_sessions(house: &House, actor: &backend::access::Actor) {
    let cookie = house.login(&actor.account).await;
    let elsewhere = house.actor(&cookie).await.unwrap();
    let permit = house.permit(&elsewhere, "").await;
    let ended = backend::services::accounts::end_other_sessions(&house.app.services, &permit);
    ended.await.unwrap();
}

/// A frame of ordinary output.
pub(crate) fn framed(text: &str) -> Bytes {
    let length = u32::try_from(text.len()).unwrap();
    [&frame::header(Stream::Stdout, length), text.as_bytes()]
        .concat()
        .into()
}

fn line(event: &Event) -> String {
    format!("{}\n", serde_json::to_string(event).unwrap())
}

fn nano(since: &str) -> i64 {
    let (seconds, fraction) = since.split_once('.').unwrap_or((since, "0"));
    seconds.parse::<i64>().unwrap() * 1_000_000_000 + fraction.parse::<i64>().unwrap()
}

fn json(value: &impl serde::Serialize) -> Response<Body> {
    Response::new(Body::from(serde_json::to_vec(value).unwrap()))
}

fn refuse(status: StatusCode, message: &str) -> Response<Body> {
    let message = message.to_owned();
    let mut response = json(&engine_api::error::ErrorBody { message });
    *response.status_mut() = status;
    response
}
