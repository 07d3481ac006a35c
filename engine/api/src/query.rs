//! How Docker reads values in a query string.

/// Reads a boolean: empty, `0`, `no`, `false` and `none` in any letter case are false, everything
/// else is true.
pub fn truth(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    !matches!(text.as_str(), "" | "0" | "no" | "false" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_as_docker_reads_them() {
        for no in ["", "0", "no", "False", "none", " NONE "] {
            assert!(!truth(no), "{no}");
        }
        for yes in ["1", "true", "True", "yes", "x"] {
            assert!(truth(yes), "{yes}");
        }
    }
}
