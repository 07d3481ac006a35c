//! From a Dockerfile to what is built: syntax, stages, steps, cache keys, the ignore file.
//!
//! **Invariant:** nothing here does I/O, is async, runs a command or resolves an image's name. What
//! comes in are texts, what goes out are values; each input ends in a value or in a [`Fault`], in
//! time and memory bounded by its size.
//!
//! How an executor uses it:
//!
//! ```text
//! let dockerfile = parse(bytes)?;                        // Vec<Fault>: all that one pass finds
//! let plan = Plan::new(&dockerfile, &options)?;          // Fault: a stage, a variable of a FROM
//! for stage in plan.stages {                             // or side by side, see Stage::needs
//!     let mut scope = plan.scope(place, base_environment);  // ENV of the base, "A=b"
//!     let triggers = plan.triggers(place, &base_onbuild)?;  // Vec<Step>, before the stage's own
//!     for step in triggers.iter().chain(&stage.steps) {
//!         // "Step 3/7 : RUN …" is step.told.number, plan.n_steps, step.told.text
//!         let action = scope.evaluate(step)?;            // Action: nothing left to replace
//!         let key = cache::key(&parent, &action, &inputs);
//!         match action { Action::Run(run) => …, … }
//!     }
//!     scope.environment();                               // ENV so far, for the image
//! }
//! ```
//!
//! - [`context::Ignore`]`::parse(text)`, `.is_left_out(path)`, `.may_keep_below(directory)`: the ignore file.
//!   `Ignore::of(patterns)` is the same for `COPY --exclude`.
//! - [`context::Glob`]`::new(source, double_star)`, `.matches(path)`: wildcards in a source; `.plain()` is
//!   the path of a source that has none.
//! - [`resolve`]`(workdir, path)`: an absolute path without `.` and `..`, never above the root.
//! - [`check`]`(text, &options)`: what is wrong, and the stages, for who does not build yet.
//! - `action.history(shell)`: the `created_by` of the image's history.
//!
//! Begin at [`Plan`]; the language itself is in `dockerfile/`.

mod action;
pub mod cache;
mod check;
pub mod context;
mod dockerfile;
mod error;
mod evaluate;
mod history;
mod mode;
mod mounts;
mod paths;
mod pattern;
mod plan;
mod platform;
mod scope;
mod signal;
mod stages;
mod suggest;
mod transfers;

pub use action::{
    Action, Mount, MountOwner, Origin, Owner, Port, Protocol, Run, Script, Sharing, Source,
    Transfer,
};
pub use check::{Checked, check};
pub use dockerfile::{Command, Directives, Dockerfile, Escape, Healthcheck, RunNetwork, parse};
pub use error::{Fault, Rule, Span};
pub use mode::Mode;
pub use paths::resolve;
pub use plan::{Base, Options, Plan, Stage, Step, Told};
pub use platform::Platform;
pub use scope::Scope;
