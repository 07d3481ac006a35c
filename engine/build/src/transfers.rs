//! `ADD` and `COPY` with their variables replaced: what kind of source, whose files, which mode.

use crate::action::{Origin, Owner, Source, Transfer};
use crate::dockerfile::{Word, WrittenSource, WrittenTransfer};
use crate::error::Rule;
use crate::evaluate::{Origins, Problem, Words, file_name};
use crate::mode::Mode;

pub(crate) fn add(
    transfer: &WrittenTransfer,
    words: &mut Words<'_, '_>,
) -> Result<Transfer, Problem> {
    let mut done = both("ADD", transfer, Origin::Context, words)?;
    for source in &mut done.sources {
        if let Source::Path(text) = source {
            *source = fetched(std::mem::take(text));
        }
    }
    done.checksum = checksum(transfer, &done.sources, words)?;
    done.unpack = transfer.unpack;
    Ok(done)
}

/// What kind of address a source of `ADD` is.
fn fetched(text: String) -> Source {
    let is_http = text.starts_with("http://") || text.starts_with("https://");
    let place = text.split(['#', '?']).next().unwrap_or("");
    let is_git = text.starts_with("git@")
        || text.starts_with("git://")
        || text.starts_with("ssh://")
        || (is_http && place.ends_with(".git"));
    match (is_git, is_http) {
        (true, _) => Source::Git(text),
        (false, true) => Source::Url(text),
        (false, false) => Source::Path(text),
    }
}

fn checksum(
    transfer: &WrittenTransfer,
    sources: &[Source],
    words: &mut Words<'_, '_>,
) -> Result<Option<String>, Problem> {
    let Some(text) = said(transfer.checksum.as_ref(), words)? else {
        return Ok(None);
    };
    let fault = |message: String| Err(Problem::new(Rule::Flag, message));
    let hexadecimal = |text: &str, n: usize| {
        text.len() == n
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    match sources {
        [Source::Url(_)] => match text.strip_prefix("sha256:") {
            Some(digest) if hexadecimal(digest, 64) => Ok(Some(text)),
            _ => fault(format!(
                "invalid checksum {text:?}: it is sha256: and 64 digits"
            )),
        },
        [Source::Git(_)] if hexadecimal(&text, 40) || hexadecimal(&text, 64) => Ok(Some(text)),
        [Source::Git(_)] => fault(format!("invalid checksum {text:?}: it is a commit's name")),
        [_] => fault("checksum requires HTTP(S) or Git sources".to_owned()),
        _ => fault("checksum can't be specified for multiple sources".to_owned()),
    }
}

pub(crate) fn copy(
    transfer: &WrittenTransfer,
    words: &mut Words<'_, '_>,
    origins: Origins<'_>,
) -> Result<Transfer, Problem> {
    let from = match &transfer.from {
        Some(from) => origins(from)?,
        None => Origin::Context,
    };
    let done = both("COPY", transfer, from, words)?;
    let is_address = |source: &Source| match source {
        Source::Path(text) => text.starts_with("http://") || text.starts_with("https://"),
        _ => false,
    };
    if done.sources.iter().any(is_address) {
        return Err(Problem::new(
            Rule::Arguments,
            "source can't be a URL for COPY",
        ));
    }
    Ok(done)
}

/// What `ADD` and `COPY` have in common.
fn both(
    keyword: &str,
    transfer: &WrittenTransfer,
    from: Origin,
    words: &mut Words<'_, '_>,
) -> Result<Transfer, Problem> {
    let mut sources = Vec::with_capacity(transfer.sources.len());
    for source in &transfer.sources {
        sources.push(match source {
            WrittenSource::Path(word) => Source::Path(path(words.word(word)?)?),
            WrittenSource::Heredoc(heredoc) => Source::Inline {
                name: file_name(&heredoc.name)?,
                content: words.heredoc(heredoc)?,
            },
        });
    }
    let mut target = path(words.word(&transfer.target)?)?;
    if target == "." {
        target.push('/');
    }
    if sources.len() > 1 && !target.ends_with('/') {
        let message = format!(
            "When using {keyword} with more than one source file, the destination must be a \
             directory and end with a /"
        );
        return Err(Problem::new(Rule::Arguments, message));
    }
    let owner = said(transfer.chown.as_ref(), words)?.map(|text| owner(&text));
    let mode = said(transfer.chmod.as_ref(), words)?.map(|text| mode(&text));
    Ok(Transfer {
        from,
        sources,
        target,
        owner: owner.transpose()?,
        mode: mode.transpose()?,
        link: transfer.link,
        parents: transfer.parents,
        exclude: words.words(&transfer.exclude)?,
        checksum: None,
        keep_git_dir: transfer.keep_git_dir,
        unpack: Some(false),
    })
}

/// What a flag says; one that is empty once its variables are replaced was not given.
fn said(word: Option<&Word>, words: &mut Words<'_, '_>) -> Result<Option<String>, Problem> {
    let text = word.map(|word| words.word(word)).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Nothing is the directory itself, as with Docker; a NUL is in no path.
fn path(text: String) -> Result<String, Problem> {
    if text.contains('\0') {
        return Err(Problem::new(Rule::Arguments, "a path has a NUL byte"));
    }
    Ok(if text.is_empty() {
        ".".to_owned()
    } else {
        text
    })
}

fn owner(text: &str) -> Result<Owner, Problem> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let fine = |name: &str| {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = !name.is_empty()
            && name.len() <= 256
            && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ':');
        // The last number means "leave it" to the kernel.
        is_name && (!is_number || name.parse::<u32>().is_ok_and(|number| number != u32::MAX))
    };
    if !fine(user) || !group.is_none_or(fine) {
        return Err(Problem::new(
            Rule::Flag,
            format!("invalid chown flag: {text:?}"),
        ));
    }
    Ok(Owner {
        user: user.to_owned(),
        group: group.map(str::to_owned),
    })
}

fn mode(text: &str) -> Result<Mode, Problem> {
    Mode::parse(text).ok_or_else(|| {
        let message = format!(
            "invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"
        );
        Problem::new(Rule::Flag, message)
    })
}
