//! The doors table of the house: for each package and each room, whom it may call.
//!
//! A row is changed together with ARCHITECTURE.md, and the commit says why the wall moved.

/// A package, ours that it may depend on, and names that it never depends on.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) may: &'static [&'static str],
    pub(crate) may_in_tests: &'static [&'static str],
    pub(crate) never: &'static [&'static str],
}

/// A room of a package: the rooms and watched crates that it may use; `*` is all of them.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) rooms: &'static [&'static str],
    pub(crate) crates: &'static [&'static str],
}

const ASYNC: &[&str] = &["tokio", "axum", "hyper", "sqlx", "tracing"];

const fn package(
    name: &'static str,
    may: &'static [&'static str],
    may_in_tests: &'static [&'static str],
    never: &'static [&'static str],
) -> Package {
    Package {
        name,
        may,
        may_in_tests,
        never,
    }
}

const fn room(
    name: &'static str,
    rooms: &'static [&'static str],
    crates: &'static [&'static str],
) -> Room {
    Room {
        name,
        rooms,
        crates,
    }
}

pub(crate) const PACKAGES: &[Package] = &[
    package("engine-api", &[], &[], ASYNC),
    package(
        "engine-client",
        &["engine-api", "engine-tar"],
        &[],
        &["axum", "sqlx"],
    ),
    package("engine-build", &[], &[], ASYNC),
    package("engine-sys", &[], &[], ASYNC),
    package("engine-runtime", &["engine-sys"], &["engine-embed"], ASYNC),
    package("engine-tar", &[], &[], ASYNC),
    package(
        "engine-images",
        &["engine-sys", "engine-tar"],
        &[],
        &["axum", "sqlx"],
    ),
    package("engine-network", &["engine-sys"], &[], &["axum", "sqlx"]),
    package("engine-storage", &["engine-sys", "engine-tar"], &[], ASYNC),
    package("engine-hello", &[], &[], ASYNC),
    package("engine-embed", &[], &[], ASYNC),
    package(
        "engine-agent",
        &[
            "engine-api",
            "engine-build",
            "engine-sys",
            "engine-runtime",
            "engine-images",
            "engine-network",
            "engine-storage",
            "engine-embed",
        ],
        &["engine-client"],
        &["sqlx"],
    ),
    package("frontend", &[], &[], &["axum", "sqlx", "tokio", "hyper"]),
    package(
        "backend",
        &["frontend", "engine-api", "engine-client"],
        &[],
        &[],
    ),
    package(
        "docker-free-tests",
        &[
            "backend",
            "engine-agent",
            "engine-client",
            "engine-api",
            "frontend",
        ],
        &[],
        &[],
    ),
];

/// Crates that only the rooms that name them may call.
pub(crate) const WATCHED: &[&str] = &[
    "axum",
    "axum_extra",
    "sqlx",
    "frontend",
    "engine_api",
    "engine_build",
    "engine_client",
    "engine_sys",
    "engine_runtime",
    "engine_images",
    "engine_network",
    "engine_storage",
];

/// Rooms that every other may use: time, ids, tasks and settings are handed down from here.
pub(crate) const FOUNDATION: &[&str] = &["clock", "ids", "tasks", "config", "errors"];

pub(crate) const ROOMS: &[(&str, &[Room])] =
    &[("backend/src/", BACKEND), ("engine/agent/src/", AGENT)];

const BACKEND: &[Room] = &[
    room("clock", &[], &[]),
    room("ids", &[], &[]),
    room("tasks", &[], &[]),
    room("errors", &[], &[]),
    room("domain", &[], &[]),
    room("store", &["domain"], &["sqlx"]),
    room("access", &["domain", "store"], &[]),
    room(
        "fleet",
        &["domain", "access"],
        &["engine_api", "engine_client"],
    ),
    room(
        "services",
        &["domain", "store", "access", "fleet"],
        &["engine_api", "engine_client"],
    ),
    room("http", &["*"], &["axum", "axum_extra", "frontend"]),
    room(
        "http::extract",
        &["http", "domain", "access", "fleet", "app"],
        &["axum", "axum_extra"],
    ),
    room(
        "http::present",
        &[
            "http",
            "http::extract",
            "domain",
            "access",
            "fleet",
            "services",
        ],
        &["frontend", "engine_api"],
    ),
    room(
        "http::pages",
        PAGE_ROOMS,
        &["axum", "axum_extra", "frontend"],
    ),
    room("http::api", PAGE_ROOMS, &["axum", "axum_extra"]),
    room(
        "http::sockets",
        PAGE_ROOMS,
        &["axum", "axum_extra", "frontend"],
    ),
    room("jobs", &["domain", "services"], &[]),
    room("app", &["*"], &["*"]),
    // Before the server serves: command line, privileges, certificates, the engine beside it.
    room("start", &["*"], &["axum", "engine_api", "frontend"]),
];

const PAGE_ROOMS: &[&str] = &[
    "http",
    "http::extract",
    "http::present",
    "domain",
    "access",
    "services",
    "app",
];

const AGENT: &[Room] = &[
    room("clock", &[], &[]),
    room("ids", &[], &["engine_api"]),
    room("tasks", &[], &[]),
    // Who the users of containers are on the host: a setting, and part of a container's record.
    room("users", &[], &["engine_runtime", "engine_sys"]),
    room("config", &["users"], &["engine_api", "engine_network"]),
    room(
        "preflight",
        &["http", "services", "users"],
        &["engine_sys", "engine_runtime"],
    ),
    room("guard", &[], &["engine_api", "engine_runtime"]),
    // What is written down of a network is in that workshop's own words.
    room(
        "records",
        &["users"],
        &["engine_sys", "engine_api", "engine_network"],
    ),
    room(
        "http",
        &["services", "engine", "guard"],
        // One thing of the kernel: what a connection has not delivered yet.
        &["axum", "axum_extra", "engine_api", "engine_sys"],
    ),
    room(
        "services",
        // A service works on the whole engine: it is what it composes.
        &["records", "guard", "engine", "faults", "users"],
        &[
            "engine_api",
            "engine_build",
            "engine_runtime",
            "engine_images",
            "engine_network",
            "engine_storage",
        ],
    ),
    room(
        "recover",
        &["records", "services"],
        &[
            "engine_runtime",
            "engine_images",
            "engine_network",
            "engine_storage",
        ],
    ),
    // Where a debug build dies for a test.
    room("faults", &[], &[]),
    // The command that looks after the data of an engine that does not run.
    room("check", &["preflight", "records", "services"], &[]),
    // The command that takes an engine that does not run out of the host's network.
    room("leave", &["preflight", "services"], &[]),
    room("engine", &["*"], &["*"]),
];
