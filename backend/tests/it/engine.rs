//! An engine for tests: answers from memory, over pipes instead of a socket.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use engine_api::containers::{
    Container, ContainerState, ContainerSummary, Health, HealthConfig, HealthResult,
};
use engine_api::error::ErrorBody;
use engine_api::events::{Actor, Event};
use engine_api::images::{Image, ImageSummary};
use engine_api::networks::Network;
use engine_api::operation;
use engine_api::stats::Stats;
use engine_api::system::{Info, Version};
use engine_api::version::split_path;
use engine_client::{ByteStream, Dial, Dialled, EngineClient};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::{engine_files, engine_layers, engine_networks, engine_registries};
use backend::tasks::Tasks;

/// What the engine holds and what it was asked.
pub(crate) struct State {
    /// Containers: id, name, state.
    pub containers: Vec<(String, String, String)>,
    /// What containers have used: id, processor time in nanoseconds, memory.
    pub used: Vec<(String, u64, u64)>,
    /// The engine's own time, in seconds since 1970.
    pub second: u64,
    /// How often it was asked what containers use.
    pub n_usages: usize,
    /// Images: id, tag.
    pub images: Vec<(String, String)>,
    /// Networks, as the list has them.
    pub networks: Vec<Network>,
    /// Who is in which, by the numbers of their places in the lists: container, network.
    pub places: Vec<(usize, usize)>,
    /// Ports that containers want: container, port.
    pub wanted: Vec<(String, u16)>,
    /// The changes it was asked for, as `container.start <id>`, with the caller's name.
    pub asked: Vec<(String, String)>,
    /// Whether it answers at all.
    pub is_away: bool,
    /// Whether changes fail.
    pub is_broken: bool,
    /// The change that fails, as `container.start`.
    pub fails_at: Option<&'static str>,
    /// The change that is made, and whose answer is lost, as `container.create`.
    pub breaks_at: Option<&'static str>,
    /// The container that ended badly, a moment ago; all others ended well, long ago.
    pub failed: Option<String>,
    /// Whether answers to changes are kept back.
    pub holds: bool,
    /// The change that is kept back, as `container.stop`.
    pub holds_at: Option<&'static str>,
    /// How every container but the first fares that runs; they have a health check then.
    pub health: Option<&'static str>,
    /// The last archive that was put into a container, or who logged in to a registry.
    pub put: Vec<u8>,
    /// What was asked of registries, as `image.create ?fromImage=…`, and the credentials with it.
    pub registries: Vec<(String, String)>,
    /// What containers are made of: the image's name as it was asked for, and its id.
    pub runs: (String, String),
    /// The digests by which images are known: id, `name@digest`.
    pub digests: Vec<(String, String)>,
    /// The digest that every tag has in its registry.
    pub remote: String,
    /// For how many seconds registries want to be left alone.
    pub rests: Option<u64>,
    /// What every registry says against it.
    pub registry_says: Option<&'static str>,
    last_nano: i64,
}

/// An engine in memory. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FakeEngine {
    state: Arc<Mutex<State>>,
    events: broadcast::Sender<String>,
    tasks: Tasks,
}

/// The id of the container with that number.
pub(crate) fn id(number: usize) -> String {
    format!("{number:064x}")
}

impl FakeEngine {
    pub(crate) fn new(tasks: Tasks) -> Self {
        let image = (
            format!("sha256:{}", id(7)),
            "gantry/hello:latest".to_owned(),
        );
        let state = State {
            containers: vec![
                (id(1), "web".to_owned(), "running".to_owned()),
                (id(2), "db".to_owned(), "exited".to_owned()),
            ],
            used: Vec::new(),
            second: 1_800_000_000,
            n_usages: 0,
            images: vec![image],
            networks: engine_networks::usual(),
            places: Vec::new(),
            wanted: Vec::new(),
            asked: Vec::new(),
            is_away: false,
            is_broken: false,
            fails_at: None,
            breaks_at: None,
            failed: None,
            holds: false,
            holds_at: None,
            health: None,
            put: Vec::new(),
            registries: Vec::new(),
            runs: ("gantry/hello".to_owned(), String::new()),
            digests: Vec::new(),
            remote: String::new(),
            rests: None,
            registry_says: None,
            last_nano: 1_000_000_000,
        };
        let (events, _) = broadcast::channel(4096);
        Self {
            state: Arc::new(Mutex::new(state)),
            events,
            tasks,
        }
    }

    pub(crate) fn client(&self) -> EngineClient {
        EngineClient::new(Arc::new(self.clone()))
    }

    /// Changes what the engine holds.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// Tells whoever listens that something happened to an image.
    pub(crate) fn tell_of_image(&self, action: &str, image: &str) {
        self.tell_of("image", action, image);
    }

    /// Tells whoever listens that something happened to a container.
    pub(crate) fn tell(&self, action: &str, container: &str) {
        self.tell_of("container", action, container);
    }

    /// Tells whoever listens that something happened to a network.
    pub(crate) fn tell_of_network(&self, action: &str, network: &str) {
        self.tell_of("network", action, network);
    }

    fn tell_of(&self, kind: &str, action: &str, id: &str) {
        let nano = self.with(|state| {
            state.last_nano += 1;
            state.last_nano
        });
        let event = Event {
            kind: kind.to_owned(),
            action: action.to_owned(),
            actor: Actor {
                id: id.to_owned(),
                ..Actor::default()
            },
            time: nano / 1_000_000_000,
            time_nano: nano,
            ..Event::default()
        };
        let line = serde_json::to_string(&event).unwrap();
        let _nobody_listens = self.events.send(format!("{line}\n"));
    }

    fn answer(&self, request: &Request<hyper::body::Incoming>) -> Response<Body> {
        let Ok((_, path)) = split_path(request.uri().path()) else {
            return refuse(StatusCode::BAD_REQUEST, "no version");
        };
        let Some((asked, name)) = operation::find(request.method().as_str(), path) else {
            return refuse(StatusCode::NOT_FOUND, "page not found");
        };
        let caller = request.headers().get("x-gantry-caller");
        let caller = caller
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        match asked.name {
            "system.ping" => Response::new(Body::from("OK")),
            "system.version" => json(&Version::default()),
            "system.info" => json(&Info {
                n_cpu: 2,
                ..Info::default()
            }),
            "system.events" => self.follow(),
            "network.list" => json(&self.with(|state| state.networks.clone())),
            "network.create" | "network.connect" | "network.disconnect" | "network.remove"
            | "network.prune" => engine_networks::answer(self, asked.name, name, caller),
            "container.list" => self.list(request.uri().query().unwrap_or_default()),
            "container.inspect" => self.inspect(name),
            "container.stats" => self.usage(name),
            "image.list" => json(&self.images()),
            "image.inspect" if self.with(|state| !state.digests.is_empty()) => {
                json(&Image::default())
            }
            "image.inspect" => refuse(StatusCode::NOT_FOUND, "No such image"),
            "container.changes" | "image.history" => json(&Vec::<u8>::new()),
            "container.wait" => self.wait(name),
            "container.logs" => last_line(),
            "container.rename" => {
                let query = request.uri().query().unwrap_or_default();
                self.rename(name, query, caller)
            }
            "container.path_stat" | "container.archive" => engine_files::archive(request),
            "container.files" => engine_files::listing(),
            "image.layers" | "image.files" | "image.file" => {
                engine_layers::answer(asked.name, request)
            }
            "image.create"
            | "image.push"
            | "system.auth"
            | "registry.repositories"
            | "repository.digest"
            | "repository.tags" => engine_registries::answer(self, asked.name, name, request),
            "container.extract" => empty(StatusCode::OK),
            "container.create" => self.create(request.uri().query().unwrap_or_default(), caller),
            change => self.change(change, name, caller),
        }
    }

    fn follow(&self) -> Response<Body> {
        let receiver = self.events.subscribe();
        let lines = futures_util::stream::unfold(receiver, |mut receiver| async {
            let line = receiver.recv().await.ok()?;
            Some((io::Result::Ok(Bytes::from(line)), receiver))
        });
        Response::new(Body::from_stream(lines))
    }

    fn list(&self, query: &str) -> Response<Body> {
        let all = self.with(|state| state.containers.clone());
        let (image, image_id) = self.with(|state| state.runs.clone());
        let found = all
            .iter()
            .filter(|(id, ..)| !query.contains("filters") || query.contains(id));
        let list: Vec<_> = found
            .map(|(id, name, state)| ContainerSummary {
                id: id.clone(),
                names: vec![format!("/{name}")],
                image: image.clone(),
                image_id: image_id.clone(),
                state: state.clone(),
                network_settings: self.with(|state| engine_networks::of(state, id)),
                ..ContainerSummary::default()
            })
            .collect();
        json(&list)
    }

    fn inspect(&self, wanted: &str) -> Response<Body> {
        let all = self.with(|state| state.containers.clone());
        let Some((id, name, status)) = all.into_iter().find(|(id, ..)| id == wanted) else {
            return refuse(StatusCode::NOT_FOUND, "No such container");
        };
        if self.with(|state| state.fails_at == Some("container.inspect") && id != self::id(1)) {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "input/output error");
        }
        let has_failed = self.with(|state| state.failed.as_ref() == Some(&id));
        let (exit_code, year) = if has_failed { (1, 2026) } else { (0, 2020) };
        let mut container = Container {
            id,
            name: format!("/{name}"),
            state: ContainerState {
                status,
                exit_code,
                finished_at: format!("{year}-01-01T00:00:00Z"),
                ..ContainerState::default()
            },
            ..Container::default()
        };
        container.config.env = Some(vec!["KEY=s3cret".to_owned()]);
        container.config.image = "gantry/hello".to_owned();
        container.state.running = container.state.status == "running";
        if let (Some(status), true) = (self.with(|state| state.health), wanted != self::id(1)) {
            container.config.healthcheck = Some(HealthConfig {
                test: Some(vec!["CMD".to_owned(), "look".to_owned()]),
                ..HealthConfig::default()
            });
            let looked = HealthResult {
                output: "it is too quiet".to_owned(),
                ..HealthResult::default()
            };
            container.state.health = container.state.running.then(|| Health {
                status: status.to_owned(),
                log: vec![looked],
                ..Health::default()
            });
        }
        let wanted = self.with(|state| engine_networks::wanted(state, &container.id));
        container.host_config_json = serde_json::json!({
            "NetworkMode": "none", "Memory": 64 << 20, "MemorySwap": 128 << 20, "PortBindings": wanted,
        });
        json(&container)
    }

    /// What a container has used; two processors have been there since 1970.
    fn usage(&self, wanted: &str) -> Response<Body> {
        self.with(|state| {
            state.n_usages += 1;
            let used = state.used.iter().find(|(id, ..)| id == wanted);
            let Some((_, nanoseconds, memory)) = used else {
                return refuse(StatusCode::NOT_FOUND, "No such container");
            };
            let second = i64::try_from(state.second).unwrap();
            let mut stats = Stats {
                read: jiff::Timestamp::from_second(second).unwrap().to_string(),
                ..Stats::default()
            };
            stats.cpu_stats.online_cpus = Some(2);
            stats.cpu_stats.system_cpu_usage = Some(state.second * 2_000_000_000);
            stats.cpu_stats.cpu_usage.total_usage = *nanoseconds;
            stats.memory_stats.usage = Some(*memory);
            json(&stats)
        })
    }

    fn images(&self) -> Vec<ImageSummary> {
        let (all, digests) = self.with(|state| (state.images.clone(), state.digests.clone()));
        let image = |(id, tag)| ImageSummary {
            repo_digests: digests
                .iter()
                .filter(|(of, _)| *of == id)
                .map(|(_, digest)| digest.clone())
                .collect(),
            id,
            repo_tags: vec![tag],
            ..ImageSummary::default()
        };
        all.into_iter().map(image).collect()
    }

    /// Makes a container with the next number.
    fn create(&self, query: &str, caller: String) -> Response<Body> {
        let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
        let name = name.unwrap_or("unnamed").to_owned();
        if self.with(|state| state.fails_at == Some("container.create")) {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "exec format error");
        }
        let made = self.with(|state| {
            state.asked.push(("container.create".to_owned(), caller));
            let made = id(100 + state.containers.len());
            let container = (made.clone(), name, "created".to_owned());
            state.containers.push(container);
            made
        });
        self.tell("create", &made);
        json(&engine_api::containers::CreateAnswer {
            id: made,
            warnings: Vec::new(),
        })
    }

    fn rename(&self, id: &str, query: &str, caller: String) -> Response<Body> {
        let to = query.strip_prefix("name=").unwrap_or_default();
        self.with(|state| {
            let asked = format!("container.rename {id} {to}");
            state.asked.push((asked, caller));
            for container in &mut state.containers {
                if container.0 == id {
                    to.clone_into(&mut container.1);
                }
            }
        });
        self.tell("rename", id);
        empty(StatusCode::NO_CONTENT)
    }

    /// Answers at once about what has ended, and never about what runs.
    fn wait(&self, id: &str) -> Response<Body> {
        let has_ended = self.with(|state| {
            let found = state.containers.iter().find(|(known, ..)| known == id);
            found.is_none_or(|(_, _, state)| state != "running")
        });
        if has_ended {
            return json(&engine_api::containers::WaitAnswer {
                status_code: 7,
                error: None,
            });
        }
        Response::new(Body::from_stream(futures_util::stream::pending::<
            io::Result<Bytes>,
        >()))
    }

    fn change(&self, asked: &str, id: &str, caller: String) -> Response<Body> {
        self.with(|state| state.asked.push((format!("{asked} {id}"), caller)));
        if self.with(|state| state.fails_at == Some(asked) && id != self::id(1)) {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "exec format error");
        }
        if asked == "container.update" {
            return json(&engine_api::containers::UpdateAnswer::default());
        }
        if self.with(|state| state.is_broken) {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "no space left on device");
        }
        let to = match asked {
            "container.start" | "container.restart" => "running",
            "container.stop" | "container.kill" => "exited",
            "container.remove" => "",
            _ => return refuse(StatusCode::NOT_IMPLEMENTED, "not here"),
        };
        self.with(|state| {
            for container in &mut state.containers {
                if container.0 == id || container.1 == id {
                    to.clone_into(&mut container.2);
                }
            }
            state.containers.retain(|(_, _, state)| !state.is_empty());
        });
        self.tell(asked.trim_start_matches("container."), id);
        empty(StatusCode::NO_CONTENT)
    }
}

impl Dial for FakeEngine {
    fn dial(&self) -> Dialled<'_> {
        Box::pin(async {
            if self.with(|state| state.is_away) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (near, far) = tokio::io::duplex(64 * 1024);
            let engine = self.clone();
            self.tasks.finish("fake engine", async move {
                let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
                    let answer = engine.answer(&request);
                    let is_change = request.method() != http::Method::GET;
                    let name = name_of(&request);
                    let engine = engine.clone();
                    async move {
                        let is_put = request.method() == http::Method::PUT || name == "system.auth";
                        if is_put && let Ok(body) = request.into_body().collect().await {
                            engine.with(|state| state.put = body.to_bytes().to_vec());
                        }
                        let is_held = |state: &mut State| {
                            is_change
                                && (state.holds || state.holds_at.is_some_and(|at| at == name))
                        };
                        while engine.with(is_held) {
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                        }
                        if engine.with(|state| state.breaks_at == Some(name)) {
                            return Err(io::Error::from(io::ErrorKind::ConnectionReset));
                        }
                        Ok(answer)
                    }
                });
                let _ended = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(far), TowerToHyperService::new(service))
                    .await;
            });
            Ok(Box::new(near) as Box<dyn ByteStream>)
        })
    }

    fn address(&self) -> String {
        "the fake engine".to_owned()
    }
}

/// A log of one line.
fn last_line() -> Response<Body> {
    let line = b"2027-01-15T08:00:00.000000000Z its last line\n";
    let length = u32::try_from(line.len()).unwrap();
    let head = engine_api::frame::header(engine_api::frame::Stream::Stdout, length);
    let mut response = Response::new(Body::from([&head[..], &line[..]].concat()));
    let kind = "application/vnd.docker.multiplexed-stream".parse().unwrap();
    response.headers_mut().insert("content-type", kind);
    response
}

/// The name of the operation that is asked for.
fn name_of(request: &Request<hyper::body::Incoming>) -> &'static str {
    let path = split_path(request.uri().path()).ok();
    let found = path.and_then(|(_, path)| operation::find(request.method().as_str(), path));
    found.map_or("", |(operation, _)| operation.name)
}

pub(crate) fn json(value: &impl Serialize) -> Response<Body> {
    Response::new(Body::from(serde_json::to_vec(value).unwrap()))
}

pub(crate) fn refuse(status: StatusCode, message: &str) -> Response<Body> {
    let body = ErrorBody {
        message: message.to_owned(),
    };
    let mut response = json(&body);
    *response.status_mut() = status;
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
