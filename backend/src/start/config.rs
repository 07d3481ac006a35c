//! What the person who started `gantry` asked for, parsed once.
//!
//! A flag beats its `GANTRY_…` environment twin, that beats the TOML file, that beats the default.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use super::error::StartError;
use crate::domain::Front;

const DEFAULT_FILE: &str = "/etc/gantry/gantry.toml";

/// Manages containers on Linux hosts from the browser, with its own engine.
#[derive(Debug, Parser)]
#[command(name = "gantry", version, about, after_help = AFTER_HELP, propagate_version = true)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done · 1 other failure · 2 wrong option, configuration or certificate · 3 not root ·
4 port taken · 5 data used by another gantry · 6 data from a newer gantry · 7 the engine did not start ·
8 a file or directory cannot be used";

/// What `gantry` can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Runs the server, and the local engine when none answers.
    Serve(ServeOptions),
    /// Repairs and checks without a browser.
    Admin {
        /// What to do.
        #[command(subcommand)]
        verb: AdminVerb,
    },
}

/// What `gantry admin` can do.
#[derive(Debug, Subcommand)]
pub enum AdminVerb {
    /// Makes an owner, or gives an existing account a new password and the role Owner.
    Owner {
        /// The account's name.
        #[arg(long)]
        name: String,
        /// Reads the password from standard input: its first line, without the line end.
        #[arg(long, required = true)]
        password_stdin: bool,
        /// Where the data is.
        #[command(flatten)]
        data: DataOption,
    },
    /// Checks the database and the chain of audit entries, and says what it found.
    Check {
        /// Where the data is.
        #[command(flatten)]
        data: DataOption,
    },
}

/// Where the server's data is, for commands that need nothing else.
#[derive(Debug, Args)]
pub struct DataOption {
    /// The directory with the server's database.
    #[arg(
        long,
        env = "GANTRY_DATA",
        default_value = "/var/lib/gantry",
        value_name = "DIR"
    )]
    pub data: PathBuf,
}

/// The options of `gantry serve`, as flags and as keys of the TOML file (`engine_socket = "…"`).
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeOptions {
    /// Address and port to listen on. Beyond loopback this means TLS.
    ///
    /// [default: 127.0.0.1:8440]
    #[arg(long, env = "GANTRY_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The directory of the server's database, keys and certificate.
    ///
    /// [default: /var/lib/gantry]
    #[arg(long, env = "GANTRY_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The socket of the local engine.
    ///
    /// [default: /run/gantry/engine.sock]
    #[arg(long, env = "GANTRY_ENGINE_SOCKET", value_name = "PATH")]
    engine_socket: Option<PathBuf>,
    /// Does not start an engine; one that already answers on the socket is still used.
    #[arg(long, env = "GANTRY_NO_ENGINE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    no_engine: Option<bool>,
    /// The certificate chain to serve, as PEM. Without it one is made at the first start.
    #[arg(long, env = "GANTRY_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, as PEM.
    #[arg(long, env = "GANTRY_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Serves without TLS even beyond loopback: only behind a proxy that has it.
    #[arg(long, env = "GANTRY_PLAIN_HTTP", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    plain_http: Option<bool>,
    /// Proxies before the server: what they say of a client's address and of TLS (X-Forwarded-For,
    /// X-Forwarded-Proto) is believed, and nobody else's word. Addresses or networks.
    #[arg(long, env = "GANTRY_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', num_args = 1..)]
    trusted_proxy: Vec<String>,
    /// The address that people open where a proxy has another: links begin with it, pages of it are
    /// our own, and with https cookies demand TLS.
    #[arg(long, env = "GANTRY_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// The account that the server becomes when started as root: a name or a number.
    ///
    /// [default: gantry if there is such an account, else the number 64440, which needs none]
    #[arg(long, env = "GANTRY_USER", value_name = "USER")]
    user: Option<String>,
    /// Whether the server asks registries by itself for newer images of what runs: on or off. A
    /// person may always ask.
    ///
    /// [default: on]
    #[arg(long, env = "GANTRY_UPDATE_CHECKS", value_name = "SWITCH")]
    update_checks: Option<Switch>,
    /// What to log, as a level or as a filter such as info,sqlx=warn.
    ///
    /// [default: info]
    #[arg(long, env = "GANTRY_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// The TOML file with the same options, underscores for hyphens.
    ///
    /// [default: /etc/gantry/gantry.toml if it exists]
    #[arg(long, env = "GANTRY_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// How connections are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP: on loopback, or behind a proxy because somebody said so.
    Plain,
    /// TLS with a certificate of our own making, kept in the data directory.
    OwnCertificate,
    /// TLS with a given certificate.
    GivenCertificate {
        /// The chain, as PEM.
        cert: PathBuf,
        /// The key, as PEM.
        key: PathBuf,
    },
}

/// The settings of one server, complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How connections are protected.
    pub transport: Transport,
    /// What stands between the browsers and the server.
    pub front: Front,
    /// The data directory.
    pub data: PathBuf,
    /// The engine's socket.
    pub engine_socket: PathBuf,
    /// Whether an engine is started when none answers.
    pub start_engine: bool,
    /// The account to become, where one was named.
    pub user: Option<String>,
    /// Whether registries are asked for newer images without anybody's asking.
    pub checks_updates: bool,
    /// What to log.
    pub log: String,
}

impl ServeOptions {
    /// Adds the file's options and the defaults, and checks the whole.
    ///
    /// # Errors
    /// When the file cannot be read, an address is none, or options contradict each other.
    pub fn complete(self) -> Result<Config, StartError> {
        let file = read_file(self.config.as_deref())?;
        let asked = self.or(file);
        let text = asked.listen.as_deref().unwrap_or("127.0.0.1:8440");
        let listen = address(text)?;
        let transport = transport(&asked, listen)?;
        Ok(Config {
            listen,
            front: front(&asked, &transport)?,
            transport,
            data: asked
                .data
                .unwrap_or_else(|| PathBuf::from("/var/lib/gantry")),
            engine_socket: asked
                .engine_socket
                .unwrap_or_else(|| PathBuf::from("/run/gantry/engine.sock")),
            start_engine: !asked.no_engine.unwrap_or(false),
            user: asked.user,
            checks_updates: asked.update_checks != Some(Switch::Off),
            log: asked.log.unwrap_or_else(|| "info".to_owned()),
        })
    }

    fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            data: self.data.or(file.data),
            engine_socket: self.engine_socket.or(file.engine_socket),
            no_engine: self.no_engine.or(file.no_engine),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            plain_http: self.plain_http.or(file.plain_http),
            trusted_proxy: if self.trusted_proxy.is_empty() {
                file.trusted_proxy
            } else {
                self.trusted_proxy
            },
            public_url: self.public_url.or(file.public_url),
            user: self.user.or(file.user),
            update_checks: self.update_checks.or(file.update_checks),
            log: self.log.or(file.log),
            config: self.config,
        }
    }
}

fn read_file(named: Option<&Path>) -> Result<ServeOptions, StartError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(ServeOptions::default());
        }
        Err(error) => {
            return Err(StartError::Config {
                path: path.to_owned(),
                reason: error.to_string(),
            });
        }
    };
    toml::from_str(&text).map_err(|error| StartError::Config {
        path: path.to_owned(),
        reason: error.to_string().trim_end().replace('\n', " "),
    })
}

fn address(text: &str) -> Result<SocketAddr, StartError> {
    let wrong = |reason: String| {
        StartError::Usage(format!(
            "--listen {text}: {reason}; write ADDRESS:PORT, such as 127.0.0.1:8440 or [::]:8440"
        ))
    };
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| wrong(error.to_string()))?;
    found
        .next()
        .ok_or_else(|| wrong("the name has no address".to_owned()))
}

fn transport(asked: &ServeOptions, listen: SocketAddr) -> Result<Transport, StartError> {
    let plain = asked.plain_http.unwrap_or(false);
    match (&asked.tls_cert, &asked.tls_key) {
        (Some(_), Some(_)) if plain => Err(StartError::Usage(
            "--plain-http and --tls-cert contradict each other: leave one out".to_owned(),
        )),
        (Some(cert), Some(key)) => Ok(Transport::GivenCertificate {
            cert: cert.clone(),
            key: key.clone(),
        }),
        (Some(_), None) => Err(StartError::Usage("--tls-cert needs --tls-key".to_owned())),
        (None, Some(_)) => Err(StartError::Usage("--tls-key needs --tls-cert".to_owned())),
        (None, None) if plain || listen.ip().is_loopback() => Ok(Transport::Plain),
        (None, None) => Ok(Transport::OwnCertificate),
    }
}

fn front(asked: &ServeOptions, transport: &Transport) -> Result<Front, StartError> {
    let network = |text: &String| {
        text.parse()
            .map_err(|error| StartError::Usage(format!("--trusted-proxy {text}: {error}")))
    };
    let url = |text: &String| {
        text.parse()
            .map_err(|error| StartError::Usage(format!("--public-url {text}: {error}")))
    };
    Ok(Front {
        has_tls: *transport != Transport::Plain,
        proxies: asked
            .trusted_proxy
            .iter()
            .map(network)
            .collect::<Result<_, _>>()?,
        public: asked.public_url.as_ref().map(url).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, StartError> {
        let all = ["gantry", "serve"].iter().chain(arguments);
        let Verb::Serve(options) = CommandLine::try_parse_from(all).unwrap().verb else {
            panic!("serve was asked for")
        };
        options.complete()
    }

    #[test]
    fn loopback_is_plain_and_beyond_it_is_tls() {
        assert_eq!(parse(&[]).unwrap().transport, Transport::Plain);
        assert_eq!(
            parse(&["--listen", "[::1]:1"]).unwrap().transport,
            Transport::Plain
        );
        let open = parse(&["--listen", "0.0.0.0:1"]).unwrap();
        assert_eq!(open.transport, Transport::OwnCertificate);
        let proxied = parse(&["--listen", "0.0.0.0:1", "--plain-http"]).unwrap();
        assert_eq!(proxied.transport, Transport::Plain);
    }

    #[test]
    fn contradictions_are_named() {
        for (arguments, word) in [
            (&["--tls-cert", "a"][..], "--tls-key"),
            (&["--tls-key", "a"], "--tls-cert"),
            (
                &["--tls-cert", "a", "--tls-key", "b", "--plain-http"],
                "--plain-http",
            ),
            (&["--listen", "nowhere"], "--listen nowhere"),
            (&["--trusted-proxy", "*"], "--trusted-proxy *"),
            (&["--trusted-proxy", "0.0.0.0/0"], "everybody"),
            (&["--public-url", "gantry.example"], "--public-url"),
        ] {
            let message = parse(arguments).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn proxies_are_listed_by_flag_or_file_and_nobody_by_default() {
        let default = parse(&[]).unwrap().front;
        assert!(default.proxies.is_empty() && !default.is_always_secure());
        let url = "https://gantry.example.org/";
        let front = parse(&["--trusted-proxy", "10.0.0.0/8,::1", "--public-url", url]);
        let front = front.unwrap().front;
        assert_eq!(front.proxies.len(), 2);
        assert!(front.is_always_secure() && front.trusts("10.1.1.1".parse().unwrap()));

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gantry.toml");
        std::fs::write(&file, "trusted_proxy = [\"192.0.2.1\"]\n").unwrap();
        let config = parse(&["--config", file.to_str().unwrap()]).unwrap();
        assert!(config.front.trusts("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn checks_for_updates_are_on_until_somebody_turns_them_off() {
        assert!(parse(&[]).unwrap().checks_updates);
        assert!(!parse(&["--update-checks", "off"]).unwrap().checks_updates);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gantry.toml");
        std::fs::write(&file, "update_checks = \"off\"\n").unwrap();
        let path = file.to_str().unwrap();
        assert!(!parse(&["--config", path]).unwrap().checks_updates);
        let both = parse(&["--config", path, "--update-checks", "on"]);
        assert!(both.unwrap().checks_updates);
    }

    #[test]
    fn a_flag_beats_the_file_and_an_unknown_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gantry.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nno_engine = true\n").unwrap();
        let path = file.to_str().unwrap();

        let config = parse(&["--config", path, "--listen", "127.0.0.1:2"]).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert!(!config.start_engine);

        std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").unwrap();
        let message = parse(&["--config", path]).unwrap_err().to_string();
        assert!(message.contains("lisen"), "{message}");
    }
}
