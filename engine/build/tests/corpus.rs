//! A corpus of Dockerfiles with what comes of each: its faults, or its plan with every step
//! evaluated. `GANTRY_GOLDEN=write` writes the expected results anew.
//!
//! Comments at a file's end say how it is built: `# test: arg NAME=value`, `# test: target NAME`,
//! `# test: env NAME=value` of the base.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use engine_build::{Dockerfile, Fault, Options, Plan, Platform, parse};

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let entries = std::fs::read_dir(folder).expect("the corpus is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the corpus can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "Dockerfile")
        })
        .collect();
    files.sort();
    files
}

/// What a file says of how it is to be built.
struct Wishes {
    options: Options,
    environment: Vec<String>,
}

fn wishes(text: &str) -> Wishes {
    let platform = |text| Platform::parse(text).expect("a platform");
    let mut wishes = Wishes {
        options: Options {
            target: None,
            build_args: BTreeMap::new(),
            platform: platform("linux/arm64"),
            build_platform: platform("linux/amd64"),
        },
        environment: Vec::new(),
    };
    for line in text
        .lines()
        .filter_map(|line| line.strip_prefix("# test: "))
    {
        match line.split_once(' ').expect("a wish has a value") {
            ("target", name) => wishes.options.target = Some(name.to_owned()),
            ("env", variable) => wishes.environment.push(variable.to_owned()),
            ("arg", argument) => {
                let (name, value) = argument.split_once('=').expect("an argument has a value");
                let arguments = &mut wishes.options.build_args;
                arguments.insert(name.to_owned(), value.to_owned());
            }
            (other, _) => panic!("no such wish: {other}"),
        }
    }
    wishes
}

fn told(fault: &Fault) -> String {
    let span = fault.span;
    format!(
        "{}:{} (to {}) {}: {fault}\n",
        span.first_line,
        span.column,
        span.last_line,
        fault.rule.name()
    )
}

fn result(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let wishes = wishes(&text);
    match parse(bytes) {
        Ok(dockerfile) => planned(&dockerfile, &wishes).unwrap_or_else(|fault| told(&fault)),
        Err(faults) => faults.iter().map(told).collect(),
    }
}

fn planned(dockerfile: &Dockerfile, wishes: &Wishes) -> Result<String, Fault> {
    let plan = Plan::new(dockerfile, &wishes.options)?;
    let mut out = format!("{:?}\n", dockerfile.directives);
    let mut line = |text: String| writeln!(out, "{text}").expect("a string takes all");
    let n_steps = plan.n_steps;
    for told in &plan.globals {
        line(format!("Step {}/{n_steps} : {}", told.number, told.text));
    }
    if !plan.unconsumed.is_empty() {
        line(format!("not consumed: {:?}", plan.unconsumed));
    }
    for (place, stage) in plan.stages.iter().enumerate() {
        line(String::new());
        line(format!(
            "stage at {place}: number {}, name {:?}, on {:?}, platform {:?}, needs {:?}, images {:?}",
            stage.index,
            stage.name,
            stage.base,
            stage.platform.as_ref().map(ToString::to_string),
            stage.needs,
            stage.images
        ));
        line(format!(
            "Step {}/{n_steps} : {}",
            stage.told.number, stage.told.text
        ));
        let mut scope = plan.scope(place, &wishes.environment);
        for step in &stage.steps {
            let told = &step.told;
            let (first, last) = (told.span.first_line, told.span.last_line);
            line(format!("Step {}/{n_steps} : {}", told.number, told.text));
            line(format!(
                "  lines {first}-{last}: {:?}",
                scope.evaluate(step)?
            ));
        }
        line(format!("environment {:?}", scope.environment()));
    }
    Ok(out)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how goldens are written anew")]
fn each_file_of_the_corpus_comes_to_what_is_written_beside_it() {
    let writes = std::env::var("GANTRY_GOLDEN").is_ok_and(|value| value == "write");
    let mut different = Vec::new();
    for path in corpus() {
        let bytes = std::fs::read(&path).expect("the file can be read");
        let result = result(&bytes);
        let golden = path.with_extension("expected");
        if writes {
            std::fs::write(&golden, &result).expect("the golden can be written");
        }
        if std::fs::read_to_string(&golden).unwrap_or_default() != result {
            different.push(format!("{}:\n{result}", path.display()));
        }
    }
    assert!(
        different.is_empty(),
        "write them anew with GANTRY_GOLDEN=write, and read them:\n{}",
        different.join("\n")
    );
}

/// What is wrong in the corpus is called an error there, and nothing else is.
#[test]
fn only_the_errors_of_the_corpus_have_faults() {
    for path in corpus() {
        let name = path
            .file_name()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path).expect("the file can be read");
        let text = String::from_utf8_lossy(&bytes);
        let wishes = wishes(&text);
        let is_fine = parse(&bytes).is_ok_and(|dockerfile| planned(&dockerfile, &wishes).is_ok());
        assert_eq!(!is_fine, name.starts_with("error-"), "{name}");
    }
}
