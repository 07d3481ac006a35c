//! The syntax tree: a Dockerfile as it is written. Text in a [`Word`] still has its quotes, escapes
//! and variables; a step's [`Scope`](crate::Scope) makes an [`Action`](crate::Action) of it.

use std::time::Duration;

use crate::error::Span;

/// A whole Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The parser directives at its top.
    pub directives: Directives,
    /// Each `ARG` before the first `FROM`.
    pub globals: Vec<Line<Vec<Argument>>>,
    /// The stages, in the order they are written; at least one.
    pub stages: Vec<WrittenStage>,
}

/// The `# name=value` comments before everything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// `# syntax=`: the frontend that is asked for. It is kept and has no effect: there is one.
    pub syntax: Option<String>,
    /// `# escape=`: backslash, or the backtick.
    pub escape: Escape,
    /// `# check=`: the options of the linter. Kept as they are.
    pub check: Option<String>,
}

/// The character that takes the next one literally and continues lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Escape {
    #[default]
    Backslash,
    Backtick,
}

impl Escape {
    pub(crate) fn character(self) -> char {
        match self {
            Escape::Backslash => '\\',
            Escape::Backtick => '`',
        }
    }
}

/// `FROM` and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStage {
    pub from: Line<From>,
    pub lines: Vec<Line<Instruction>>,
}

/// An instruction with the place and the text it was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<T> {
    pub span: Span,
    /// The text as it is shown in `Step 3/7 : …`: lines joined, comments left out.
    pub text: String,
    pub value: T,
}

/// Text in which quotes, escapes and variables were not replaced yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(pub String);

/// `FROM [--platform=P] IMAGE [AS NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    pub platform: Option<Word>,
    pub image: Word,
    /// The stage's name, in small letters.
    pub name: Option<String>,
}

/// `ARG NAME[=DEFAULT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    pub default: Option<Word>,
}

/// Every instruction but `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    Add(WrittenTransfer),
    Arg(Vec<Argument>),
    Cmd(Command),
    Copy(WrittenTransfer),
    Entrypoint(Command),
    Env(Vec<(Word, Word)>),
    Expose(Vec<Word>),
    Healthcheck(Healthcheck),
    Label(Vec<(Word, Word)>),
    Maintainer(String),
    /// The text of the trigger, which was checked.
    Onbuild(String),
    Run(WrittenRun),
    Shell(Vec<String>),
    Stopsignal(Word),
    User(Word),
    Volume(Vec<Word>),
    Workdir(Word),
}

/// A command line: text for the shell, or the words themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Shell(String),
    Exec(Vec<String>),
}

impl Command {
    /// The words to execute, with `shell` in front of a shell's text.
    pub fn argv(&self, shell: &[String]) -> Vec<String> {
        match self {
            Command::Exec(words) => words.clone(),
            Command::Shell(text) => {
                let mut words = shell.to_vec();
                words.push(text.clone());
                words
            }
        }
    }
}

/// `RUN`, its flags and its here-documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRun {
    pub command: Command,
    pub heredocs: Vec<Heredoc>,
    pub mounts: Vec<WrittenMount>,
    pub network: RunNetwork,
}

/// `--network` of a `RUN`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunNetwork {
    /// The network of the build.
    #[default]
    Default,
    None,
    Host,
}

/// `--mount=type=…,…`: what is left to replace, by option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMount {
    pub kind: MountType,
    /// `from=`, which takes no variables.
    pub from: Option<String>,
    /// The other options as they are written, each known for its type; no value means a bare word.
    pub options: Vec<(String, Option<Word>)>,
    pub span: Span,
}

/// `type=` of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountType {
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// `<<NAME … NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    pub name: String,
    /// The lines between, each with its line end, as they are written.
    pub content: String,
    /// Whether variables are replaced: no when the name was quoted.
    pub expands: bool,
    /// Whether it is `<<-`: tabs at the beginning of a line are not meant.
    pub strips_tabs: bool,
}

impl Heredoc {
    /// The content as it is meant.
    pub fn text(&self) -> String {
        if !self.strips_tabs {
            return self.content.clone();
        }
        let lines = self.content.split_inclusive('\n');
        lines.map(|line| line.trim_start_matches('\t')).collect()
    }
}

/// `ADD` and `COPY`, which differ in flags only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenTransfer {
    pub sources: Vec<WrittenSource>,
    pub target: Word,
    /// `--from=`, which takes no variables: a stage's name or number, or an image. COPY only.
    pub from: Option<String>,
    pub chown: Option<Word>,
    pub chmod: Option<Word>,
    pub link: bool,
    pub parents: bool,
    pub exclude: Vec<Word>,
    /// ADD only.
    pub checksum: Option<Word>,
    /// ADD only.
    pub keep_git_dir: bool,
    /// ADD only: whether an archive is unpacked; not said means the default.
    pub unpack: Option<bool>,
}

/// What is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenSource {
    Path(Word),
    Heredoc(Heredoc),
}

/// `HEALTHCHECK`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// `HEALTHCHECK NONE`: the base's check is switched off.
    None,
    /// `HEALTHCHECK [flags] CMD …`. What is not said is not set.
    Cmd {
        command: Command,
        interval: Option<Duration>,
        timeout: Option<Duration>,
        start_period: Option<Duration>,
        start_interval: Option<Duration>,
        retries: Option<u32>,
    },
}
