//! `RUN --mount` with its variables replaced: options to what an executor mounts.

use crate::action::{Mount, MountOwner, Origin, Sharing};
use crate::dockerfile::{MountType, WrittenMount};
use crate::error::Rule;
use crate::evaluate::{Origins, Problem, Words};
use crate::paths::resolve;

/// The mount that is asked for. Those before it count the sockets that have no path of their own.
pub(crate) fn evaluate(
    mount: &WrittenMount,
    words: &mut Words<'_, '_>,
    origins: Origins<'_>,
    before: &[Mount],
) -> Result<Mount, Problem> {
    let options = Options::read(mount, words)?;
    let from = mount.from.as_deref().map(origins).transpose()?;
    Ok(match mount.kind {
        MountType::Bind => Mount::Bind {
            target: options.target()?.unwrap_or_else(|| ".".to_owned()),
            from: from.unwrap_or(Origin::Context),
            source: options.text("source").unwrap_or("").to_owned(),
            writable: options.is_writable(false)?,
        },
        MountType::Cache => cache(&options, from)?,
        MountType::Tmpfs => Mount::Tmpfs {
            target: options
                .target()?
                .ok_or_else(|| wrong("a tmpfs mount needs a target"))?,
            size_bytes: options.size()?,
        },
        MountType::Secret => secret(&options)?,
        MountType::Ssh => {
            let is_socket = |mount: &&Mount| matches!(mount, Mount::Ssh { .. });
            let n_before = before.iter().filter(is_socket).count();
            let socket = || format!("/run/buildkit/ssh_agent.{n_before}");
            Mount::Ssh {
                target: Some(options.target()?.unwrap_or_else(socket)),
                id: options.text("id").unwrap_or("default").to_owned(),
                required: options.switch("required")?.unwrap_or(false),
                owner: options.owner(0o600)?,
            }
        }
    })
}

fn cache(options: &Options, from: Option<Origin>) -> Result<Mount, Problem> {
    let target = options
        .target()?
        .ok_or_else(|| wrong("a cache mount needs a target"))?;
    let sharing = match options.text("sharing").map(str::to_lowercase).as_deref() {
        None | Some("shared") => Sharing::Shared,
        Some("private") => Sharing::Private,
        Some("locked") => Sharing::Locked,
        Some(other) => return Err(wrong(format!("unsupported sharing value \"{other}\""))),
    };
    let id = options.text("id").filter(|id| !id.is_empty());
    Ok(Mount::Cache {
        id: id.map_or_else(|| resolve("/", &target), str::to_owned),
        sharing,
        from,
        source: options.text("source").unwrap_or("").to_owned(),
        read_only: !options.is_writable(true)?,
        owner: options.owner(0o755)?,
        target,
    })
}

/// The secret goes by its id, else by its source, else by the last name of its target.
fn secret(options: &Options) -> Result<Mount, Problem> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or("").to_owned();
    let target = options.target()?;
    let id = options
        .text("id")
        .or(options.text("source"))
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .or_else(|| target.as_deref().map(last))
        .filter(|id| !id.is_empty())
        .ok_or_else(|| wrong("invalid secret mount. one of source, target required"))?;
    let env = options.text("env").map(str::to_owned);
    if env
        .as_deref()
        .is_some_and(|env| env.is_empty() || env.contains('='))
    {
        return Err(wrong("the mount option 'env' names a variable"));
    }
    let target = match (target, &env) {
        (Some(target), _) => Some(target),
        (None, Some(_)) => None,
        (None, None) => Some(format!("/run/secrets/{}", last(&id))),
    };
    Ok(Mount::Secret {
        target,
        id,
        env,
        required: options.switch("required")?.unwrap_or(false),
        owner: options.owner(0o400)?,
    })
}

fn wrong(message: impl Into<String>) -> Problem {
    Problem::new(Rule::Mount, message)
}

/// Options with their variables replaced; without a value a word stands for yes.
struct Options(Vec<(String, Option<String>)>);

impl Options {
    fn read(mount: &WrittenMount, words: &mut Words<'_, '_>) -> Result<Options, Problem> {
        let options = mount.options.iter().map(|(name, value)| {
            let value = value.as_ref().map(|word| words.word(word)).transpose()?;
            if value.as_deref().is_some_and(|value| value.contains('\0')) {
                return Err(wrong(format!("the mount option '{name}' has a NUL byte")));
            }
            Ok((name.clone(), value))
        });
        options.collect::<Result<_, _>>().map(Options)
    }

    fn get(&self, name: &str) -> Option<Option<&str>> {
        let option = self.0.iter().find(|(given, _)| given == name);
        option.map(|(_, value)| value.as_deref())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).flatten()
    }

    fn target(&self) -> Result<Option<String>, Problem> {
        match self.text("target") {
            Some(target) if target.starts_with('/') && resolve("/", target) == "/" => {
                Err(wrong(format!("invalid mount target \"{target}\"")))
            }
            Some("") | None => Ok(None),
            Some(target) => Ok(Some(target.to_owned())),
        }
    }

    /// As Go reads a boolean.
    fn switch(&self, name: &str) -> Result<Option<bool>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value {
            None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
            Some(other) => Err(wrong(format!("invalid value for {name}: {other}"))),
        }
    }

    fn is_writable(&self, default: bool) -> Result<bool, Problem> {
        if let Some(read_only) = self.switch("readonly")? {
            return Ok(!read_only);
        }
        Ok(self.switch("readwrite")?.unwrap_or(default))
    }

    fn owner(&self, mode: u32) -> Result<MountOwner, Problem> {
        let number = |name: &str, radix: u32, most: u32| {
            let Some(text) = self.text(name) else {
                return Ok(None);
            };
            let is_plain = text.chars().all(|c| c.is_digit(radix));
            let number = u32::from_str_radix(text, radix).ok().filter(|_| is_plain);
            let number = number.filter(|number| *number <= most);
            number
                .map(Some)
                .ok_or_else(|| wrong(format!("invalid value {text} for {name}")))
        };
        Ok(MountOwner {
            uid: number("uid", 10, u32::MAX - 1)?.unwrap_or(0),
            gid: number("gid", 10, u32::MAX - 1)?.unwrap_or(0),
            mode: number("mode", 8, 0o7777)?.unwrap_or(mode),
        })
    }

    /// A number of bytes, or of `k`, `m`, `g`, `t` of them.
    fn size(&self) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text("size") else {
            return Ok(None);
        };
        bytes(text)
            .map(Some)
            .ok_or_else(|| wrong(format!("invalid value for size: {text}")))
    }
}

fn bytes(text: &str) -> Option<u64> {
    let lower = text.trim().to_lowercase();
    let end = lower
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("1024"), Some(1024));
        assert_eq!(bytes("2m"), Some(2 << 20));
        assert_eq!(bytes("1GiB"), Some(1 << 30));
        for wrong in ["", "m", "-1", "1x", "99999999999999999999", "99999999999g"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
