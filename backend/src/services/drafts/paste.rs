//! A pasted `docker run …` line, as the form that says the same.

use engine_api::containers::CreateBody;

use super::Typed;
use super::flags::{ALIASES, NOTHING, UNSUPPORTED, UNSUPPORTED_SWITCHES};
use super::row::{Kind, Row, join};
use super::rows::ALL;

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
    let mut pasted = Pasted::default();
    if words[begin] == "run" {
        pasted.typed.set("start", "on".to_owned());
    }
    let mut words = words.into_iter().skip(begin + 1);
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some("") => continue,
            Some(long) => pasted.long(&word, long, &mut words),
            None if word.len() > 1 && word.starts_with('-') => pasted.letters(&word, &mut words),
            None => {
                pasted.typed.set("image", word);
                let rest: Vec<String> = words.collect();
                pasted.typed.set("command", join(&rest));
                return Ok(pasted);
            }
        }
    }
    Err(PasteError::NoImage)
}

/// A flag as it was found in the tables.
enum Found {
    /// Of these rows; the value says of which.
    Rows(Vec<&'static Row>),
    /// Changes nothing.
    Nothing,
    /// Known, without effect here.
    Unsupported {
        long: &'static str,
        takes_value: bool,
    },
}

impl Found {
    fn by(fits: impl Fn(Option<char>, &str) -> bool) -> Option<Self> {
        let all = ALL.iter().copied().flatten();
        let rows: Vec<_> = all
            .filter(|row| !row.flag.long.is_empty() && fits(row.flag.short, row.flag.long))
            .collect();
        if !rows.is_empty() {
            return Some(Self::Rows(rows));
        }
        let of = |table: &[(Option<char>, &'static str)]| {
            let mut found = table.iter().filter(|(short, long)| fits(*short, long));
            found.next().map(|(_, long)| *long)
        };
        if of(NOTHING).is_some() {
            return Some(Self::Nothing);
        }
        let switch = of(UNSUPPORTED_SWITCHES).map(|long| (long, false));
        let (long, takes_value) = switch.or_else(|| Some((of(UNSUPPORTED)?, true)))?;
        Some(Self::Unsupported { long, takes_value })
    }

    fn takes_value(&self) -> bool {
        match self {
            Self::Rows(rows) => rows.iter().any(|row| (row.said)("on").is_some()),
            Self::Nothing => false,
            Self::Unsupported { takes_value, .. } => *takes_value,
        }
    }
}

impl Pasted {
    fn long(&mut self, whole: &str, long: &str, words: &mut impl Iterator<Item = String>) {
        let (name, inline) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let alias = ALIASES.iter().find(|(other, _)| *other == name);
        let name = alias.map_or(name, |(_, name)| name);
        let Some(found) = Found::by(|_, long| long == name) else {
            return self.unsupported.push(whole.to_owned());
        };
        if found.takes_value() {
            let value = inline.or_else(|| words.next()).unwrap_or_default();
            self.apply(&found, &value);
        } else if inline.as_deref() != Some("false") {
            self.apply(&found, "");
        }
    }

    /// Reads `-it`, `-eA=1`, `-e A=1`, `-itu root`.
    fn letters(&mut self, word: &str, words: &mut impl Iterator<Item = String>) {
        for (at, letter) in word.char_indices().skip(1) {
            let Some(found) = Found::by(|short, _| short == Some(letter)) else {
                return self.unsupported.push(word.to_owned());
            };
            if !found.takes_value() {
                self.apply(&found, "");
                continue;
            }
            let rest = &word[at + letter.len_utf8()..];
            let inline = rest.strip_prefix('=').unwrap_or(rest);
            let value = if rest.is_empty() {
                words.next().unwrap_or_default()
            } else {
                inline.to_owned()
            };
            return self.apply(&found, &value);
        }
    }

    fn apply(&mut self, found: &Found, value: &str) {
        let rows = match found {
            Found::Rows(rows) => rows,
            Found::Nothing => return,
            Found::Unsupported { long, takes_value } => {
                return self.refuse(long, if *takes_value { value } else { "" });
            }
        };
        let mut heard = rows
            .iter()
            .filter_map(|row| Some((row, (row.heard)(value)?)));
        match heard.next() {
            // What the field cannot say would become something else in it.
            Some((row, item)) if row.kind.fits(&item) && is_allowed(row, &item) => {
                self.fill(row, &item);
            }
            // An empty value says what no flag says.
            _ if value.is_empty() && rows.iter().all(|row| row.kind == Kind::Line) => {}
            _ => self.refuse(rows[0].flag.long, value),
        }
    }

    fn fill(&mut self, row: &Row, item: &str) {
        match row.kind {
            Kind::Lines => self.typed.add(row.field, "\n", item),
            Kind::Words => self.typed.add(row.field, " ", item),
            Kind::Command => self.typed.set(row.field, join(&[item.to_owned()])),
            _ => self.typed.set(row.field, item.to_owned()),
        }
    }

    fn refuse(&mut self, name: &str, value: &str) {
        let flag = match value {
            "" => format!("--{name}"),
            value => format!("--{name} {value}"),
        };
        self.unsupported.push(flag);
    }
}

/// Tells whether a value breaks no rule; one that does is named and not taken over.
fn is_allowed(row: &Row, item: &str) -> bool {
    (row.set)(&mut CreateBody::default(), &[item.to_owned()]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Stored, check, equivalent};
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
            (typed.text("image"), typed.text("command")),
            ("busybox:1", "sh -c 'echo hi'")
        );
        assert_eq!(
            (typed.text("name"), typed.text("environment")),
            ("web", "A=1\nB=2")
        );
        assert_eq!(
            (
                typed.text("tty"),
                typed.text("stdin"),
                typed.text("auto_remove")
            ),
            ("on", "on", "on")
        );
        assert_eq!(
            (typed.text("mounts"), typed.text("network")),
            ("/srv:/data:ro", "host")
        );
        assert_eq!(
            (typed.text("user"), typed.text("log_max_size")),
            ("1000:1000", "1m")
        );
        assert!(check(typed, &Stored::fresh()).is_ok());
    }

    #[test]
    fn what_the_form_cannot_say_is_named_and_nothing_else_is_lost() {
        let line = "docker run -p 80:80 --restart sometimes -v data:/x -e HOME --gpus all --strange \
                    --security-opt seccomp=rules.json -P --log-opt labels=a \
                    --mount type=volume,target=/x --tty=false busybox";
        let pasted = paste(line).unwrap();
        assert_eq!(
            pasted.unsupported,
            [
                "--publish 80:80",
                "--restart sometimes",
                "--volume data:/x",
                "--env HOME",
                "--gpus all",
                "--strange",
                "--security-opt seccomp=rules.json",
                "--publish-all",
                "--log-opt labels=a",
                "--mount type=volume,target=/x",
            ]
        );
        assert_eq!(
            (pasted.typed.text("image"), pasted.typed.text("tty")),
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
        assert_eq!(first.unsupported, Vec::<String>::new());
        let again = paste(&equivalent(&first.typed)).unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn every_row_is_said_and_heard() {
        for row in ALL
            .iter()
            .copied()
            .flatten()
            .filter(|row| !row.flag.long.is_empty())
        {
            let item = super::super::samples::item(row.field);
            let mut typed = Typed::default();
            typed.set("image", "busybox".to_owned());
            typed.set(row.field, row.kind.text(&[item.to_owned()]));
            let line = equivalent(&typed);
            assert!(
                line.contains(row.flag.long) || row.flag.short.is_some(),
                "{line}"
            );
            let pasted = paste(&line).unwrap();
            assert_eq!(pasted.unsupported, Vec::<String>::new(), "{line}");
            assert_eq!(
                pasted.typed.text(row.field),
                typed.text(row.field),
                "{line}"
            );
        }
    }
}
