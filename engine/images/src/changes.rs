//! Changes to an image's configuration, as `docker import --change` writes them: a few
//! instructions of a Dockerfile.

use std::collections::BTreeMap;

use crate::healthcheck;
use crate::manifest::{Empty, RunConfig};

/// An instruction that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("change {change:?} is refused: {reason}")]
pub struct MalformedChange {
    change: String,
    reason: &'static str,
}

/// Applies instructions, in order.
///
/// # Errors
/// When one is unknown or malformed; `config` is then half changed and of no use.
pub fn apply_changes(config: &mut RunConfig, changes: &[String]) -> Result<(), MalformedChange> {
    for change in changes.iter().filter(|change| !change.trim().is_empty()) {
        apply(config, change.trim()).map_err(|reason| MalformedChange {
            change: change.chars().take(200).collect(),
            reason,
        })?;
    }
    Ok(())
}

fn apply(config: &mut RunConfig, change: &str) -> Result<(), &'static str> {
    let (word, rest) = change
        .split_once(char::is_whitespace)
        .unwrap_or((change, ""));
    let rest = rest.trim();
    if rest.is_empty() {
        return Err("it says nothing after the instruction");
    }
    match word.to_ascii_uppercase().as_str() {
        "CMD" => config.cmd = Some(command(rest)?),
        "ENTRYPOINT" => config.entrypoint = Some(command(rest)?),
        "ENV" => {
            for (key, value) in pairs(rest)? {
                let prefix = format!("{key}=");
                config.env.retain(|variable| !variable.starts_with(&prefix));
                config.env.push(format!("{prefix}{value}"));
            }
        }
        "LABEL" => config.labels.extend(pairs(rest)?),
        "EXPOSE" => {
            for port in rest.split_whitespace() {
                config.exposed_ports.insert(exposed(port)?, Empty {});
            }
        }
        "VOLUME" => {
            let paths = match array(rest) {
                Some(paths) => paths?,
                None => rest.split_whitespace().map(str::to_owned).collect(),
            };
            config
                .volumes
                .extend(paths.into_iter().map(|path| (path, Empty {})));
        }
        "USER" => config.user = rest.to_owned(),
        "WORKDIR" => config.working_dir = working_dir(&config.working_dir, rest),
        "STOPSIGNAL" => config.stop_signal = rest.to_owned(),
        "ONBUILD" => config.on_build.push(rest.to_owned()),
        "SHELL" => config.shell = Some(array(rest).ok_or("it needs a JSON array")??),
        "HEALTHCHECK" => config.healthcheck = Some(healthcheck::parse(rest)?),
        _ => return Err("the instruction is unknown or changes no configuration"),
    }
    Ok(())
}

/// A JSON array is the command itself; anything else goes to a shell.
fn command(text: &str) -> Result<Vec<String>, &'static str> {
    match array(text) {
        Some(words) => words,
        None => Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]),
    }
}

fn array(text: &str) -> Option<Result<Vec<String>, &'static str>> {
    text.starts_with('[')
        .then(|| serde_json::from_str(text).map_err(|_| "it is not a JSON array of strings"))
}

fn exposed(port: &str) -> Result<String, &'static str> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let is_port = number.parse::<u16>().is_ok_and(|number| number > 0)
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_port || !matches!(protocol, "tcp" | "udp" | "sctp") {
        return Err("a port is a number from 1 to 65535, with /tcp, /udp or /sctp behind it");
    }
    Ok(format!("{number}/{protocol}"))
}

fn working_dir(current: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    format!("{}/{path}", current.trim_end_matches('/'))
}

/// `key=value key="a value"`, or the old `key the whole rest`.
fn pairs(text: &str) -> Result<BTreeMap<String, String>, &'static str> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (key, value) = text
            .split_once(char::is_whitespace)
            .ok_or("it needs a value")?;
        return Ok(BTreeMap::from([(key.to_owned(), value.trim().to_owned())]));
    }
    words(text)?
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err("it needs key=value"),
        })
        .collect()
}

/// Splits at blanks outside quotes; quotes and backslashes go.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => {
                word.get_or_insert_default().extend(characters.next());
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn changed(changes: &[&str]) -> Result<RunConfig, MalformedChange> {
        let mut config = RunConfig::default();
        let changes: Vec<_> = changes.iter().map(|change| (*change).to_owned()).collect();
        apply_changes(&mut config, &changes).map(|()| config)
    }

    #[test]
    fn instructions_change_what_they_name() {
        let config = changed(&[
            r#"CMD ["/bin/sh", "-l"]"#,
            "entrypoint echo hello",
            r#"ENV A=1 B="two words" C=\"x"#,
            "ENV A 3 and more",
            "LABEL one=1",
            "EXPOSE 80 53/udp",
            r#"VOLUME ["/a b"]"#,
            "WORKDIR /srv",
            "WORKDIR app",
            "USER 1000:50",
            "STOPSIGNAL SIGINT",
            "HEALTHCHECK --retries=2 CMD true",
        ])
        .unwrap();
        assert_eq!(config.cmd.unwrap(), ["/bin/sh", "-l"]);
        assert_eq!(config.entrypoint.unwrap(), ["/bin/sh", "-c", "echo hello"]);
        assert_eq!(config.env, ["B=two words", "C=\"x", "A=3 and more"]);
        assert_eq!(
            config.exposed_ports.keys().collect::<Vec<_>>(),
            ["53/udp", "80/tcp"]
        );
        assert_eq!(config.volumes.keys().collect::<Vec<_>>(), ["/a b"]);
        assert_eq!(
            (config.working_dir.as_str(), config.user.as_str()),
            ("/srv/app", "1000:50")
        );
        assert_eq!(
            config.healthcheck,
            Some(serde_json::json!({"Retries": 2, "Test": ["CMD-SHELL", "true"]}))
        );
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for change in [
            "CMD",
            "RUN x",
            "FROM y",
            "ENV A",
            "ENV =x",
            "LABEL a=\"",
            "EXPOSE x",
            "EXPOSE 0",
            "EXPOSE +80",
            "EXPOSE 80/http",
            "CMD [1]",
            "SHELL sh",
            "HEALTHCHECK",
            "HEALTHCHECK RUN x",
        ] {
            assert!(changed(&[change]).is_err(), "{change}");
        }
    }

    proptest! {
        #[test]
        fn random_changes_never_panic(change in "(CMD|ENV|LABEL|VOLUME|EXPOSE) \\PC{0,40}") {
            let _ = changed(&[&change]);
        }
    }
}
