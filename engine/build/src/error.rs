//! What is wrong with a Dockerfile, where, and what was probably meant.

use std::fmt;

/// Where something stands. Lines and columns begin at 1; a column counts characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub first_line: usize,
    pub last_line: usize,
    /// The column in the first line.
    pub column: usize,
}

/// Something that a Dockerfile may not say.
///
/// Its text is what Docker says where Docker has words:
/// `dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub span: Span,
    pub rule: Rule,
    /// What is wrong, without place and without advice.
    pub message: String,
    /// What was probably meant.
    pub meant: Option<String>,
}

/// Which rule was broken: a short word for a page or a test to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The file is empty, too large, not text, or has too much of something.
    File,
    /// A parser directive.
    Directive,
    /// A here-document or a quote that never ends.
    Unterminated,
    /// A word that is no instruction.
    Instruction,
    /// An instruction with too few, too many or the wrong words.
    Arguments,
    /// A flag that the instruction does not have, or a wrong value of one.
    Flag,
    /// An option of `RUN --mount`.
    Mount,
    /// A variable or how it is replaced.
    Variable,
    /// A stage that is not there, or that is named wrongly.
    Stage,
    /// An instruction that may not stand where it stands.
    Order,
    /// Something of Docker's that has no effect here and is refused by name.
    Refused,
}

impl Rule {
    /// The rule's name, for pages and tests.
    pub fn name(self) -> &'static str {
        match self {
            Rule::File => "file",
            Rule::Directive => "directive",
            Rule::Unterminated => "unterminated",
            Rule::Instruction => "instruction",
            Rule::Arguments => "arguments",
            Rule::Flag => "flag",
            Rule::Mount => "mount",
            Rule::Variable => "variable",
            Rule::Stage => "stage",
            Rule::Order => "order",
            Rule::Refused => "refused",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { span, message, .. } = self;
        // A fault of no line is about the request: `--target`, a build argument.
        if span.first_line > 0 {
            write!(f, "dockerfile parse error on line {}: ", span.first_line)?;
        }
        write!(f, "{message}")?;
        match &self.meant {
            Some(meant) => write!(f, " (did you mean {meant}?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// A fault of which nobody knows what was meant.
    pub fn new(span: Span, rule: Rule, message: impl Into<String>) -> Fault {
        Fault {
            span,
            rule,
            message: message.into(),
            meant: None,
        }
    }

    /// The same with what was probably meant.
    #[must_use]
    pub fn meaning(mut self, meant: Option<&str>) -> Fault {
        self.meant = meant.map(str::to_owned);
        self
    }
}
