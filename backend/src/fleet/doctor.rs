//! Why is the engine offline, and what can be done?

use std::io;

use engine_client::ClientError;

/// Why an engine does not answer. The words for each are in the message catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// There is no socket: the engine was never started, or its machine was.
    NoSocket {
        /// Where it should be.
        address: String,
    },
    /// There is a socket and nobody behind it: the engine has ended.
    NobodyListens {
        /// Where it should listen.
        address: String,
    },
    /// The server may not use the socket.
    NoAccess {
        /// The socket.
        address: String,
    },
    /// It took too long.
    TooSlow,
    /// It speaks another language or another version of ours.
    Strange {
        /// What it said.
        message: String,
    },
    /// The connection broke.
    Broken {
        /// How.
        message: String,
    },
}

impl Diagnosis {
    /// Finds the reason behind a failed call.
    pub fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Dial { address, source } => {
                let address = address.clone();
                match source.kind() {
                    io::ErrorKind::NotFound => Self::NoSocket { address },
                    io::ErrorKind::ConnectionRefused => Self::NobodyListens { address },
                    io::ErrorKind::PermissionDenied => Self::NoAccess { address },
                    io::ErrorKind::TimedOut => Self::TooSlow,
                    _ => Self::Broken {
                        message: crate::errors::chain(error),
                    },
                }
            }
            ClientError::Timeout(_) => Self::TooSlow,
            ClientError::Answer { .. } | ClientError::Refused { .. } => Self::Strange {
                message: crate::errors::chain(error),
            },
            _ => Self::Broken {
                message: crate::errors::chain(error),
            },
        }
    }

    /// Returns the diagnosis' key in the message catalogue.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::NoSocket { .. } => "engine-no-socket",
            Self::NobodyListens { .. } => "engine-nobody-listens",
            Self::NoAccess { .. } => "engine-no-access",
            Self::TooSlow => "engine-too-slow",
            Self::Strange { .. } => "engine-strange",
            Self::Broken { .. } => "engine-broken",
        }
    }

    /// Returns what the words name: the engine's address, or what it said.
    pub fn subject(&self) -> &str {
        match self {
            Self::NoSocket { address }
            | Self::NobodyListens { address }
            | Self::NoAccess { address } => address,
            Self::TooSlow => "",
            Self::Strange { message } | Self::Broken { message } => message,
        }
    }
}

impl std::fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSocket { address } => write!(
                f,
                "no engine has made its socket {address}; start one with `gantry-engine serve`"
            ),
            Self::NobodyListens { address } => write!(
                f,
                "the engine behind {address} has ended; start it with `gantry-engine serve`"
            ),
            Self::NoAccess { address } => write!(
                f,
                "the server may not use {address}; start the engine with `--socket-group` set to \
                 the server's group, or start the server again as root"
            ),
            Self::TooSlow => f.write_str("the engine does not answer in time"),
            Self::Strange { message } => write!(f, "what answers is no engine: {message}"),
            Self::Broken { message } => f.write_str(message),
        }
    }
}
