//! A build before it begins: what was typed, what it means, how `docker build` says it.
//!
//! **Invariant:** pure. What cannot be taken is named by its field; nothing here asks an engine.

use super::Reference;
use super::drafts::{format_size, parse_size};
use crate::domain::{FieldError, Rule};

/// The longest Dockerfile that is taken; the engine takes no longer one.
const MOST_DOCKERFILE: usize = 1 << 20;
/// The longest text of another field.
const MOST_TEXT: usize = 64 << 10;
/// Arguments or labels of one build.
const MOST_PAIRS: usize = 200;
/// The least memory that a container starts with.
const LEAST_MEMORY: i64 = 6 << 20;
/// The period of the processor's scheduler that a limit is told for, in microseconds.
const CPU_PERIOD: i64 = 100_000;
const MOST_CPUS: i64 = 1_024;

/// What a person typed; nothing is lost when a field breaks a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedBuild {
    /// The image's name.
    pub reference: String,
    /// The editor's text.
    pub dockerfile: String,
    /// The address of a context.
    pub remote: String,
    /// The stage to build.
    pub target: String,
    /// As `linux/arm64`.
    pub platform: String,
    /// Lines of `NAME=value`.
    pub args: String,
    /// Lines of `name=value`.
    pub labels: String,
    /// As `512m`.
    pub memory: String,
    /// As `1.5`.
    pub cpus: String,
    /// Do every step again.
    pub no_cache: bool,
    /// Look for newer base images.
    pub pull: bool,
}

/// A build that passed every rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildDraft {
    pub(super) name: Option<Reference>,
    pub(super) dockerfile: Option<String>,
    pub(super) remote: Option<String>,
    target: Option<String>,
    platform: Option<String>,
    args: Vec<(String, String)>,
    labels: Vec<(String, String)>,
    memory: Option<i64>,
    cpu_quota: Option<i64>,
    no_cache: bool,
    pull: bool,
}

impl BuildDraft {
    /// Reads what was typed.
    ///
    /// # Errors
    /// With each field that cannot be taken.
    pub fn typed(typed: &TypedBuild) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let draft = Self {
            name: taken(&mut errors, "reference", name(&typed.reference)),
            dockerfile: taken(&mut errors, "dockerfile", dockerfile(&typed.dockerfile)),
            remote: taken(&mut errors, "remote", remote(&typed.remote)),
            target: taken(&mut errors, "target", word(&typed.target)),
            platform: taken(&mut errors, "platform", word(&typed.platform)),
            args: taken(&mut errors, "args", pairs(&typed.args, &Rule::Environment)),
            labels: taken(&mut errors, "labels", pairs(&typed.labels, &Rule::Label)),
            memory: taken(&mut errors, "memory", memory(&typed.memory)),
            cpu_quota: taken(&mut errors, "cpus", cpu_quota(&typed.cpus)),
            no_cache: typed.no_cache,
            pull: typed.pull,
        };
        match errors.is_empty() {
            true => Ok(draft),
            false => Err(errors),
        }
    }

    /// Tells whether there is a Dockerfile beside the context.
    pub fn has_dockerfile(&self) -> bool {
        self.dockerfile.is_some()
    }

    /// Returns what the engine is asked, by the names on the wire.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = self.query_of_check();
        // Nobody comes to look at what a step that failed has left.
        query.push(("forcerm", "1".to_owned()));
        query.extend(self.name.iter().map(|name| ("t", name.to_string())));
        query.extend(self.remote.iter().map(|remote| ("remote", remote.clone())));
        if !self.labels.is_empty() {
            query.push(("labels", object(&self.labels)));
        }
        if let Some(bytes) = self.memory {
            query.push(("memory", bytes.to_string()));
        }
        if let Some(quota) = self.cpu_quota {
            query.push(("cpuperiod", CPU_PERIOD.to_string()));
            query.push(("cpuquota", quota.to_string()));
        }
        for (name, is_set) in [("nocache", self.no_cache), ("pull", self.pull)] {
            if is_set {
                query.push((name, "1".to_owned()));
            }
        }
        query
    }

    /// Returns as much of that as decides whether a Dockerfile makes sense.
    pub(super) fn query_of_check(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(self.target.iter().map(|target| ("target", target.clone())));
        query.extend(self.platform.iter().map(|one| ("platform", one.clone())));
        if !self.args.is_empty() {
            query.push(("buildargs", object(&self.args)));
        }
        query
    }

    /// Returns what the job is about, in words of the person.
    pub(super) fn subject(&self) -> String {
        let named = self.name.as_ref().map(ToString::to_string);
        let named = named.or_else(|| self.remote.as_deref().map(without_query));
        named.unwrap_or_else(|| "Dockerfile".to_owned())
    }

    /// Returns what the audit notes of it. The values of arguments are nobody's business there.
    pub(super) fn noted(&self) -> String {
        let name = self.name.as_ref().map(ToString::to_string);
        let args: Vec<&str> = self.args.iter().map(|(name, _)| name.as_str()).collect();
        format!(
            "tag={} context={} target={} args={}",
            name.as_deref().unwrap_or("none"),
            self.remote
                .as_deref()
                .map_or_else(|| "upload".to_owned(), without_query),
            self.target.as_deref().unwrap_or("last"),
            args.join(","),
        )
    }

    /// Returns the equivalent line for a shell. `has_files` says whether files were chosen.
    pub fn command(&self, has_files: bool) -> String {
        let mut words = vec!["docker".to_owned(), "build".to_owned()];
        let mut flag = |flag: &str, value: &str| {
            let value = shlex::try_quote(value).map_or_else(|_| value.to_owned(), Into::into);
            words.push(format!("{flag} {value}"));
        };
        if let Some(name) = &self.name {
            flag("--tag", &name.to_string());
        }
        for (name, value) in &self.args {
            flag("--build-arg", &format!("{name}={value}"));
        }
        for (name, value) in &self.labels {
            flag("--label", &format!("{name}={value}"));
        }
        if let Some(target) = &self.target {
            flag("--target", target);
        }
        if let Some(platform) = &self.platform {
            flag("--platform", platform);
        }
        if let Some(bytes) = self.memory {
            flag("--memory", &format_size(bytes));
        }
        if let Some(quota) = self.cpu_quota {
            flag("--cpu-period", &CPU_PERIOD.to_string());
            flag("--cpu-quota", &quota.to_string());
        }
        let flags = [
            ("--force-rm", true),
            ("--no-cache", self.no_cache),
            ("--pull", self.pull),
        ];
        for (name, is_set) in flags {
            if is_set {
                words.push(name.to_owned());
            }
        }
        words.push(self.context(has_files));
        format!("DOCKER_BUILDKIT=0 {}", words.join(" "))
    }

    /// The last words of the line: where the Dockerfile and the files are.
    fn context(&self, has_files: bool) -> String {
        let remote = self
            .remote
            .as_ref()
            .map(|remote| shlex::try_quote(remote).map_or_else(|_| remote.clone(), Into::into));
        match (remote, self.dockerfile.is_some(), has_files) {
            (Some(remote), false, _) => remote,
            (Some(remote), true, _) => format!("--file - {remote} < Dockerfile"),
            (None, true, false) => "- < Dockerfile".to_owned(),
            (None, ..) => ".".to_owned(),
        }
    }

    /// Returns the file that is the body of the equivalent call; empty when the engine fetches the
    /// context.
    pub fn file(&self, has_files: bool) -> &'static str {
        match (&self.remote, self.dockerfile.is_some() && !has_files) {
            (Some(_), _) => "",
            (None, true) => "@Dockerfile",
            (None, false) => "@context.tar",
        }
    }
}

fn taken<T: Default>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    found: Result<T, Rule>,
) -> T {
    found.unwrap_or_else(|rule| {
        errors.push(FieldError::new(field, rule));
        T::default()
    })
}

fn name(typed: &str) -> Result<Option<Reference>, Rule> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let reference: Reference = typed.parse()?;
    match reference.has_digest() {
        true => Err(Rule::ImageName),
        false => Ok(Some(reference)),
    }
}

/// A browser sends its lines with carriage returns.
fn dockerfile(typed: &str) -> Result<Option<String>, Rule> {
    if typed.len() > MOST_DOCKERFILE {
        let most = MOST_DOCKERFILE;
        return Err(Rule::TooLong { most });
    }
    let text = typed.replace("\r\n", "\n");
    Ok((!text.trim().is_empty()).then_some(text))
}

/// An address that the engine fetches; a name or a password in it would be read by too many.
fn remote(typed: &str) -> Result<Option<String>, Rule> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let rest = ["http://", "https://"].iter();
    let rest = rest.filter_map(|scheme| typed.strip_prefix(scheme)).next();
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_plain = host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    let is_word = !typed.contains(|c: char| c.is_whitespace() || c.is_control());
    match is_plain && is_word && typed.len() <= MOST_TEXT {
        true => Ok(Some(typed.to_owned())),
        false => Err(Rule::ContextAddress),
    }
}

/// An address as everybody may read it: a query often holds a token.
fn without_query(address: &str) -> String {
    let (place, branch) = match address.split_once('#') {
        Some((place, branch)) => (place, Some(branch)),
        None => (address, None),
    };
    let place = place.split('?').next().unwrap_or_default();
    match branch {
        Some(branch) => format!("{place}#{branch}"),
        None => place.to_owned(),
    }
}

fn word(typed: &str) -> Result<Option<String>, Rule> {
    let typed = typed.trim();
    match typed.len() <= 255 {
        true => Ok((!typed.is_empty()).then(|| typed.to_owned())),
        false => Err(Rule::TooLong { most: 255 }),
    }
}

fn pairs(typed: &str, rule: &Rule) -> Result<Vec<(String, String)>, Rule> {
    if typed.len() > MOST_TEXT {
        return Err(Rule::TooLong { most: MOST_TEXT });
    }
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    let pairs = lines.map(|line| match line.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err(rule.clone()),
    });
    let pairs: Vec<_> = pairs.collect::<Result<_, _>>()?;
    match pairs.len() <= MOST_PAIRS {
        true => Ok(pairs),
        false => Err(Rule::TooMany { most: MOST_PAIRS }),
    }
}

fn memory(typed: &str) -> Result<Option<i64>, Rule> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let bytes = parse_size(typed).filter(|bytes| *bytes >= LEAST_MEMORY);
    bytes.map(Some).ok_or(Rule::Size)
}

/// Processors as a share of the period; five digits behind the point are its whole grain.
fn cpu_quota(typed: &str) -> Result<Option<i64>, Rule> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let wrong = Rule::Number {
        least: 0,
        most: MOST_CPUS,
    };
    let (whole, fraction) = typed.split_once('.').unwrap_or((typed, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() > 4 || fraction.len() > 5 {
        return Err(wrong);
    }
    let quota: i64 = format!("{whole}{fraction:0<5}").parse().unwrap_or(0);
    // The kernel takes no share below a millisecond.
    match (1_000..=MOST_CPUS * CPU_PERIOD).contains(&quota) {
        true => Ok(Some(quota)),
        false => Err(wrong),
    }
}

fn object(pairs: &[(String, String)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()));
    serde_json::Value::Object(pairs.collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> TypedBuild {
        TypedBuild {
            reference: "team/app:2".to_owned(),
            dockerfile: "FROM a\r\nRUN b\r\n".to_owned(),
            args: "A=1\n\nB=x y=z\n".to_owned(),
            labels: "team=core".to_owned(),
            memory: "512m".to_owned(),
            cpus: "1.5".to_owned(),
            no_cache: true,
            ..TypedBuild::default()
        }
    }

    #[test]
    fn what_was_typed_is_asked_of_the_engine() {
        let draft = BuildDraft::typed(&typed()).unwrap();
        assert_eq!(draft.dockerfile.as_deref(), Some("FROM a\nRUN b\n"));
        let query = draft.query();
        let of = |name| {
            query
                .iter()
                .find(|(one, _)| *one == name)
                .map(|(_, v)| v.as_str())
        };
        assert_eq!(of("t"), Some("team/app:2"));
        assert_eq!(of("buildargs"), Some(r#"{"A":"1","B":"x y=z"}"#));
        assert_eq!(of("labels"), Some(r#"{"team":"core"}"#));
        assert_eq!(of("memory"), Some("536870912"));
        assert_eq!(
            (of("cpuperiod"), of("cpuquota")),
            (Some("100000"), Some("150000"))
        );
        assert_eq!((of("nocache"), of("pull")), (Some("1"), None));
        // What goes into an image by an argument is often a secret.
        assert!(!draft.noted().contains("x y=z"), "{}", draft.noted());
    }

    #[test]
    fn a_query_of_the_context_goes_to_the_engine_and_to_no_other_eyes() {
        let typed = TypedBuild {
            remote: "https://h/a.git?private_token=of-ana#main:dir".to_owned(),
            ..TypedBuild::default()
        };
        let draft = BuildDraft::typed(&typed).unwrap();
        assert_eq!(draft.subject(), "https://h/a.git#main:dir");
        assert!(draft.noted().contains("context=https://h/a.git#main:dir"));
        assert!(!draft.noted().contains("of-ana"), "{}", draft.noted());
        assert!(draft.query().contains(&("remote", typed.remote)));
    }

    #[test]
    fn the_line_for_a_shell_says_where_everything_is() {
        let mut typed = TypedBuild {
            reference: "app".to_owned(),
            args: "A=it's".to_owned(),
            ..TypedBuild::default()
        };
        let line =
            |typed: &TypedBuild, has_files| BuildDraft::typed(typed).unwrap().command(has_files);
        let words = shlex::split(&line(&typed, true)).unwrap();
        let wanted = [
            "docker",
            "build",
            "--tag",
            "app:latest",
            "--build-arg",
            "A=it's",
            "--force-rm",
            ".",
        ];
        assert_eq!(words[1..], wanted);
        typed.dockerfile = "FROM a".to_owned();
        assert!(line(&typed, false).ends_with(" - < Dockerfile"));
        assert!(line(&typed, true).ends_with(" ."));
        typed.remote = "https://h/a.git#main:dir".to_owned();
        let said = line(&typed, false);
        assert!(
            said.ends_with("--file - 'https://h/a.git#main:dir' < Dockerfile"),
            "{said}"
        );
        assert_eq!(BuildDraft::typed(&typed).unwrap().file(false), "");
    }

    #[test]
    fn what_cannot_be_taken_is_named_by_its_field() {
        let wrong = TypedBuild {
            reference: "UPPER CASE".to_owned(),
            remote: "https://ana:secret@host/a.tar".to_owned(),
            args: "novalue".to_owned(),
            memory: "1m".to_owned(),
            cpus: "0.001".to_owned(),
            ..TypedBuild::default()
        };
        let errors = BuildDraft::typed(&wrong).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["reference", "remote", "args", "memory", "cpus"]);
        for bad in [
            "file:///etc/passwd",
            "git@host:a",
            "https://",
            "ftp://h",
            "http://h/a b",
        ] {
            assert_eq!(remote(bad), Err(Rule::ContextAddress), "{bad}");
        }
    }
}
