//! A place for containers: a busybox root, directories of its own, control groups of its own.

use std::fs;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;

use engine_runtime::{
    AttachStreams, Bundle, Control, Devices, Event, ExitRecord, Launcher, LogOptions, Network,
    Process, Request, Resources, Root, SPEC_VERSION, Seccomp, Sharing, Spec, Target,
    default_capabilities, default_masked_paths, default_readonly_paths, log,
};

pub(crate) const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const BOTH: AttachStreams = AttachStreams {
    stdin: false,
    stdout: true,
    stderr: true,
};
pub(crate) const ALL: AttachStreams = AttachStreams {
    stdin: true,
    stdout: true,
    stderr: true,
};

static NUMBER: AtomicU32 = AtomicU32::new(0);

static LAUNCHER: LazyLock<Launcher> = LazyLock::new(|| {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = engine_embed::build(&workspace, "engine-runtime", "gantry-monitor").unwrap();
    Launcher::new(&fs::read(path).unwrap()).unwrap()
});

/// A root of nothing but busybox and a few files, shared by all sandboxes there are and removed with
/// the last one.
fn busybox() -> Arc<tempfile::TempDir> {
    static ROOT: Mutex<Weak<tempfile::TempDir>> = Mutex::new(Weak::new());
    let mut root = ROOT.lock().unwrap();
    root.upgrade().unwrap_or_else(|| {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        *root = Arc::downgrade(&dir);
        for name in ["bin", "etc", "tmp", "root", "proc", "sys", "dev"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::copy("/bin/busybox", dir.path().join("bin/busybox")).unwrap();
        for name in [
            "sh", "ls", "cat", "echo", "true", "false", "sleep", "id", "stty", "tty", "head",
            "yes", "grep", "readlink", "hostname", "mount", "umount", "kill", "ps", "wc", "touch",
            "dd", "printf", "seq", "env", "pwd", "stat", "mknod", "test",
        ] {
            symlink("busybox", dir.path().join("bin").join(name)).unwrap();
        }
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1001::/tmp:/bin/sh\n";
        fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        fs::write(
            dir.path().join("etc/group"),
            "root:x:0:\nada:x:1001:\naudio:x:29:ada\n",
        )
        .unwrap();
        dir
    })
}

/// One container's directories and spec; whatever is left of it is killed at the end.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
    _busybox: Arc<tempfile::TempDir>,
    pub(crate) bundle: Bundle,
    pub(crate) spec: Spec,
}

impl Sandbox {
    /// Prepares a container that runs a shell script.
    pub(crate) fn shell(script: &str) -> Self {
        Self::new(&["/bin/sh", "-c", script])
    }

    /// Prepares a container.
    pub(crate) fn new(args: &[&str]) -> Self {
        let root = busybox();
        let dir = tempfile::tempdir().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("t{}-{number}", std::process::id());
        for name in ["data/upper", "data/work"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        let bundle = Bundle::new(dir.path().join("data"), dir.path().join("run"));
        let spec = Spec {
            version: SPEC_VERSION,
            cgroup: format!("gantry-test/{id}"),
            id,
            root: Root {
                lower: vec![root.path().to_path_buf()],
                upper: dir.path().join("data/upper"),
                work: dir.path().join("data/work"),
                readonly: false,
            },
            process: process(args),
            hostname: "box".into(),
            domainname: String::new(),
            network: Network::None,
            mounts: Vec::new(),
            shm_bytes: 64 << 20,
            resources: Resources::default(),
            capabilities: default_capabilities(),
            seccomp: Seccomp::Default,
            masked_paths: default_masked_paths(),
            readonly_paths: default_readonly_paths(),
            log: LogOptions::default(),
            oom_score_adj: None,
            seccomp_profile: None,
            apparmor: None,
            sharing: Sharing::default(),
            devices: Devices::default(),
            sysctls: Vec::new(),
            layout: None,
            writable_cgroups: false,
            writable_sysfs: false,
            counted: false,
            remap: None,
        };
        Self {
            dir,
            _busybox: root,
            bundle,
            spec,
        }
    }

    /// A directory for a further layer on top of busybox.
    pub(crate) fn layer(&mut self) -> PathBuf {
        let layer = self
            .dir
            .path()
            .join(format!("layer{}", self.spec.root.lower.len()));
        fs::create_dir(&layer).unwrap();
        self.spec.root.lower.insert(0, layer.clone());
        layer
    }

    /// Sets the container up.
    pub(crate) fn launch(&self) -> engine_runtime::Result<Control> {
        fs::write(self.bundle.spec(), serde_json::to_vec(&self.spec).unwrap()).unwrap();
        LAUNCHER.launch(&self.bundle)
    }

    /// Finds its monitor.
    pub(crate) fn reconnect(&self) -> Option<Control> {
        self.try_reconnect(LIMIT).unwrap()
    }

    /// Looks for its monitor for so long.
    pub(crate) fn try_reconnect(&self, limit: Duration) -> engine_runtime::Result<Option<Control>> {
        LAUNCHER.reconnect(&self.bundle, limit)
    }

    /// Runs it to its end and returns what it printed, both streams, and how it ended.
    pub(crate) fn run(&self) -> (String, ExitRecord) {
        let control = self.launch().unwrap();
        control.send(&Request::Start, &[]).unwrap();
        let record = wait_for_exit(&control);
        (self.output(), record)
    }

    /// Ends what a killed monitor has left.
    pub(crate) fn kill_leftovers(&self) -> bool {
        LAUNCHER.kill_leftovers(&self.bundle).unwrap()
    }

    /// What it printed so far.
    pub(crate) fn output(&self) -> String {
        let mut reader = log::Reader::open(&self.bundle.log(), log::Query::default()).unwrap();
        let mut text = Vec::new();
        while let Some(entry) = reader.next().unwrap() {
            if let log::Entry::Line(line) = entry {
                text.extend_from_slice(line.text);
                if !line.partial {
                    text.push(b'\n');
                }
            }
        }
        while let Some(line) = reader.finish() {
            text.extend_from_slice(line.text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(control) = self.reconnect() {
            let request = Request::Signal {
                target: Target::Init,
                signal: 9,
            };
            let _ = control.send(&request, &[]);
            while control.receive_within(LIMIT).is_ok() {}
        }
        LAUNCHER.kill_leftovers(&self.bundle).unwrap();
    }
}

/// A process with a usual environment.
pub(crate) fn process(args: &[&str]) -> Process {
    Process {
        args: args.iter().map(|one| (*one).to_owned()).collect(),
        env: vec!["PATH=/bin".into()],
        cwd: "/".into(),
        ..Process::default()
    }
}

/// Waits for the first event that `pick` likes.
pub(crate) fn wait_for<T>(control: &Control, pick: impl Fn(Event) -> Option<T>) -> T {
    loop {
        let event = control.receive_within(LIMIT).unwrap();
        assert!(!matches!(event, Event::Refused { .. }), "{event:?}");
        if let Some(found) = pick(event) {
            return found;
        }
    }
}

/// Starts the container and waits until its program runs.
pub(crate) fn start(control: &Control) -> i32 {
    control.send(&Request::Start, &[]).unwrap();
    wait_for(control, |event| match event {
        Event::Started { pid, .. } => Some(pid),
        _ => None,
    })
}

/// Waits for the end.
pub(crate) fn wait_for_exit(control: &Control) -> ExitRecord {
    wait_for(control, |event| match event {
        Event::Exited(record) => Some(record),
        Event::StartFailed { message, .. } => panic!("{message}"),
        _ => None,
    })
}

/// Ends the container with a signal to its first process.
pub(crate) fn kill(control: &Control) -> ExitRecord {
    control
        .send(
            &Request::Signal {
                target: Target::Init,
                signal: 9,
            },
            &[],
        )
        .unwrap();
    wait_for_exit(control)
}

/// Attaches a viewer.
pub(crate) fn attach(control: &Control, streams: AttachStreams) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    let theirs = OwnedFd::from(theirs);
    let request = Request::Attach {
        id: "viewer".into(),
        streams,
    };
    control.send(&request, &[theirs.as_fd()]).unwrap();
    ours
}

/// Begins an exec with a viewer.
pub(crate) fn exec(control: &Control, id: &str, process: Process) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    let theirs = OwnedFd::from(theirs);
    let request = Request::Exec {
        id: id.into(),
        process,
        streams: ALL,
    };
    control.send(&request, &[theirs.as_fd()]).unwrap();
    ours
}

/// Runs an exec to its end and returns its output and exit code.
pub(crate) fn run_exec(control: &Control, id: &str, process: Process) -> (String, i32) {
    let mut stream = exec(control, id, process);
    let code = wait_for(control, |event| match event {
        Event::ExecExited { code, .. } => Some(code),
        Event::ExecFailed { exit_code, .. } => Some(exit_code),
        _ => None,
    });
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    (unframe(&bytes), code)
}

/// Takes Docker's frames apart and returns the payloads of all streams together.
pub(crate) fn unframe(mut bytes: &[u8]) -> String {
    let mut text = Vec::new();
    while let [_, _, _, _, a, b, c, d, rest @ ..] = bytes {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        text.extend_from_slice(&rest[..length]);
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "a frame is cut");
    String::from_utf8_lossy(&text).into_owned()
}
