//! Whatever comes in, something comes out: no panic, no endless work, faults at places that are
//! there. Random bytes, random Dockerfiles, and those that were made to hurt.

use std::collections::BTreeMap;

use engine_build::context::{Glob, Ignore};
use engine_build::{Dockerfile, Fault, Mode, Options, Plan, Platform, parse, resolve};
use proptest::prelude::*;

fn options() -> Options {
    let platform = Platform::parse("linux/amd64").expect("a platform");
    Options {
        target: None,
        build_args: BTreeMap::from([("A".to_owned(), "a/b/c".to_owned())]),
        platform: platform.clone(),
        build_platform: platform,
    }
}

/// Goes the whole way that an executor goes.
fn build(dockerfile: &Dockerfile) -> Result<(), Fault> {
    let plan = Plan::new(dockerfile, &options())?;
    for (place, stage) in plan.stages.iter().enumerate() {
        assert!(stage.needs.iter().all(|need| *need < place), "{stage:?}");
        let mut scope = plan.scope(place, &["PATH=/bin".to_owned()]);
        for step in &stage.steps {
            scope.evaluate(step)?;
        }
    }
    Ok(())
}

fn survives(bytes: &[u8]) -> Result<(), Vec<Fault>> {
    let result = match parse(bytes) {
        Ok(dockerfile) => build(&dockerfile).map_err(|fault| vec![fault]),
        Err(faults) => {
            assert!(!faults.is_empty());
            Err(faults)
        }
    };
    let n_lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    for fault in result
        .iter()
        .flat_map(|()| [].iter())
        .chain(result.as_ref().err().into_iter().flatten())
    {
        assert!(fault.span.last_line <= n_lines, "{fault:?}");
        assert!(fault.span.first_line <= fault.span.last_line, "{fault:?}");
        assert!(!fault.to_string().is_empty());
    }
    result
}

/// Pieces of which Dockerfiles are made, and of which wrong ones are made.
const PIECES: &[&str] = &[
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "LABEL",
    "ONBUILD",
    "HEALTHCHECK",
    "EXPOSE",
    "VOLUME",
    "SHELL",
    "CMD",
    "USER",
    "WORKDIR",
    "STOPSIGNAL",
    " ",
    " ",
    " ",
    "\n",
    "\n",
    "\n",
    "\\\n",
    "\\",
    "`",
    "#",
    "# escape=`\n",
    "# syntax=x\n",
    "scratch",
    " AS a",
    "a",
    "b",
    "A",
    "=",
    "A=b",
    "$A",
    "${A",
    "${A:-",
    "${A#",
    "${A//",
    "}",
    "/",
    "*",
    "?",
    "%",
    "\"",
    "'",
    "[",
    "]",
    "[\"a\"]",
    ",",
    "<<E",
    "<<-E",
    "<<\"E\"",
    "\nE\n",
    "\t",
    "--",
    "--from=a",
    "--from=0",
    "--mount=type=cache,target=/x",
    "--mount=",
    "type=bind",
    ",from=a",
    "--chown=1:2",
    "--chmod=7",
    "--link",
    "NONE",
    "--interval=1s",
    "80",
    "-90",
    "/tcp",
    "é",
    "\u{feff}",
    "\r\n",
    "\u{2003}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = survives(&bytes);
    }

    #[test]
    fn random_dockerfiles_are_survived(
        pieces in proptest::collection::vec(0..PIECES.len(), 0..120),
        begins_well in any::<bool>(),
    ) {
        let mut text = String::from(if begins_well { "FROM scratch\n" } else { "" });
        text.extend(pieces.into_iter().map(|piece| PIECES[piece]));
        let _ = survives(text.as_bytes());
    }

    #[test]
    fn a_word_without_special_characters_stays_as_it_is(word in "[a-zA-Z0-9._:/@-]{1,60}") {
        let dockerfile = parse(format!("FROM scratch\nENV A={word}\n").as_bytes()).expect("fine");
        let plan = Plan::new(&dockerfile, &options()).expect("fine");
        let mut scope = plan.scope(0, &[]);
        scope.evaluate(&plan.stages[0].steps[0]).expect("fine");
        prop_assert!(scope.environment().contains(&("A".to_owned(), word)));
    }

    #[test]
    fn a_resolved_path_is_absolute_and_leads_nowhere_else(
        workdir in "[a./]{0,12}",
        path in "[a./]{0,12}",
    ) {
        let resolved = resolve(&workdir, &path);
        prop_assert!(resolved.starts_with('/'));
        prop_assert!(resolved.split('/').all(|name| name != ".." && name != "."));
        prop_assert_eq!(resolve("/", &resolved), resolved);
    }

    #[test]
    fn no_pattern_matches_outside_of_the_context(
        pattern in "[a.*?/!\\[\\]\\\\-]{0,12}",
        path in "[a./]{0,12}",
    ) {
        let leads_out = path.split('/').try_fold(0_i32, |depth, name| {
            let depth = match name { "" | "." => depth, ".." => depth - 1, _ => depth + 1 };
            (depth >= 0).then_some(depth)
        }).is_none();
        if let Ok(glob) = Glob::new(&pattern, true) {
            prop_assert!(!(leads_out && glob.matches(&path)));
            prop_assert!(!(leads_out && glob.may_match_below(&path)));
        }
        if let Ok(ignore) = Ignore::parse(&pattern) {
            prop_assert!(!leads_out || ignore.is_left_out(&path));
            prop_assert!(!(leads_out && ignore.may_keep_below(&path)));
        }
    }

    /// What is kept is never below a directory that nobody needs to look into.
    #[test]
    fn a_kept_file_is_found_by_a_walk_that_skips_what_it_may(
        lines in proptest::collection::vec("!?[ab*]{1,3}(/[ab*]{1,3}){0,2}", 0..6),
        path in "[ab]{1,2}(/[ab]{1,2}){0,3}",
    ) {
        let ignore = Ignore::parse(&lines.join("\n")).expect("patterns without classes are fine");
        let names: Vec<&str> = path.split('/').collect();
        let skipped = (1..names.len()).any(|n| {
            let above = names[..n].join("/");
            ignore.is_left_out(&above) && !ignore.may_keep_below(&above)
        });
        prop_assert!(!skipped || ignore.is_left_out(&path), "{lines:?} {path}");
    }

    #[test]
    fn a_mode_stays_within_its_bits(text in "[ugoa+=rwxXst,0-9-]{0,12}", old in any::<u32>()) {
        if let Some(mode) = Mode::parse(&text) {
            prop_assert!(mode.apply(old, true) <= 0o7777);
        }
    }
}

#[test]
fn variables_that_double_end_in_a_fault() {
    let mut text = String::from("FROM scratch\nENV A=0123456789\n");
    text.push_str(&"ENV A=$A$A\n".repeat(100));
    let faults = survives(text.as_bytes()).expect_err("the text grows too large");
    assert!(faults[0].message.contains("too large") || faults[0].message.contains("larger than"));
}

#[test]
fn labels_that_are_large_together_end_in_a_fault() {
    let mut text = format!("FROM scratch\nENV A={}\n", "x".repeat(100_000));
    text.push_str(&"LABEL a=$A$A$A$A$A\n".repeat(1000));
    assert!(survives(text.as_bytes()).is_err());
}

#[test]
fn a_file_of_the_largest_size_is_read_in_no_time() {
    let lines: [&str; 8] = [
        "RUN echo\n",
        "ENV a=${x:-${y:-z}}\n",
        "COPY --from=0 a b\n",
        "# comment\n",
        "\\\n",
        "RUN <<A <<B\nA\nB\n",
        "EXPOSE 1-65535\n",
        "LABEL a=\"b\n",
    ];
    for line in lines {
        let mut text = String::from("FROM scratch AS a\nFROM scratch\n");
        while text.len() + line.len() <= 1024 * 1024 {
            text.push_str(line);
        }
        let _ = survives(text.as_bytes());
        let one = format!("FROM scratch\nENV A={}", text.replace('\n', " "));
        let _ = survives(&one.as_bytes()[..one.len().min(1024 * 1024)]);
    }
}

#[test]
fn what_is_too_large_or_no_text_is_said() {
    for (bytes, words) in [
        (vec![b'#'; 1024 * 1024 + 1], "larger than"),
        (b"FROM scratch\nRUN a\xff\n".to_vec(), "not UTF-8"),
        (b"FROM scratch\nRUN a\0b\n".to_vec(), "NUL"),
        (
            "FROM scratch\n".repeat(501).into_bytes(),
            "more than 500 stages",
        ),
        (
            format!("FROM scratch\n{}", "USER a\n".repeat(10_001)).into_bytes(),
            "instructions",
        ),
        (
            format!("FROM scratch\nRUN{} a", " --mount=type=ssh".repeat(257)).into_bytes(),
            "flags",
        ),
        (
            format!("FROM scratch\n{}", "ONBUILD RUN a\n".repeat(257)).into_bytes(),
            "triggers",
        ),
        (
            format!("FROM scratch\n{}", "EXPOSE 1-65535\n".repeat(999)).into_bytes(),
            "too large",
        ),
    ] {
        let faults = parse(&bytes).expect_err(words);
        assert!(faults[0].message.contains(words), "{:?}", faults[0]);
    }
    let faults = parse(b"FROM scratch\nRUN a\xff\n").expect_err("no text");
    assert_eq!(faults[0].span.first_line, 2);
}

#[test]
fn deep_json_is_no_array_and_no_end() {
    let text = format!("FROM scratch\nRUN {}\n", "[".repeat(500_000));
    assert!(survives(text.as_bytes()).is_ok());
}

#[test]
fn an_ignore_file_of_nothing_but_wildcards_is_refused() {
    let many = "**/x*/**/y\n".repeat(3_000);
    let fault = engine_build::context::Ignore::parse(&many).unwrap_err();
    assert!(
        fault.message.contains("more wildcards"),
        "{}",
        fault.message
    );
    let usual = "**/node_modules\n!src/*.rs\n".repeat(300);
    assert!(engine_build::context::Ignore::parse(&usual).is_ok());
}
