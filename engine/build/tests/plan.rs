//! Plans: what is built, on what, in which order, and what a stage knows.

use std::collections::BTreeMap;

use engine_build::{Action, Base, Fault, Options, Origin, Plan, Platform, parse};

fn options(target: Option<&str>) -> Options {
    let platform = |text| Platform::parse(text).expect("a platform");
    Options {
        target: target.map(str::to_owned),
        build_args: BTreeMap::new(),
        platform: platform("linux/arm64"),
        build_platform: platform("linux/amd64"),
    }
}

fn plan(text: &str, target: Option<&str>) -> Result<Plan, Fault> {
    Plan::new(&parse(text.as_bytes()).expect(text), &options(target))
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.stages
        .iter()
        .map(|stage| stage.name.as_deref().unwrap_or("-"))
        .collect()
}

const DIAMOND: &str = "FROM debian AS base\nFROM base AS left\nFROM base AS right\n\
    FROM never AS unused\nFROM scratch AS top\nCOPY --from=left a b\nCOPY --from=2 c d\n\
    FROM top AS after\n";

#[test]
fn only_the_stages_that_the_target_needs_are_planned() {
    assert_eq!(
        names(&plan(DIAMOND, Some("top")).expect("fine")),
        ["base", "left", "right", "top"]
    );
    assert_eq!(
        names(&plan(DIAMOND, Some("left")).expect("fine")),
        ["base", "left"]
    );
    assert_eq!(names(&plan(DIAMOND, Some("TOP")).expect("fine")).len(), 4);
    assert_eq!(names(&plan(DIAMOND, Some("0")).expect("fine")), ["base"]);
    assert_eq!(names(&plan(DIAMOND, None).expect("fine")).len(), 5);
}

#[test]
fn stages_that_do_not_need_each_other_may_be_built_side_by_side() {
    let plan = plan(DIAMOND, Some("top")).expect("fine");
    let needs: Vec<&[usize]> = plan
        .stages
        .iter()
        .map(|stage| stage.needs.as_slice())
        .collect();
    assert_eq!(needs, [&[] as &[usize], &[0], &[0], &[1, 2]]);
    assert_eq!(plan.stages[1].base, Base::Stage(0));
    assert_eq!(plan.stages[0].base, Base::Image("debian".to_owned()));
    assert_eq!(plan.target(), 3);
}

#[test]
fn a_target_that_is_not_there_is_said_with_the_one_that_was_meant() {
    let fault = plan(DIAMOND, Some("lefft")).expect_err("no such stage");
    assert_eq!(
        fault.to_string(),
        "target stage \"lefft\" could not be found (did you mean left?)"
    );
    assert!(plan(DIAMOND, Some("17")).is_err());
}

#[test]
fn steps_are_numbered_as_they_are_told() {
    let plan = plan("ARG A=1\nFROM x\nRUN a\nFROM y\nRUN b\nRUN c\n", None).expect("fine");
    assert_eq!(plan.n_steps, 4);
    assert_eq!(plan.globals[0].number, 1);
    assert_eq!(plan.stages[0].told.number, 2);
    let told: Vec<_> = plan.stages[0]
        .steps
        .iter()
        .map(|step| (step.told.number, step.told.text.as_str()))
        .collect();
    assert_eq!(told, [(3, "RUN b"), (4, "RUN c")]);
}

#[test]
fn an_image_that_is_nearly_a_stage_is_perhaps_the_stage() {
    let plan = plan(
        "FROM a AS builder\nFROM scratch\nCOPY --from=biulder x y\n",
        None,
    );
    let plan = plan.expect("it may be an image");
    assert_eq!(plan.stages[0].images, ["biulder"]);
    assert_eq!(plan.meant("biulder"), Some("builder"));
    assert_eq!(plan.meant("nginx"), None);
}

#[test]
fn a_trigger_of_the_base_is_a_step_of_the_stage() {
    let plan = plan(
        "FROM a AS tool\nFROM b AS other\nFROM c\nCOPY --from=tool x y\n",
        None,
    );
    let plan = plan.expect("fine");
    let place = plan.target();
    let triggers = [
        "COPY --from=tool /a /b".to_owned(),
        "RUN <<E\necho $X\nE".to_owned(),
    ];
    let steps = plan.triggers(place, &triggers).expect("fine");
    let mut scope = plan.scope(place, &["X=1".to_owned()]);
    let Action::Copy(copy) = scope.evaluate(&steps[0]).expect("fine") else {
        panic!("a copy");
    };
    assert_eq!(copy.from, Origin::Stage(0));
    assert!(matches!(scope.evaluate(&steps[1]), Ok(Action::Run(_))));
    assert_eq!(steps[0].told.number, 0);
}

#[test]
fn a_trigger_cannot_ask_for_a_stage_that_nobody_waits_for() {
    let plan = plan(
        "FROM a AS tool\nFROM c AS main\nFROM d AS later\n",
        Some("main"),
    );
    let plan = plan.expect("fine");
    for stage in ["tool", "later", "main", "0"] {
        let trigger = format!("COPY --from={stage} /a /b");
        let steps = plan
            .triggers(plan.target(), &[trigger])
            .expect("it can be read");
        let mut scope = plan.scope(plan.target(), &[]);
        assert!(scope.evaluate(&steps[0]).is_err(), "{stage}");
    }
}

#[test]
fn a_foreign_trigger_that_is_no_instruction_is_a_fault_and_no_step() {
    let plan = plan("FROM a\n", None).expect("fine");
    for wrong in [
        "",
        "FROM x",
        "ONBUILD RUN a",
        "MAINTAINER a",
        "RUNN x",
        "RUN a\nRUN b",
        "RUN <<E",
    ] {
        let fault = plan.triggers(0, &[wrong.to_owned()]).expect_err(wrong);
        assert_eq!(
            fault.span.first_line, 1,
            "the FROM is where a person can do something"
        );
    }
}

#[test]
fn env_goes_before_arg_and_the_base_counts() {
    let text =
        "FROM a\nARG BASE=arg\nARG V=arg\nENV V=env\nARG V=again\nRUN x\nWORKDIR /$BASE/$V\n";
    let plan = plan(text, None).expect("fine");
    let mut scope = plan.scope(0, &["BASE=env".to_owned(), "EMPTY".to_owned()]);
    let steps = &plan.stages[0].steps;
    let actions: Vec<Action> = steps
        .iter()
        .map(|step| scope.evaluate(step).expect("fine"))
        .collect();
    assert_eq!(
        actions.last(),
        Some(&Action::Workdir("/env/env".to_owned()))
    );
    assert!(scope.arguments().is_empty(), "all of them are hidden");
    let names: Vec<&str> = scope
        .environment()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["BASE", "EMPTY", "PATH", "V"]);
}

#[test]
fn a_global_argument_is_known_in_a_stage_only_once_it_is_declared() {
    let text = "ARG V=1\nFROM a\nENV BEFORE=$V\nARG V\nENV AFTER=$V\n";
    let plan = plan(text, None).expect("fine");
    let mut scope = plan.scope(0, &[]);
    for step in &plan.stages[0].steps {
        scope.evaluate(step).expect("fine");
    }
    let values: Vec<&str> = scope
        .environment()
        .iter()
        .filter(|(name, _)| name != "PATH")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(values, ["", "1"]);
}

/// The environment after the steps of the one stage of a file, but for the path.
fn environment(text: &str, build_args: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut options = options(None);
    for (name, value) in build_args {
        options
            .build_args
            .insert((*name).to_owned(), (*value).to_owned());
    }
    let file = engine_build::parse(text.as_bytes()).expect("fine");
    let plan = Plan::new(&file, &options).expect("fine");
    let mut scope = plan.scope(0, &[]);
    for step in &plan.stages[0].steps {
        scope.evaluate(step).expect("fine");
    }
    let all = scope.environment().iter();
    all.filter(|(name, _)| name != "PATH").cloned().collect()
}

#[test]
fn arguments_of_one_line_see_each_other_and_a_later_word_without_value_takes_none_away() {
    let set = |value: &str| vec![("R".to_owned(), value.to_owned())];
    assert_eq!(
        environment("FROM a\nARG A=1 B=$A-2\nENV R=$B\n", &[]),
        set("1-2")
    );
    assert_eq!(
        environment("FROM a\nARG V=1\nARG V\nENV R=$V\n", &[]),
        set("1")
    );
    let needed = "FROM a\nARG V=${FOO:?\"foo is missing\"}\nENV R=$V\n";
    assert_eq!(environment(needed, &[("V", "given")]), set("given"));
}

#[test]
fn a_proxy_that_nobody_declared_does_not_get_into_the_image() {
    let text = "FROM a\nENV R=$http_proxy\n";
    let given = environment(text, &[("http_proxy", "http://me:secret@proxy")]);
    assert_eq!(given, [("R".to_owned(), String::new())]);
}

#[test]
fn a_stage_knows_the_arguments_of_the_stage_that_it_stands_on() {
    let text = "FROM a AS base\nARG V=1\nFROM base\nENV R=$V\n";
    let plan = plan(text, None).expect("fine");
    let mut base = plan.scope(0, &[]);
    base.evaluate(&plan.stages[0].steps[0]).expect("fine");
    let mut scope = plan.scope(1, &[]).over(&base);
    scope.evaluate(&plan.stages[1].steps[0]).expect("fine");
    assert!(
        scope
            .environment()
            .contains(&("R".to_owned(), "1".to_owned()))
    );
}

#[test]
fn a_base_without_a_path_gets_dockers() {
    let plan = plan("FROM scratch\nENV PATH=$PATH:/opt/bin\n", None).expect("fine");
    let mut scope = plan.scope(0, &[]);
    scope.evaluate(&plan.stages[0].steps[0]).expect("fine");
    let (_, path) = &scope.environment()[0];
    assert!(path.starts_with("/usr/local/sbin:") && path.ends_with(":/opt/bin"));
}
