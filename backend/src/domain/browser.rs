//! What a browser calls itself, cut down to what a person recognises.

use std::fmt;

/// A browser and its system, as `Firefox 133 · Linux`; empty when it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browser(String);

/// No more of what a browser says is looked at.
const MOST_READ: usize = 512;
/// A name of a program that is none of the known browsers.
const MOST_UNKNOWN: usize = 40;

/// The word before the version, and the name; the later ones call themselves by the earlier names too.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Browser {
    /// Reads a `User-Agent`. What is kept is at most sixty-four characters of ours or plain ASCII.
    pub fn of(user_agent: &str) -> Self {
        let end = user_agent.floor_char_boundary(MOST_READ);
        let text = &user_agent[..end];
        let known = BROWSERS.iter().find_map(|(word, name)| {
            let (_, rest) = text.split_once(word)?;
            let version: String = rest
                .chars()
                .take_while(char::is_ascii_digit)
                .take(4)
                .collect();
            Some(format!("{name} {version}").trim_end().to_owned())
        });
        let Some(name) = known else {
            let first = text.split_whitespace().next().unwrap_or_default();
            let plain = first.chars().filter(char::is_ascii_graphic);
            return Self(plain.take(MOST_UNKNOWN).collect());
        };
        let system = SYSTEMS.iter().find(|(word, _)| text.contains(word));
        match system {
            Some((_, system)) => Self(format!("{name} · {system}")),
            None => Self(name),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_recognised_though_they_all_call_themselves_mozilla() {
        for (agent, shown) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
                "Firefox 133 · Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
                "Edge 131 · Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/131.0.0.0 Mobile Safari/537.36",
                "Chrome 131 · Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari 18 · iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", ""),
        ] {
            assert_eq!(Browser::of(agent).as_str(), shown);
        }
    }

    #[test]
    fn what_a_browser_says_of_itself_is_bounded_and_plain() {
        let long = format!("<script>{}", "x".repeat(10_000));
        assert_eq!(Browser::of(&long).as_str().len(), MOST_UNKNOWN);
        assert_eq!(Browser::of("\u{202e}evil\u{7}").as_str(), "evil");
        let version = Browser::of(&format!("Chrome/{}", "9".repeat(1_000)));
        assert_eq!(version.as_str(), "Chrome 9999");
        assert!(Browser::of(&"한".repeat(1_000)).as_str().is_empty());
    }
}
