//! `--chmod`: a number, or the letters that `chmod` takes (`u=rwX,go=rX`, `g=u`).

/// A mode to give to what is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Octal(u32),
    Symbolic(Vec<Clause>),
}

/// `go+rX`: who, what is done, and which bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clause {
    /// The bits of user, group and others that are meant, as `0o700`, `0o070`, `0o007`.
    who: u32,
    operation: Operation,
    /// `rwx` as three bits.
    bits: u32,
    /// `X`: `x` for a directory, or for a file that somebody may execute.
    execute_if_any: bool,
    set_id: bool,
    sticky: bool,
    /// `g=u`: whose bits are taken, by how far they lie to the left. Nothing stands beside it.
    like: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Remove,
    Set,
}

const ALL: u32 = 0o777;

impl Mode {
    /// Reads a number to base eight up to 7777, or clauses between commas.
    pub fn parse(text: &str) -> Option<Mode> {
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let octal = text.len() <= 6 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
            let mode = octal.then(|| u32::from_str_radix(text, 8).ok())??;
            return (mode <= 0o7777).then_some(Mode(Kind::Octal(mode)));
        }
        let clauses: Option<Vec<Vec<Clause>>> = text.split(',').map(clauses).collect();
        let clauses = clauses?.concat();
        (clauses.len() <= 64).then_some(Mode(Kind::Symbolic(clauses)))
    }

    /// The new mode of something that has the mode `old`.
    pub fn apply(&self, old: u32, is_directory: bool) -> u32 {
        match &self.0 {
            Kind::Octal(mode) => *mode,
            Kind::Symbolic(clauses) => clauses.iter().fold(old & 0o7777, |mode, clause| {
                clause.apply(mode, is_directory)
            }),
        }
    }
}

impl Clause {
    fn apply(self, mode: u32, is_directory: bool) -> u32 {
        let execute = self.execute_if_any && (is_directory || mode & 0o111 != 0);
        let like = self.like.map_or(0, |shift| mode >> shift & 0o7);
        let bits = self.bits | like | u32::from(execute);
        let mut given = (bits * 0o111) & self.who;
        if self.set_id {
            given |=
                (u32::from(self.who & 0o700 != 0) << 11) | (u32::from(self.who & 0o070 != 0) << 10);
        }
        if self.sticky {
            given |= 0o1000;
        }
        match self.operation {
            Operation::Add => mode | given,
            Operation::Remove => mode & !given,
            Operation::Set => (mode & !self.who) | given,
        }
    }
}

/// `ug+r-w`: one who, and each operation behind it.
fn clauses(text: &str) -> Option<Vec<Clause>> {
    let start = text.find(['+', '-', '='])?;
    let mut who = 0;
    for letter in text[..start].chars() {
        who |= match letter {
            'u' => 0o700,
            'g' => 0o070,
            'o' => 0o007,
            'a' => ALL,
            _ => return None,
        };
    }
    let mut clauses = Vec::new();
    for letter in text[start..].chars() {
        let operation = match letter {
            '+' => Some(Operation::Add),
            '-' => Some(Operation::Remove),
            '=' => Some(Operation::Set),
            _ => None,
        };
        if let Some(operation) = operation {
            clauses.push(Clause {
                who: if who == 0 { ALL } else { who },
                operation,
                bits: 0,
                execute_if_any: false,
                set_id: false,
                sticky: false,
                like: None,
            });
            continue;
        }
        let clause = clauses.last_mut()?;
        if clause.like.is_some() {
            return None;
        }
        let is_first =
            clause.bits == 0 && !(clause.execute_if_any || clause.set_id || clause.sticky);
        match letter {
            'u' if is_first => clause.like = Some(6),
            'g' if is_first => clause.like = Some(3),
            'o' if is_first => clause.like = Some(0),
            'r' => clause.bits |= 4,
            'w' => clause.bits |= 2,
            'x' => clause.bits |= 1,
            'X' => clause.execute_if_any = true,
            's' => clause.set_id = true,
            't' => clause.sticky = true,
            _ => return None,
        }
    }
    Some(clauses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, old: u32, is_directory: bool) -> u32 {
        Mode::parse(text).expect(text).apply(old, is_directory)
    }

    #[test]
    fn a_number_is_the_mode() {
        assert_eq!(applied("755", 0o600, false), 0o755);
        assert_eq!(applied("04755", 0o600, false), 0o4755);
        for wrong in [
            "",
            "8",
            "79",
            "10000",
            "0x1f",
            "7777777777777",
            "u",
            "u+q",
            "u=r,,g=r",
            "g=ur",
            "g=ru",
            "g=uo",
        ] {
            assert_eq!(Mode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn letters_change_the_mode_that_is_there() {
        assert_eq!(applied("u=rwX,go=rX", 0o600, false), 0o644);
        assert_eq!(applied("u=rwX,go=rX", 0o600, true), 0o755);
        assert_eq!(applied("u=rwX,go=rX", 0o700, false), 0o755);
        assert_eq!(applied("+x", 0o644, false), 0o755);
        assert_eq!(applied("go-rwx", 0o755, false), 0o700);
        assert_eq!(applied("a=r", 0o4755, false), 0o4444);
        assert_eq!(applied("u+s,+t", 0o755, true), 0o5755);
        assert_eq!(applied("u+r-w", 0o200, false), 0o400);
        assert_eq!(applied("g=u", 0o750, false), 0o770);
        assert_eq!(applied("go=u-w", 0o640, false), 0o644);
        assert_eq!(applied("o+g", 0o4751, false), 0o4755);
        assert_eq!(applied("a-o", 0o777, false), 0o000);
    }
}
