//! What was probably meant: the known word that is nearest to the one that stands there.

/// Longer words are not compared: nobody mistypes that much.
const LONGEST: usize = 64;

/// The candidate within a few typing mistakes of `word`, if one is nearer than all others or comes
/// first. Letters are compared without their case.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST + 1).collect();
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let allowed = (word.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let distance = distance(&word, candidate);
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters were left out, put in, mistaken or changed places.
fn distance(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().take(LONGEST + 1).collect();
    let same = |a: usize, b: usize| word[a].eq_ignore_ascii_case(&candidate[b]);
    let width = candidate.len() + 1;
    let mut rows = vec![0; (word.len() + 1) * width];
    for row in 0..=word.len() {
        for column in 0..width {
            rows[row * width + column] = if row == 0 || column == 0 {
                row + column
            } else {
                let above = rows[(row - 1) * width + column] + 1;
                let left = rows[row * width + column - 1] + 1;
                let before =
                    rows[(row - 1) * width + column - 1] + usize::from(!same(row - 1, column - 1));
                let mut best = above.min(left).min(before);
                let swapped =
                    row > 1 && column > 1 && same(row - 1, column - 2) && same(row - 2, column - 1);
                if swapped {
                    best = best.min(rows[(row - 2) * width + column - 2] + 1);
                }
                best
            };
        }
    }
    rows[rows.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_leads_to_the_word() {
        let words = ["RUN", "COPY", "ENTRYPOINT", "EXPOSE", "ENV"];
        assert_eq!(nearest("RUNN", words), Some("RUN"));
        assert_eq!(nearest("copyy", words), Some("COPY"));
        assert_eq!(nearest("ENTRYPIONT", words), Some("ENTRYPOINT"));
        assert_eq!(nearest("VNE", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest(&"x".repeat(10_000), words), None);
    }
}
