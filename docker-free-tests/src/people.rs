//! The people who use the server: a stranger, an owner, a viewer; each with cookies of their own.

use crate::server::Server;
use crate::wire::{Answer, Wire};

/// Someone with a browser.
pub struct Person {
    wire: Wire,
    host: String,
    cookies: Vec<(String, String)>,
}

impl Person {
    /// Someone whom the server does not know.
    pub fn stranger(server: &Server) -> Person {
        Person {
            wire: server.wire(),
            host: server.address.clone(),
            cookies: Vec::new(),
        }
    }

    /// Someone who logs in.
    pub fn logged_in(server: &Server, name: &str, password: &str) -> Person {
        let mut person = Person::stranger(server);
        let answer = person.log_in(name, password);
        assert!(
            matches!(answer.status, 302 | 303),
            "{} {}",
            answer.status,
            answer.text()
        );
        person
    }

    pub fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/login", &[("name", name), ("password", password)])
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    /// Sends a form as the server's own page would.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.host);
        self.post_from(&origin, "same-origin", path, fields)
    }

    /// Sends a form as a page of `origin` would.
    pub fn post_from(
        &mut self,
        origin: &str,
        site: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", origin),
            ("Sec-Fetch-Site", site),
        ];
        self.send("POST", path, &headers, body.join("&").as_bytes())
    }

    /// # Panics
    /// When no answer comes.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("Host", self.host.as_str())];
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        all.extend(headers);
        let answer = self.wire.send(method, path, &all, body);
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        for (_, value) in set {
            let pair = value.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The value of the `Cookie` header that this person sends.
    pub fn cookie(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

fn encoded(text: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes()
        .map(|byte| {
            if keep(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
