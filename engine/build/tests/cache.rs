//! Cache keys: they follow content and meaning, and nothing else.

use std::collections::BTreeMap;

use engine_build::cache::{self, Entry, Inputs, Key, Kind};
use engine_build::{Action, Options, Plan, Platform, parse};

fn options(build_args: &[(&str, &str)]) -> Options {
    let platform = Platform::parse("linux/amd64").expect("a platform");
    Options {
        target: None,
        build_args: build_args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        platform: platform.clone(),
        build_platform: platform,
    }
}

/// The actions of the last stage of a Dockerfile.
fn actions(text: &str, build_args: &[(&str, &str)]) -> Vec<Action> {
    let dockerfile = parse(text.as_bytes()).expect(text);
    let plan = Plan::new(&dockerfile, &options(build_args)).expect(text);
    let mut scope = plan.scope(plan.target(), &[]);
    let steps = &plan.stages[plan.target()].steps;
    steps
        .iter()
        .map(|step| scope.evaluate(step).expect(text))
        .collect()
}

fn last(text: &str, build_args: &[(&str, &str)]) -> Action {
    actions(text, build_args).pop().expect("a step")
}

fn parent() -> Key {
    cache::base("", "sha256:1", "linux/amd64")
}

fn copy(entries: &[Entry<'_>]) -> Key {
    let mut inputs = Inputs::default();
    entries.iter().for_each(|entry| inputs.add(entry));
    cache::key(
        &parent(),
        &last("FROM scratch\nCOPY a b /x/\n", &[]),
        &inputs,
    )
}

const FILE: Entry<'static> = Entry {
    source: 0,
    path: b"a",
    kind: Kind::File { digest: b"1" },
    mode: 0o644,
    uid: 0,
    gid: 0,
    xattrs: &[],
};

#[test]
fn a_key_differs_when_content_kind_mode_owner_place_or_attributes_differ() {
    let others = [
        Entry {
            kind: Kind::File { digest: b"2" },
            ..FILE
        },
        Entry {
            kind: Kind::Directory,
            ..FILE
        },
        Entry {
            kind: Kind::Symlink { target: b"1" },
            ..FILE
        },
        Entry {
            kind: Kind::Fifo,
            ..FILE
        },
        Entry {
            mode: 0o755,
            ..FILE
        },
        Entry { uid: 1, ..FILE },
        Entry { gid: 1, ..FILE },
        Entry { path: b"b", ..FILE },
        Entry { source: 1, ..FILE },
        Entry {
            xattrs: &[(b"user.a", b"1")],
            ..FILE
        },
        Entry {
            xattrs: &[(b"user.a", b"2")],
            ..FILE
        },
        Entry {
            xattrs: &[(b"user.a1", b"")],
            ..FILE
        },
    ];
    let mut keys = vec![copy(&[]), copy(&[FILE]), copy(&[FILE, FILE])];
    keys.extend(others.iter().map(|other| copy(&[*other])));
    let n_keys = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), n_keys, "two of them are the same");
}

#[test]
fn the_order_in_which_files_are_found_does_not_count() {
    let other = Entry { path: b"b", ..FILE };
    assert_eq!(copy(&[FILE, other]), copy(&[other, FILE]));
    let pairs: [(&[u8], &[u8]); 2] = [(b"user.a", b"1"), (b"user.b", b"2")];
    let swapped = [pairs[1], pairs[0]];
    let one = Entry {
        xattrs: &pairs,
        ..FILE
    };
    let two = Entry {
        xattrs: &swapped,
        ..FILE
    };
    assert_eq!(copy(&[one]), copy(&[two]));
}

#[test]
fn what_an_instruction_says_is_in_its_key() {
    let texts = [
        "RUN a",
        "RUN b",
        "RUN [\"a\"]",
        "RUN --network=none a",
        "RUN --mount=type=tmpfs,target=/x a",
        "RUN --mount=type=cache,target=/x a",
        "RUN --mount=type=cache,target=/x,id=y a",
        "COPY a /x",
        "COPY a /y",
        "COPY --chown=1 a /x",
        "COPY --chmod=600 a /x",
        "COPY --link a /x",
        "ADD a /x",
        "ENV a=b",
        "LABEL a=b",
        "WORKDIR /x",
        "USER x",
        "CMD a",
        "ENTRYPOINT a",
        "ONBUILD RUN a",
        "COPY <<a /x\nb\na",
        "COPY <<a /x\nc\na",
    ];
    let key = |text: &&str| {
        let action = last(&format!("FROM scratch\n{text}\n"), &[]);
        cache::key(&parent(), &action, &Inputs::default())
    };
    let mut keys: Vec<Key> = texts.iter().map(key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), texts.len());
}

#[test]
fn a_key_stands_on_its_parent() {
    let action = last("FROM scratch\nRUN a\n", &[]);
    let on = |parent: &Key| cache::key(parent, &action, &Inputs::default());
    assert_eq!(on(&parent()), on(&parent()));
    assert_ne!(
        on(&parent()),
        on(&cache::base("", "sha256:2", "linux/amd64"))
    );
    assert_ne!(
        on(&parent()),
        on(&cache::base("", "sha256:1", "linux/arm64"))
    );
    assert_ne!(
        on(&parent()),
        on(&cache::base("team", "sha256:1", "linux/amd64"))
    );
    assert_ne!(
        cache::base("ab", "c", "d"),
        cache::base("a", "bc", "d"),
        "parts do not run into each other"
    );
}

#[test]
fn an_argument_counts_where_a_command_sees_it() {
    let key =
        |text, args: &[(&str, &str)]| cache::key(&parent(), &last(text, args), &Inputs::default());
    let declared = "FROM scratch\nARG V=1\nRUN a\n";
    assert_ne!(key(declared, &[]), key(declared, &[("V", "2")]));
    assert_eq!(key(declared, &[]), key(declared, &[("V", "1")]));
    let undeclared = "FROM scratch\nRUN a\n";
    assert_eq!(key(undeclared, &[]), key(undeclared, &[("V", "2")]));
}

#[test]
fn a_proxy_reaches_the_command_and_not_the_key() {
    let text = "FROM scratch\nRUN a\n";
    let proxy = [("HTTP_PROXY", "http://secret@proxy")];
    let Action::Run(run) = last(text, &proxy) else {
        panic!("a run");
    };
    let proxies: Vec<(&str, &str)> = run
        .environment
        .iter()
        .filter(|(name, _)| name != "PATH")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let value = "http://secret@proxy";
    assert_eq!(proxies, [("HTTP_PROXY", value), ("http_proxy", value)]);
    assert!(!Action::Run(run.clone()).history(&[]).contains("secret"));
    let key = |action: &Action| cache::key(&parent(), action, &Inputs::default());
    assert_eq!(key(&Action::Run(run)), key(&last(text, &[])));
}

#[test]
fn where_a_stage_stands_does_not_count_and_what_it_holds_does() {
    let first = last("FROM x AS a\nFROM scratch\nCOPY --from=a /b /c\n", &[]);
    let later = last(
        "FROM y AS z\nFROM x AS a\nFROM scratch\nCOPY --from=z /q /q\nCOPY --from=a /b /c\n",
        &[],
    );
    let key = |action: &Action, digest: &'static [u8]| {
        let mut inputs = Inputs::default();
        inputs.add(&Entry {
            kind: Kind::File { digest },
            ..FILE
        });
        inputs.add_text("note", "x");
        cache::key(&parent(), action, &inputs)
    };
    assert_eq!(key(&first, b"1"), key(&later, b"1"));
    assert_ne!(key(&first, b"1"), key(&first, b"2"));
}

#[test]
fn a_key_is_shown_as_a_digest() {
    let shown = parent().to_string();
    assert_eq!(shown.len(), 64);
    assert!(shown.bytes().all(|byte| byte.is_ascii_hexdigit()));
}
