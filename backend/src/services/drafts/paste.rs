//! A pasted `docker run …` line, as the form that says the same.

use super::Typed;
use super::flags::{FLAGS, Flag, Target};

/// Longer lines are no command that a person has typed.
const MOST_BYTES: usize = 64 * 1024;

/// What became of a pasted line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pasted {
    /// The form it fills.
    pub typed: Typed,
    /// What it asked for and the form cannot say, as it was written.
    pub unsupported: Vec<String>,
}

/// Why a line cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasteError {
    /// A quote is not closed, or the line is longer than any command.
    NotACommandLine,
    /// Nothing of `docker run` in it.
    NotDockerRun,
    /// The flags are not followed by an image.
    NoImage,
}

/// Reads `docker run …`, `docker create …`, `podman run …`, with `sudo` or a prompt before it.
///
/// # Errors
/// When the line is no such command.
pub fn paste(line: &str) -> Result<Pasted, PasteError> {
    if line.len() > MOST_BYTES {
        return Err(PasteError::NotACommandLine);
    }
    // A backslash at a line's end goes on in the next, as people copy it from pages.
    let line = line.replace("\r\n", "\n").replace("\\\n", " ");
    let words = shlex::split(&line).ok_or(PasteError::NotACommandLine)?;
    let begin = words
        .iter()
        .position(|word| ["run", "create"].contains(&word.as_str()));
    let begin = begin.ok_or(PasteError::NotDockerRun)?;
    if !words[..begin]
        .iter()
        .any(|word| word.ends_with("docker") || word.ends_with("podman"))
    {
        return Err(PasteError::NotDockerRun);
    }
    let mut words = words.into_iter().skip(begin + 1);
    let mut pasted = Pasted::default();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some("") => continue,
            Some(long) => pasted.long(&word, long, &mut words),
            None if word.len() > 1 && word.starts_with('-') => pasted.letters(&word, &mut words),
            None => {
                pasted.typed.image = word;
                let rest: Vec<String> = words.collect();
                pasted.typed.command = join(&rest);
                return Ok(pasted);
            }
        }
    }
    Err(PasteError::NoImage)
}

/// Writes words so that a shell reads them back; quotes only where it must.
pub(super) fn join(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let quoted = |word: &String| {
        let is_plain = !word.is_empty() && word.chars().all(plain);
        if is_plain {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

impl Pasted {
    fn long(&mut self, whole: &str, long: &str, words: &mut impl Iterator<Item = String>) {
        let (name, inline) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let Some(flag) = FLAGS.iter().find(|flag| flag.long == name) else {
            return self.unsupported.push(whole.to_owned());
        };
        if takes_value(flag) {
            let value = inline.or_else(|| words.next()).unwrap_or_default();
            self.apply(flag, &value);
        } else if inline.as_deref() != Some("false") {
            self.apply(flag, "");
        }
    }

    /// Reads `-it`, `-eA=1`, `-e A=1`, `-itu root`.
    fn letters(&mut self, word: &str, words: &mut impl Iterator<Item = String>) {
        for (at, letter) in word.char_indices().skip(1) {
            let Some(flag) = FLAGS.iter().find(|flag| flag.short == Some(letter)) else {
                return self.unsupported.push(word.to_owned());
            };
            if !takes_value(flag) {
                self.apply(flag, "");
                continue;
            }
            let rest = &word[at + letter.len_utf8()..];
            let inline = rest.strip_prefix('=').unwrap_or(rest);
            let value = if rest.is_empty() {
                words.next().unwrap_or_default()
            } else {
                inline.to_owned()
            };
            return self.apply(flag, &value);
        }
    }

    fn apply(&mut self, flag: &Flag, value: &str) {
        // The form has an item a line: a line end inside a value would make two of one.
        if value.contains('\n') {
            return self.refuse(flag.long, value);
        }
        match flag.target {
            Target::Field(field) => value.clone_into(field(&mut self.typed)),
            Target::Line(field) => add(field(&mut self.typed), "\n", value),
            Target::Word(field) => add(field(&mut self.typed), " ", value),
            Target::Switch(field) => "on".clone_into(field(&mut self.typed)),
            Target::Nothing => {}
            Target::Special => self.special(flag.long, value),
            Target::Unsupported => self.refuse(flag.long, value),
            Target::UnsupportedSwitch => self.unsupported.push(format!("--{}", flag.long)),
        }
    }

    fn special(&mut self, name: &str, value: &str) {
        match (name, value) {
            ("network" | "net", "none" | "host") => value.clone_into(&mut self.typed.network),
            // Its value is known only to the shell that the line was meant for.
            ("env", pair) if pair.contains('=') => add(&mut self.typed.environment, "\n", pair),
            ("volume", bind) if bind.starts_with('/') => add(&mut self.typed.mounts, "\n", bind),
            ("mount", options) => self.mount(options),
            (
                "security-opt",
                "no-new-privileges" | "no-new-privileges:true" | "no-new-privileges=true",
            ) => {
                "on".clone_into(&mut self.typed.no_new_privileges);
            }
            ("log-driver", "json-file" | "local") | ("restart", "no") => {}
            ("log-opt", option) => match option.split_once('=') {
                Some(("max-size", size)) => size.clone_into(&mut self.typed.log_max_size),
                Some(("max-file", files)) => files.clone_into(&mut self.typed.log_max_files),
                _ => self.refuse(name, option),
            },
            _ => self.refuse(name, value),
        }
    }

    fn mount(&mut self, options: &str) {
        let find = |names: &[&str]| {
            options
                .split(',')
                .filter_map(|option| option.split_once('='))
                .find_map(|(key, value)| names.contains(&key).then_some(value))
        };
        let source = find(&["source", "src"]);
        let target = find(&["target", "destination", "dst"]);
        let writable = ["readonly", "ro", "readonly=true", "ro=true"];
        let suffix = if options.split(',').any(|option| writable.contains(&option)) {
            ":ro"
        } else {
            ""
        };
        match (find(&["type"]), source, target) {
            (Some("bind"), Some(source), Some(target)) => {
                add(
                    &mut self.typed.mounts,
                    "\n",
                    &format!("{source}:{target}{suffix}"),
                );
            }
            (Some("tmpfs"), None, Some(target)) => add(&mut self.typed.tmpfs, "\n", target),
            _ => self.refuse("mount", options),
        }
    }

    fn refuse(&mut self, name: &str, value: &str) {
        self.unsupported.push(format!("--{name} {value}"));
    }
}

fn takes_value(flag: &Flag) -> bool {
    !matches!(
        flag.target,
        Target::Switch(_) | Target::Nothing | Target::UnsupportedSwitch
    )
}

fn add(field: &mut String, between: &str, item: &str) {
    if !field.is_empty() {
        field.push_str(between);
    }
    field.push_str(item);
}

#[cfg(test)]
mod tests {
    use super::super::{check, equivalent};
    use super::*;

    #[test]
    fn a_line_fills_the_form() {
        let line = "$ sudo docker run -it --rm --name web -e A=1 -eB=2 -m 512m --cpus=1.5 \\\n \
                    -u 1000:1000 --network=host -v /srv:/data:ro --label a=b --log-opt max-size=1m \
                    --security-opt no-new-privileges busybox:1 sh -c 'echo hi'";
        let pasted = paste(line).unwrap();
        let typed = &pasted.typed;
        assert_eq!(pasted.unsupported, Vec::<String>::new());
        assert_eq!(
            (typed.image.as_str(), typed.command.as_str()),
            ("busybox:1", "sh -c 'echo hi'")
        );
        assert_eq!(
            (typed.name.as_str(), typed.environment.as_str()),
            ("web", "A=1\nB=2")
        );
        assert_eq!(
            (
                typed.tty.as_str(),
                typed.stdin.as_str(),
                typed.auto_remove.as_str()
            ),
            ("on", "on", "on")
        );
        assert_eq!(
            (typed.mounts.as_str(), typed.network.as_str()),
            ("/srv:/data:ro", "host")
        );
        assert_eq!(
            (typed.user.as_str(), typed.log_max_size.as_str()),
            ("1000:1000", "1m")
        );
        assert!(check(typed).is_ok());
    }

    #[test]
    fn what_the_form_cannot_say_is_named_and_nothing_else_is_lost() {
        let line = "docker run -p 80:80 --restart always -v data:/x -e HOME --gpus all --strange \
                    --tty=false busybox";
        let pasted = paste(line).unwrap();
        assert_eq!(
            pasted.unsupported,
            [
                "--publish 80:80",
                "--restart always",
                "--volume data:/x",
                "--env HOME",
                "--gpus all",
                "--strange"
            ]
        );
        assert_eq!(
            (pasted.typed.image.as_str(), pasted.typed.tty.as_str()),
            ("busybox", "")
        );
    }

    #[test]
    fn words_are_quoted_only_where_they_must() {
        let words = ["A=1", "two words", "it's", ""].map(str::to_owned);
        assert_eq!(join(&words), r"A=1 'two words' 'it'\''s' ''");
        assert_eq!(shlex::split(&join(&words)).unwrap(), words);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        assert_eq!(paste("docker run 'x"), Err(PasteError::NotACommandLine));
        assert_eq!(paste("docker ps"), Err(PasteError::NotDockerRun));
        assert_eq!(paste("run busybox"), Err(PasteError::NotDockerRun));
        assert_eq!(paste("docker run -it"), Err(PasteError::NoImage));
        assert_eq!(paste(""), Err(PasteError::NotDockerRun));
    }

    #[test]
    fn the_equivalent_line_pastes_back_to_the_same_form() {
        let line = "docker run -d --name web -i -t --network host --add-host a:10.0.0.1 -h box \
                    -e 'A=two words' -l x=y -v /a:/b:ro --tmpfs /run -m 1g --cpus 2 --ulimit nofile=1:2 \
                    --read-only --cap-drop ALL --cap-add NET_RAW --cap-add KILL --security-opt \
                    no-new-privileges --log-opt max-file=2 --entrypoint /bin/sh busybox -c 'a b'";
        let first = paste(line).unwrap();
        let again = paste(&equivalent(&first.typed)).unwrap();
        assert_eq!(first, again);
    }
}
