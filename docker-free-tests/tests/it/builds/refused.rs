//! What is wrong with a Dockerfile, as a person reads it, and that nothing came of it.

use docker_free_tests::{Engine, need};

use super::Project;

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_what_was_meant() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    let project = Project::new(
        "FROM busybox\nRUNN apt-get update\nCOPY --chonw=1 a b\n\
         RUN --mount=type=cahe,target=/x y\nRUN <<EOF\necho\n",
    );

    let outcome = project.build(&engine, &["-t", "never"]).expect(1);

    for words in [
        "line 2: unknown instruction: RUNN (did you mean RUN?)",
        "line 3: unknown flag: --chonw (did you mean --chown?)",
        "line 4: unsupported mount type \"cahe\" (did you mean cache?)",
        "line 5: unterminated heredoc",
    ] {
        let words = format!("dockerfile parse error on {words}");
        assert!(outcome.err.contains(&words), "{words}:\n{}", outcome.err);
    }
    before.holds_again(&engine);
}

#[test]
fn a_dockerfile_that_makes_no_sense_is_refused_before_anything_is_done() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    for (dockerfile, words) in [
        ("# nothing\n", "no instructions"),
        ("RUN early\n", "no build stage in current context"),
        ("ARG A=1\n", "no stages to build"),
        ("FROM busybox\nENV A=${B\n", "missing '}'"),
        ("ARG A\nFROM $A\n", "should not be blank"),
        ("FROM busybox AS a\nCOPY --from=a /x /y\n", "being built"),
        ("FROM busybox\nRUN --security=insecure x\n", "not supported"),
        ("FROM busybox\nONBUILD FROM x\n", "ONBUILD trigger"),
        ("FROM busybox\nCOPY a b c\n", "must be a directory"),
    ] {
        let project = Project::new(dockerfile);
        let outcome = project.build(&engine, &["-t", "never"]).expect(1);
        let (out, err) = (outcome.out, outcome.err);
        assert!(err.contains(words), "{dockerfile:?}: {err}");
        assert!(!out.contains("Step 1/"), "{dockerfile:?}: {out}");
    }
    before.holds_again(&engine);
}

#[test]
fn a_variable_that_must_be_set_ends_the_build_with_its_own_words() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let dockerfile = "FROM busybox\nARG KEY\nLABEL key=\"${KEY:?say --build-arg KEY}\"\n";
    let project = Project::new(dockerfile);

    let outcome = project.build(&engine, &[]).expect(1);

    let words = "KEY: say --build-arg KEY";
    assert!(outcome.err.contains(words), "{}", outcome.err);
    project.built(&engine, &["--build-arg", "KEY=1"]);
}

#[test]
fn a_command_that_fails_ends_the_build_with_its_code() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new("FROM busybox\nRUN echo before; exit 17\nRUN echo never\n");

    let asked = ["-t", "never", "--force-rm"];
    let outcome = project.build(&engine, &asked).expect(17);

    assert!(outcome.out.contains("before"), "{}", outcome.out);
    assert!(!outcome.out.contains("Step 3/3"), "{}", outcome.out);
    let words = "The command '/bin/sh -c echo before; exit 17' returned a non-zero code: 17";
    assert!(outcome.err.contains(words), "{}", outcome.err);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

/// The limits of the language, against an engine: it answers and lives on.
#[test]
fn a_dockerfile_that_was_made_to_hurt_is_refused_in_words() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let doubling = format!("ENV A=0123456789\n{}", "ENV A=$A$A\n".repeat(60));
    let nested = format!("ENV A={}x{}\n", "${a:-".repeat(5000), "}".repeat(5000));
    let large = "# a comment that is long\n".repeat(60_000);
    let (letters, stars) = ("a".repeat(50_000), "*a".repeat(1000));
    let matching = format!("ARG A={letters}\nENV B=${{A//{stars}b/x}}\n");
    for dockerfile in [doubling, nested, large, matching] {
        let project = Project::new(&format!("FROM busybox\n{dockerfile}"));
        let outcome = project.build(&engine, &["-q"]).expect(1);
        let err = outcome.err.trim();
        assert!(!err.is_empty() && err.len() < 10_000, "{}", err.len());
    }
    Project::new("FROM busybox\nRUN true\n").built(&engine, &[]);
}
