//! `ADD` and `COPY`: their flags, sources and target.

use crate::error::{Fault, Rule};

use super::flags::{Known, Takes};
use super::lexer;
use super::line::Line;
use super::syntax::{Heredoc, Word, WrittenSource, WrittenTransfer};
use super::words;

pub(super) const ADD_FLAGS: &[Known] = &[
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Switch),
    ("keep-git-dir", Takes::Switch),
    ("checksum", Takes::Text),
    ("unpack", Takes::Switch),
    ("exclude", Takes::Texts),
];

pub(super) const COPY_FLAGS: &[Known] = &[
    ("from", Takes::Text),
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Switch),
    ("parents", Takes::Switch),
    ("exclude", Takes::Texts),
];

impl Line<'_> {
    pub(super) fn transfer(&self, known: &[Known]) -> Result<WrittenTransfer, Fault> {
        let flags = self.flags(known)?;
        let keyword = self.keyword;
        let mut words = self.list()?;
        let target = words.pop().filter(|_| !words.is_empty());
        let Some((at, target)) = target else {
            return Err(self.fault(format!(
                "{keyword} requires at least two arguments, but only one was provided. \
                 Destination could not be determined"
            )));
        };
        if !self.logical.heredocs.is_empty() && lexer::heredoc(&target).is_some() {
            let message = format!("{keyword} cannot accept a heredoc as a destination");
            return Err(self.fault_at(at, message));
        }
        if let Some((from, span)) = flags.get("from").filter(|(from, _)| from.contains('$')) {
            let message = format!(
                "variable expansion is not supported for --from={from}, define a new stage with \
                 FROM using ARG from global scope as a workaround"
            );
            return Err(Fault::new(span, Rule::Variable, message));
        }
        let word = |name| flags.text(name).map(Word);
        Ok(WrittenTransfer {
            sources: self.sources(words),
            target: Word(target),
            from: flags.text("from").filter(|from| !from.is_empty()),
            chown: word("chown"),
            chmod: word("chmod"),
            link: flags.switch("link") == Some(true),
            parents: flags.switch("parents") == Some(true),
            exclude: flags
                .all("exclude")
                .map(|(text, _)| Word(text.to_owned()))
                .collect(),
            checksum: word("checksum"),
            keep_git_dir: flags.switch("keep-git-dir") == Some(true),
            unpack: flags.switch("unpack"),
        })
    }

    /// The documents stand in the order in which they were asked for.
    fn sources(&self, words: Vec<words::Placed<String>>) -> Vec<WrittenSource> {
        let mut heredocs = self.logical.heredocs.iter();
        words
            .into_iter()
            .map(|(_, word)| {
                let asked = lexer::heredoc(&word);
                match asked.and_then(|_| heredocs.next()) {
                    Some(heredoc) => WrittenSource::Heredoc(Heredoc::clone(heredoc)),
                    None => WrittenSource::Path(Word(word)),
                }
            })
            .collect()
    }
}
