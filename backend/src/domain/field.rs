//! What may be wrong with a field of a form: which field, and which rule it breaks.

/// A field that cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's `name` in the form; empty when the form as a whole is meant.
    pub field: &'static str,
    /// The rule that it breaks.
    pub rule: Rule,
}

impl FieldError {
    /// Names a field and its broken rule.
    pub const fn new(field: &'static str, rule: Rule) -> Self {
        Self { field, rule }
    }
}

/// A rule of a field. The words for each are in the message catalogue, below [`Rule::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Something must be there.
    Required,
    /// At least so many characters.
    TooShort {
        /// The least number.
        least: usize,
    },
    /// At most so many characters.
    TooLong {
        /// The greatest number.
        most: usize,
    },
    /// A name holds letters, digits, `.`, `_` and `-`, and begins with a letter or digit.
    Name,
    /// Somebody or something has that name already.
    Taken,
    /// A password that everybody tries first.
    CommonPassword,
    /// The password contains the account's own name.
    PasswordIsName,
    /// The two passwords typed differ.
    PasswordsDiffer,
    /// The present password is another one.
    WrongPassword,
    /// No account has that name and password.
    WrongCredentials,
    /// Too many wrong tries; `seconds` until the next is taken.
    TooManyTries {
        /// How long to wait.
        seconds: u64,
    },
    /// None of the choices.
    Choice,
    /// Not a number, or outside its bounds.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
    /// A size such as `512m` or `2g`.
    Size,
    /// A moment, as `15m` ago or in RFC 3339.
    Moment,
    /// An environment variable is `NAME=value`.
    Environment,
    /// A label is `name=value`.
    Label,
    /// An image's name, as `registry/name:tag`.
    ImageName,
    /// An address that a context is fetched from: `http` or `https`, without a name or a password.
    ContextAddress,
    /// Files and an address are two contexts; a build has one.
    OneContext,
    /// A registry's address, as `registry.example.com:5000`.
    RegistryAddress,
    /// A name at a registry: no colon, no control character.
    RegistryUser,
    /// Certificates in PEM, and no key.
    Certificate,
    /// The image's name names another registry than the one that was chosen.
    OtherRegistry,
    /// A password is kept for one address; a new address asks for it again.
    SecretAgain,
    /// A path that begins with `/`.
    AbsolutePath,
    /// A name in a directory: one component.
    FileName,
    /// Larger than may come this way.
    TooLarge {
        /// The greatest size, in words.
        most: String,
    },
    /// A mount, as `/host/path:/container/path[:ro]`.
    Mount,
    /// A command line whose quotes are closed.
    CommandLine,
    /// An option that this version does not offer.
    UnknownOption {
        /// The option as typed.
        option: String,
    },
    /// The image is not on the host.
    NoSuchImage,
    /// More than one takes.
    TooMany {
        /// The greatest number.
        most: usize,
    },
    /// An address, or lines of `name:address`.
    Address,
    /// A subnet, as `10.5.0.0/24`.
    Subnet,
    /// A restart policy.
    Restart,
    /// A span of time such as `30s`.
    Span,
    /// A port, as `80` or `53/udp`.
    Port,
    /// A setting of the kernel, as `net.core.somaxconn=1024`.
    Sysctl,
    /// Numbers of processors, as `0-3,6`.
    Cpuset,
    /// A limit, as `nofile=1024:4096`.
    Ulimit,
    /// A device, as `/dev/sda:/dev/xvda:rwm`.
    Device,
    /// A device and a rate, as `/dev/sda:1m`.
    DeviceRate,
    /// A rule for devices, as `c 10:229 rwm`.
    DeviceRule,
    /// A mount, as `type=bind,source=/a,target=/b`.
    MountRequest,
    /// `unconfined`, `builtin`, or a profile in JSON.
    Seccomp,
    /// Dots stand for a value that is not shown, and are none themselves.
    Masked,
    /// Two options that say opposite things.
    NotWith {
        /// The other, as a flag of `docker run`.
        option: &'static str,
    },
    /// The engine refused it; its own words.
    Engine {
        /// What it said.
        message: String,
    },
}

impl Rule {
    /// Returns the rule's key in the message catalogue.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Required => "rule-required",
            Self::TooShort { .. } => "rule-too-short",
            Self::TooLong { .. } => "rule-too-long",
            Self::Name => "rule-name",
            Self::Taken => "rule-taken",
            Self::CommonPassword => "rule-common-password",
            Self::PasswordIsName => "rule-password-is-name",
            Self::PasswordsDiffer => "rule-passwords-differ",
            Self::WrongPassword => "rule-wrong-password",
            Self::WrongCredentials => "rule-wrong-credentials",
            Self::TooManyTries { .. } => "rule-too-many-tries",
            Self::Choice => "rule-choice",
            Self::Number { .. } => "rule-number",
            Self::Size => "rule-size",
            Self::Moment => "rule-moment",
            Self::Environment => "rule-environment",
            Self::Label => "rule-label",
            Self::ImageName => "rule-image-name",
            Self::ContextAddress => "rule-context-address",
            Self::OneContext => "rule-one-context",
            Self::RegistryAddress => "rule-registry-address",
            Self::RegistryUser => "rule-registry-user",
            Self::Certificate => "rule-certificate",
            Self::OtherRegistry => "rule-other-registry",
            Self::SecretAgain => "rule-secret-again",
            Self::AbsolutePath => "rule-absolute-path",
            Self::FileName => "rule-file-name",
            Self::TooLarge { .. } => "rule-too-large",
            Self::Mount => "rule-mount",
            Self::CommandLine => "rule-command-line",
            Self::UnknownOption { .. } => "rule-unknown-option",
            Self::NoSuchImage => "rule-no-such-image",
            Self::TooMany { .. } => "rule-too-many",
            Self::Address => "rule-address",
            Self::Subnet => "rule-subnet",
            Self::Restart => "rule-restart",
            Self::Span => "rule-span",
            Self::Port => "rule-port",
            Self::Sysctl => "rule-sysctl",
            Self::Cpuset => "rule-cpuset",
            Self::Ulimit => "rule-ulimit",
            Self::Device => "rule-device",
            Self::DeviceRate => "rule-device-rate",
            Self::DeviceRule => "rule-device-rule",
            Self::MountRequest => "rule-mount-request",
            Self::Seccomp => "rule-seccomp",
            Self::Masked => "rule-masked",
            Self::NotWith { .. } => "rule-not-with",
            Self::Engine { .. } => "rule-engine",
        }
    }

    /// Returns the values that the words of the rule name, by their names in the catalogue.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooShort { least } => vec![("least", least.to_string())],
            Self::TooLong { most } | Self::TooMany { most } => vec![("most", most.to_string())],
            Self::TooManyTries { seconds } => vec![("seconds", seconds.to_string())],
            Self::Number { least, most } => {
                vec![("least", least.to_string()), ("most", most.to_string())]
            }
            Self::TooLarge { most } => vec![("option", most.clone())],
            Self::UnknownOption { option } => vec![("option", option.clone())],
            Self::NotWith { option } => vec![("option", (*option).to_owned())],
            Self::Engine { message } => vec![("message", message.clone())],
            _ => Vec::new(),
        }
    }
}
