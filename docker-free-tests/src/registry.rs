//! A real registry on a loopback port: Debian's docker-registry, filled by skopeo.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{docker, need, wait};

/// The name and password that a registry with access control knows.
pub const NAME: &str = "ann";
pub const PASSWORD: &str = "loopback-only";
const PASSWORD_FILE: &str = "ann:$2y$05$svM0SteJLEDet1JM6ghUw.YiqB47hsR6DXIolds2OIEhLyJyJ1jcC\n";

/// A running registry.
pub struct Registry {
    /// `127.0.0.1:PORT`.
    pub address: String,
    dir: TempDir,
    process: Child,
    closed: bool,
}

/// Who may use a registry, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Closed,
    /// Closed, and by TLS with a certificate of its own authority.
    Certified,
}

impl Registry {
    /// Starts a registry that anyone on this machine may use.
    pub fn open() -> Registry {
        Registry::start(Kind::Open)
    }

    /// Starts a registry that wants a name and a password.
    pub fn closed() -> Registry {
        Registry::start(Kind::Closed)
    }

    /// Starts a registry that wants a name and a password, by TLS; nobody knows who vouches for it.
    pub fn certified() -> Registry {
        Registry::start(Kind::Certified)
    }

    /// The certificate of the authority that vouches for a certified registry.
    ///
    /// # Panics
    /// When it is none.
    pub fn authority(&self) -> String {
        fs::read_to_string(self.dir.path().join("ca.crt")).expect("a certified registry")
    }

    fn start(kind: Kind) -> Registry {
        let dir = tempfile::Builder::new()
            .prefix("registry-")
            .tempdir()
            .expect("a temporary directory");
        let address = format!("127.0.0.1:{}", free_port());
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            dir.path().join("store").display()
        );
        if kind == Kind::Certified {
            certify(dir.path());
            let own = |name: &str| dir.path().join(name).display().to_string();
            let (certificate, key) = (own("own.crt"), own("own.key"));
            config.push_str(&format!(
                "  tls:\n    certificate: {certificate}\n    key: {key}\n"
            ));
        }
        if kind != Kind::Open {
            let passwords = dir.path().join("passwords");
            fs::write(&passwords, PASSWORD_FILE).expect("the directory is ours");
            config.push_str(&format!(
                "auth:\n  htpasswd:\n    realm: loopback\n    path: {}\n",
                passwords.display()
            ));
        }
        let config_file = dir.path().join("config.yml");
        fs::write(&config_file, config).expect("the directory is ours");
        let process = Command::new(need::program("docker-registry"))
            .arg("serve")
            .arg(&config_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        wait::until_true("the registry listens", || {
            TcpStream::connect(&address).is_ok()
        });
        Registry {
            address,
            dir,
            process,
            closed: kind != Kind::Open,
        }
    }

    /// Puts a docker archive into the registry as `name` (`shop/app:1`); gives the full name.
    ///
    /// # Panics
    /// When skopeo fails.
    pub fn push(&self, archive: &[u8], name: &str) -> String {
        let file = self.dir.path().join("pushed.tar");
        fs::write(&file, archive).expect("the directory is ours");
        let full = format!("{}/{name}", self.address);
        let mut command = Command::new(need::program("skopeo"));
        command.args([
            "--insecure-policy",
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
        ]);
        if self.closed {
            command
                .arg("--dest-creds")
                .arg(format!("{NAME}:{PASSWORD}"));
        }
        command
            .arg(format!("docker-archive:{}", file.display()))
            .arg(format!("docker://{full}"));
        docker::run(&mut command, &[]).expect(0);
        full
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Ended already is ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes an authority, and a certificate of 127.0.0.1 that it signed.
fn certify(dir: &Path) {
    let openssl = |line: &str| {
        let mut command = Command::new(need::program("openssl"));
        command.current_dir(dir).args(line.split(' '));
        docker::run(&mut command, &[]).expect(0);
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout";
    openssl(&format!(
        "req -x509 {key} ca.key -out ca.crt -days 2 -subj /CN=gantry-test"
    ));
    openssl(&format!(
        "req {key} own.key -out own.csr -subj /CN=registry"
    ));
    fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("the directory is ours");
    openssl(
        "x509 -req -in own.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out own.crt",
    );
}

/// A loopback port that nobody listens on.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}
