//! The sections of the create form, and in each its fields.

/// How a field is drawn.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    /// A line.
    Line,
    /// A line, with usual values in the list of that name.
    Suggest(&'static str),
    /// A whole number.
    Number,
    /// So many lines.
    Lines(u8),
    /// Yes or no.
    Switch,
    /// One of these: the value, and the key of its words when it is no word of Docker's.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Usual values of fields that take others too.
pub(super) const LISTS: &[(&str, &[&str])] = &[
    (
        "restarts",
        &[
            "no",
            "always",
            "unless-stopped",
            "on-failure",
            "on-failure:5",
        ],
    ),
    ("pid-modes", &["host", "container:NAME"]),
    (
        "ipc-modes",
        &["private", "shareable", "host", "none", "container:NAME"],
    ),
];

/// A field: name, how it is drawn, an example.
pub(super) type Row = (&'static str, Draw, &'static str);

/// The form, once: sections with their icons. Labels and hints are the messages `create-<name>`; the
/// names are those of the table of options.
pub(super) const PLAN: &[(&str, &str, &[Row])] = &[
    (
        "create-what",
        "box",
        &[
            ("image", Draw::Line, "gantry/hello"),
            ("name", Draw::Line, "web-1"),
            ("command", Draw::Lines(2), "nginx -g 'daemon off;'"),
            ("start", Draw::Switch, ""),
            ("auto_remove", Draw::Switch, ""),
        ],
    ),
    (
        "create-process",
        "terminal",
        &[
            ("environment", Draw::Lines(3), "TZ=Asia/Seoul\nDEBUG=1"),
            ("entrypoint", Draw::Lines(1), "/docker-entrypoint.sh"),
            ("working_dir", Draw::Line, "/app"),
            ("user", Draw::Line, "1000:1000"),
            ("groups", Draw::Line, "audio 44"),
            ("stop_signal", Draw::Line, "SIGTERM"),
            ("stop_timeout", Draw::Number, "10"),
            ("tty", Draw::Switch, ""),
            ("stdin", Draw::Switch, ""),
            ("init", Draw::Switch, ""),
        ],
    ),
    (
        "create-limits",
        "cpu",
        &[
            ("memory", Draw::Line, "512m"),
            ("cpus", Draw::Line, "1.5"),
            ("pids", Draw::Number, "256"),
            ("memory_reservation", Draw::Line, "256m"),
            ("memory_swap", Draw::Line, "1g"),
            ("memory_swappiness", Draw::Number, "60"),
            ("oom_score_adj", Draw::Number, "500"),
            ("oom_kill_disable", Draw::Switch, ""),
            ("cpu_shares", Draw::Number, "1024"),
            ("cpuset_cpus", Draw::Line, "0-1"),
            ("cpuset_mems", Draw::Line, "0"),
            ("cpu_period", Draw::Number, "100000"),
            ("cpu_quota", Draw::Number, "50000"),
            ("cpu_rt_period", Draw::Number, "1000000"),
            ("cpu_rt_runtime", Draw::Number, "950000"),
            ("ulimits", Draw::Lines(2), "nofile=1024:4096"),
        ],
    ),
    (
        "create-health",
        "heart-pulse",
        &[
            ("restart", Draw::Suggest("restarts"), "unless-stopped"),
            (
                "health_cmd",
                Draw::Lines(2),
                "curl -fsS http://localhost/ || exit 1",
            ),
            ("health_interval", Draw::Line, "30s"),
            ("health_timeout", Draw::Line, "30s"),
            ("health_retries", Draw::Number, "3"),
            ("health_start_period", Draw::Line, "10s"),
            ("health_start_interval", Draw::Line, "5s"),
            ("health_off", Draw::Switch, ""),
        ],
    ),
    (
        "create-security",
        "shield",
        &[
            ("read_only", Draw::Switch, ""),
            ("no_new_privileges", Draw::Switch, ""),
            ("cap_drop", Draw::Line, "ALL"),
            ("cap_add", Draw::Line, "NET_BIND_SERVICE"),
            ("seccomp", Draw::Lines(2), "unconfined"),
            ("apparmor", Draw::Line, "docker-default"),
            ("privileged", Draw::Switch, ""),
            ("system_paths", Draw::Switch, ""),
            ("writable_cgroups", Draw::Switch, ""),
            ("masked_paths", Draw::Lines(2), "/proc/keys\n/sys/firmware"),
            ("readonly_paths", Draw::Lines(2), "/proc/sys"),
        ],
    ),
    (
        "create-hardware",
        "server",
        &[
            ("devices", Draw::Lines(2), "/dev/fuse\n/dev/sdb:/dev/xvdb:r"),
            ("device_rules", Draw::Lines(2), "c 10:229 rwm"),
            ("blkio_weight", Draw::Number, "500"),
            ("blkio_weight_device", Draw::Lines(2), "/dev/sda:300"),
            ("device_read_bps", Draw::Lines(2), "/dev/sda:10m"),
            ("device_write_bps", Draw::Lines(2), "/dev/sda:10m"),
            ("device_read_iops", Draw::Lines(2), "/dev/sda:1000"),
            ("device_write_iops", Draw::Lines(2), "/dev/sda:1000"),
        ],
    ),
    (
        "create-storage",
        "hard-drive",
        &[
            (
                "mounts",
                Draw::Lines(3),
                "/srv/data:/data\n/etc/app.conf:/etc/app.conf:ro",
            ),
            (
                "mount_requests",
                Draw::Lines(2),
                "type=bind,source=/srv,target=/data,readonly",
            ),
            ("tmpfs", Draw::Lines(2), "/tmp:size=64m"),
            ("shm_size", Draw::Line, "64m"),
            ("storage_size", Draw::Line, "10g"),
        ],
    ),
    (
        "create-networking",
        "network",
        &[
            ("network", Draw::Line, "bridge"),
            ("hostname", Draw::Line, "web-1"),
            ("domainname", Draw::Line, "example.com"),
            ("expose", Draw::Line, "80/tcp 443/tcp"),
            ("dns", Draw::Line, "1.1.1.1"),
            ("dns_search", Draw::Line, "example.com"),
            ("dns_options", Draw::Line, "ndots:2"),
            ("extra_hosts", Draw::Lines(2), "db:10.0.0.2"),
        ],
    ),
    (
        "create-logging",
        "scroll-text",
        &[
            (
                "log_driver",
                Draw::Choice(&[
                    ("", "create-usual"),
                    ("json-file", ""),
                    ("local", ""),
                    ("none", ""),
                ]),
                "",
            ),
            ("log_max_size", Draw::Line, "10m"),
            ("log_max_files", Draw::Number, "3"),
        ],
    ),
    (
        "create-labelling",
        "tag",
        &[
            ("labels", Draw::Lines(3), "app=shop\ntier=web"),
            ("annotations", Draw::Lines(2), "note=for the shop"),
        ],
    ),
    (
        "create-namespaces",
        "layers",
        &[
            ("pid_mode", Draw::Suggest("pid-modes"), "host"),
            ("ipc_mode", Draw::Suggest("ipc-modes"), "private"),
            (
                "uts_mode",
                Draw::Choice(&[("", "create-usual"), ("host", "")]),
                "",
            ),
            (
                "cgroupns_mode",
                Draw::Choice(&[("", "create-usual"), ("private", ""), ("host", "")]),
                "",
            ),
            ("userns_mode", Draw::Line, "host"),
            ("cgroup_parent", Draw::Line, "/shop"),
            ("sysctls", Draw::Lines(2), "net.core.somaxconn=1024"),
        ],
    ),
];
