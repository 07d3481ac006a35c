//! What was typed, checked field by field. Every broken rule is found in one go.

use std::net::IpAddr;

use super::size::parse_size;
use super::typed::{Typed, is_on, lines, pairs, words};
use crate::domain::{FieldError, Rule};

/// The least memory that an engine gives, as Docker's.
const LEAST_MEMORY: i64 = 6 << 20;
const MOST_LINES: usize = 1_000;
const MOST_NAME: usize = 128;
const MOST_HOSTNAME: usize = 63;

/// A container as it shall be created; every rule holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub(super) image: String,
    pub(super) name: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) entrypoint: Vec<String>,
    pub(super) environment: Vec<String>,
    pub(super) working_dir: String,
    pub(super) user: String,
    pub(super) groups: Vec<String>,
    pub(super) hostname: String,
    pub(super) domainname: String,
    pub(super) tty: bool,
    pub(super) stdin: bool,
    pub(super) network: String,
    pub(super) extra_hosts: Vec<String>,
    pub(super) dns: Vec<String>,
    pub(super) memory: i64,
    pub(super) nano_cpus: i64,
    pub(super) cpu_shares: i64,
    pub(super) pids: Option<i64>,
    pub(super) shm_size: i64,
    pub(super) ulimits: Vec<(String, i64, i64)>,
    pub(super) mounts: Vec<String>,
    pub(super) tmpfs: Vec<(String, String)>,
    pub(super) read_only: bool,
    pub(super) cap_add: Vec<String>,
    pub(super) cap_drop: Vec<String>,
    pub(super) no_new_privileges: bool,
    pub(super) stop_signal: String,
    pub(super) stop_timeout: Option<i64>,
    pub(super) auto_remove: bool,
    pub(super) labels: Vec<(String, String)>,
    pub(super) log_options: Vec<(String, String)>,
}

impl Draft {
    /// Returns the image's name, tag or id.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// Returns the name asked for, where one was.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Checks every field.
///
/// # Errors
/// Every broken rule, in the order of the form.
pub fn check(typed: &Typed) -> Result<Draft, Vec<FieldError>> {
    let mut form = Form::default();
    let draft = Draft {
        image: form.take("image", &typed.image, image),
        name: form.optional("name", &typed.name, name),
        command: form.take("command", &typed.command, command),
        entrypoint: form.take("entrypoint", &typed.entrypoint, command),
        environment: form.pairs("environment", &typed.environment, environment),
        working_dir: form.take("working_dir", &typed.working_dir, absolute_or_empty),
        user: form.take("user", &typed.user, one_word),
        groups: words(&typed.groups).map(str::to_owned).collect(),
        hostname: form.take("hostname", &typed.hostname, hostname),
        domainname: form.take("domainname", &typed.domainname, hostname),
        tty: is_on(&typed.tty),
        stdin: is_on(&typed.stdin),
        network: form.take("network", &typed.network, network),
        extra_hosts: form.each("extra_hosts", &typed.extra_hosts, extra_host),
        dns: form.words("dns", &typed.dns, address),
        memory: form.take("memory", &typed.memory, memory),
        nano_cpus: form.take("cpus", &typed.cpus, cpus),
        cpu_shares: form.take("cpu_shares", &typed.cpu_shares, |text| {
            whole(text, 2, 262_144)
        }),
        pids: form.optional("pids", &typed.pids, |text| whole(text, -1, 4_194_304)),
        shm_size: form.take("shm_size", &typed.shm_size, size),
        ulimits: form.each("ulimits", &typed.ulimits, ulimit),
        mounts: form.each("mounts", &typed.mounts, mount),
        tmpfs: form.each("tmpfs", &typed.tmpfs, tmpfs),
        read_only: is_on(&typed.read_only),
        cap_add: form.words("cap_add", &typed.cap_add, capability),
        cap_drop: form.words("cap_drop", &typed.cap_drop, capability),
        no_new_privileges: is_on(&typed.no_new_privileges),
        stop_signal: form.take("stop_signal", &typed.stop_signal, one_word),
        stop_timeout: form.optional("stop_timeout", &typed.stop_timeout, |t| {
            whole(t, -1, 86_400)
        }),
        auto_remove: is_on(&typed.auto_remove),
        labels: form.pairs("labels", &typed.labels, label),
        log_options: log_options(&mut form, typed),
    };
    if form.errors.is_empty() {
        Ok(draft)
    } else {
        Err(form.errors)
    }
}

/// The errors found so far.
#[derive(Default)]
struct Form {
    errors: Vec<FieldError>,
}

impl Form {
    fn take<T: Default>(
        &mut self,
        field: &'static str,
        text: &str,
        rule: impl Fn(&str) -> Result<T, Rule>,
    ) -> T {
        rule(text.trim()).unwrap_or_else(|broken| {
            self.errors.push(FieldError::new(field, broken));
            T::default()
        })
    }

    fn optional<T: Default>(
        &mut self,
        field: &'static str,
        text: &str,
        rule: impl Fn(&str) -> Result<T, Rule>,
    ) -> Option<T> {
        (!text.trim().is_empty()).then(|| self.take(field, text, rule))
    }

    fn each<T: Default>(
        &mut self,
        field: &'static str,
        text: &str,
        rule: impl Fn(&str) -> Result<T, Rule>,
    ) -> Vec<T> {
        self.list(field, lines(text), rule)
    }

    /// A value may end with blanks.
    fn pairs<T: Default>(
        &mut self,
        field: &'static str,
        text: &str,
        rule: impl Fn(&str) -> Result<T, Rule>,
    ) -> Vec<T> {
        self.list(field, pairs(text), rule)
    }

    fn words(
        &mut self,
        field: &'static str,
        text: &str,
        rule: impl Fn(&str) -> Result<String, Rule>,
    ) -> Vec<String> {
        self.list(field, words(text), rule)
    }

    /// Reports a broken rule once, however many items break it.
    fn list<'t, T>(
        &mut self,
        field: &'static str,
        items: impl Iterator<Item = &'t str>,
        rule: impl Fn(&str) -> Result<T, Rule>,
    ) -> Vec<T> {
        let items: Vec<_> = items.take(MOST_LINES + 1).collect();
        let taken: Result<Vec<T>, Rule> = if items.len() > MOST_LINES {
            Err(Rule::TooMany { most: MOST_LINES })
        } else {
            items.into_iter().map(rule).collect()
        };
        taken.unwrap_or_else(|broken| {
            self.errors.push(FieldError::new(field, broken));
            Vec::new()
        })
    }
}

fn image(text: &str) -> Result<String, Rule> {
    if text.is_empty() {
        return Err(Rule::Required);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    let is_name =
        text.len() <= 512 && text.chars().all(allowed) && !text.starts_with(['-', '/', ':']);
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(Rule::ImageName)
    }
}

fn name(text: &str) -> Result<String, Rule> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if text.len() > MOST_NAME {
        return Err(Rule::TooLong { most: MOST_NAME });
    }
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if text.len() < 2 {
        return Err(Rule::TooShort { least: 2 });
    }
    if begins_well && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Rule::Name)
    }
}

fn command(text: &str) -> Result<Vec<String>, Rule> {
    shlex::split(text).ok_or(Rule::CommandLine)
}

fn environment(line: &str) -> Result<String, Rule> {
    match line.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() && !line.contains('\0') => Ok(line.to_owned()),
        _ => Err(Rule::Environment),
    }
}

fn absolute_or_empty(text: &str) -> Result<String, Rule> {
    if text.is_empty() || text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err(Rule::AbsolutePath)
    }
}

fn one_word(text: &str) -> Result<String, Rule> {
    if text.contains(char::is_whitespace) {
        Err(Rule::Name)
    } else {
        Ok(text.to_owned())
    }
}

fn hostname(text: &str) -> Result<String, Rule> {
    if text.len() > MOST_HOSTNAME {
        return Err(Rule::TooLong {
            most: MOST_HOSTNAME,
        });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    if text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Rule::Name)
    }
}

fn network(text: &str) -> Result<String, Rule> {
    match text {
        "" | "none" => Ok("none".to_owned()),
        "host" => Ok("host".to_owned()),
        _ => Err(Rule::Choice),
    }
}

fn address(text: &str) -> Result<String, Rule> {
    let parsed: Result<IpAddr, _> = text.parse();
    parsed
        .map(|address| address.to_string())
        .map_err(|_| Rule::Choice)
}

fn extra_host(line: &str) -> Result<String, Rule> {
    let (host, at) = line.split_once(':').ok_or(Rule::Choice)?;
    hostname(host)?;
    address(at.trim_matches(['[', ']']))?;
    Ok(line.to_owned())
}

fn size(text: &str) -> Result<i64, Rule> {
    if text.is_empty() {
        Ok(0)
    } else {
        parse_size(text).ok_or(Rule::Size)
    }
}

fn memory(text: &str) -> Result<i64, Rule> {
    match size(text)? {
        bytes if bytes != 0 && bytes < LEAST_MEMORY => Err(Rule::Number {
            least: LEAST_MEMORY,
            most: i64::MAX,
        }),
        bytes => Ok(bytes),
    }
}

/// Processors as billionths of one, exact: `1.5` is 1,500,000,000.
fn cpus(text: &str) -> Result<i64, Rule> {
    if text.is_empty() {
        return Ok(0);
    }
    let broken = Rule::Number {
        least: 0,
        most: 4_096,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > 9 || whole.len() > 4 || !digits(whole) || !digits(fraction) {
        return Err(broken);
    }
    let nano = format!("{whole}{fraction:0<9}")
        .parse()
        .map_err(|_| broken.clone())?;
    if (1..=4_096_000_000_000).contains(&nano) {
        Ok(nano)
    } else {
        Err(broken)
    }
}

fn whole(text: &str, least: i64, most: i64) -> Result<i64, Rule> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or(Rule::Number { least, most })
}

fn ulimit(line: &str) -> Result<(String, i64, i64), Rule> {
    let (name, limits) = line.split_once('=').ok_or(Rule::Label)?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    Ok((
        one_word(name)?,
        whole(soft, -1, i64::MAX)?,
        whole(hard, -1, i64::MAX)?,
    ))
}

fn mount(line: &str) -> Result<String, Rule> {
    let mut parts = line.split(':');
    let paths = [parts.next(), parts.next()];
    let are_paths = paths
        .iter()
        .all(|path| path.is_some_and(|path| path.starts_with('/')));
    match (are_paths, parts.next(), parts.next()) {
        (true, None | Some("ro" | "rw"), None) => Ok(line.to_owned()),
        _ => Err(Rule::Mount),
    }
}

fn tmpfs(line: &str) -> Result<(String, String), Rule> {
    let (path, options) = line.split_once(':').unwrap_or((line, ""));
    if !path.starts_with('/') {
        return Err(Rule::AbsolutePath);
    }
    Ok((path.to_owned(), options.to_owned()))
}

fn capability(word: &str) -> Result<String, Rule> {
    let name = word.to_ascii_uppercase();
    let allowed = |c: char| c.is_ascii_uppercase() || c == '_';
    if name.chars().all(allowed) {
        Ok(name)
    } else {
        Err(Rule::Name)
    }
}

fn label(line: &str) -> Result<(String, String), Rule> {
    let (key, value) = line.split_once('=').unwrap_or((line, ""));
    if key.trim().is_empty() {
        Err(Rule::Label)
    } else {
        Ok((key.to_owned(), value.to_owned()))
    }
}

fn log_options(form: &mut Form, typed: &Typed) -> Vec<(String, String)> {
    let mut options = Vec::new();
    if form.take("log_max_size", &typed.log_max_size, size) > 0 {
        options.push(("max-size".to_owned(), typed.log_max_size.trim().to_owned()));
    }
    let files = form.take("log_max_files", &typed.log_max_files, |text| {
        whole(text, 1, 1_000)
    });
    if files > 0 {
        options.push(("max-file".to_owned(), files.to_string()));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(change: impl Fn(&mut Typed)) -> Vec<(&'static str, Rule)> {
        let mut typed = Typed {
            image: "busybox".to_owned(),
            ..Typed::default()
        };
        change(&mut typed);
        let errors = check(&typed).err().unwrap_or_default();
        errors
            .into_iter()
            .map(|error| (error.field, error.rule))
            .collect()
    }

    #[test]
    fn an_image_is_all_that_is_needed() {
        assert_eq!(broken(|_| {}), []);
        assert_eq!(
            broken(|typed| typed.image.clear()),
            [("image", Rule::Required)]
        );
    }

    #[test]
    fn each_rule_names_its_field() {
        let few = Rule::Number {
            least: 0,
            most: 4_096,
        };
        assert_eq!(
            broken(|t| t.image = "no image".into()),
            [("image", Rule::ImageName)]
        );
        assert_eq!(broken(|t| t.name = "-x".into()), [("name", Rule::Name)]);
        assert_eq!(
            broken(|t| t.name = "x".into()),
            [("name", Rule::TooShort { least: 2 })]
        );
        assert_eq!(
            broken(|t| t.command = "'open".into()),
            [("command", Rule::CommandLine)]
        );
        assert_eq!(
            broken(|t| t.environment = "A=1\n=2".into()),
            [("environment", Rule::Environment)]
        );
        assert_eq!(
            broken(|t| t.network = "bridge".into()),
            [("network", Rule::Choice)]
        );
        assert_eq!(
            broken(|t| t.memory = "lots".into()),
            [("memory", Rule::Size)]
        );
        assert_eq!(broken(|t| t.cpus = "1,5".into()), [("cpus", few.clone())]);
        assert_eq!(broken(|t| t.cpus = "0".into()), [("cpus", few)]);
        assert_eq!(
            broken(|t| t.mounts = "data:/x".into()),
            [("mounts", Rule::Mount)]
        );
        assert_eq!(
            broken(|t| t.tmpfs = "x".into()),
            [("tmpfs", Rule::AbsolutePath)]
        );
        assert_eq!(broken(|t| t.dns = "here".into()), [("dns", Rule::Choice)]);
    }

    #[test]
    fn every_broken_rule_is_found_in_one_go() {
        let errors = broken(|typed| {
            typed.name = "?".into();
            typed.memory = "x".into();
            typed.labels = "=y".into();
        });
        let fields: Vec<_> = errors.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["name", "memory", "labels"]);
    }

    #[test]
    fn what_is_too_much_is_refused_and_not_dropped() {
        let lines = |n: usize| (0..n).map(|n| format!("A{n}=1\n")).collect::<String>();
        assert_eq!(broken(|t| t.environment = lines(MOST_LINES)), []);
        let too_many = Rule::TooMany { most: MOST_LINES };
        for (field, change) in [
            (
                "environment",
                (|t, text| t.environment = text) as fn(&mut Typed, String),
            ),
            ("labels", |t, text| t.labels = text),
        ] {
            let found = broken(|t| change(t, lines(MOST_LINES + 1)));
            assert_eq!(found, [(field, too_many.clone())]);
        }
    }

    #[test]
    fn a_value_keeps_the_blanks_at_its_end() {
        let draft = check(&Typed {
            image: "busybox".to_owned(),
            environment: "  PROMPT=> \r\n\n B=2".to_owned(),
            labels: "note=a  ".to_owned(),
            ..Typed::default()
        })
        .unwrap();
        assert_eq!(draft.environment, ["PROMPT=> ", "B=2"]);
        assert_eq!(draft.labels, [("note".to_owned(), "a  ".to_owned())]);
    }

    #[test]
    fn processors_are_exact() {
        for (text, nano) in [
            ("1.5", 1_500_000_000),
            ("0.001", 1_000_000),
            (".5", 500_000_000),
        ] {
            assert_eq!(cpus(text), Ok(nano), "{text}");
        }
    }
}
