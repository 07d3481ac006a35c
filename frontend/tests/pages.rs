//! Every page with every sample: it is drawn, it is well formed, nothing in it is inline.

use std::collections::BTreeSet;

use frontend::Language;
use frontend::samples::book;
use frontend::shell::Theme;

const VOID: [&str; 9] = [
    "area", "br", "hr", "img", "input", "link", "meta", "source", "wbr",
];

fn each_page(check: impl Fn(&str, &str)) {
    for language in Language::ALL {
        for (name, html) in book(language, Theme::System).expect("every sample is drawn") {
            check(&format!("{name}.{}", language.tag()), &html);
        }
    }
}

/// The tags of a document with their attributes' text, in order; text between them is skipped.
fn tags(html: &str) -> Vec<(bool, String, String)> {
    let mut found = Vec::new();
    for piece in html.split('<').skip(1) {
        if piece.starts_with('!') {
            continue;
        }
        let inner = piece.split('>').next().unwrap_or_default();
        let (is_end, inner) = match inner.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, inner),
        };
        let (name, attributes) = inner.split_once([' ', '\n']).unwrap_or((inner, ""));
        found.push((
            is_end,
            name.trim_end_matches('/').to_owned(),
            attributes.to_owned(),
        ));
    }
    found
}

#[test]
fn every_element_is_closed_where_it_was_opened() {
    each_page(|page, html| {
        let mut open: Vec<String> = Vec::new();
        for (is_end, name, attributes) in tags(html) {
            if VOID.contains(&name.as_str()) || attributes.ends_with('/') {
                continue;
            }
            if is_end {
                assert_eq!(open.pop().as_deref(), Some(name.as_str()), "{page}");
            } else {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{page}: never closed: {open:?}");
    });
}

#[test]
fn nothing_is_inline() {
    each_page(|page, html| {
        for (is_end, name, attributes) in tags(html) {
            let is_script = !is_end && name == "script" && !attributes.contains("src=");
            assert!(!is_script && name != "style", "{page}: <{name}>");
            let attributes = format!(" {attributes}");
            for inline in [
                " style=",
                " onclick=",
                " onload=",
                " onerror=",
                " onsubmit=",
            ] {
                assert!(!attributes.contains(inline), "{page}: {name} {attributes}");
            }
        }
    });
}

#[test]
fn ids_are_unique_and_labels_lead_somewhere() {
    each_page(|page, html| {
        let mut ids = BTreeSet::new();
        let value = |attributes: &str, name: &str| {
            let attributes = format!(" {attributes}");
            let rest = attributes.split(&format!(" {name}=\"")).nth(1)?.to_owned();
            Some(rest.split('"').next()?.to_owned())
        };
        for (_, _, attributes) in tags(html) {
            if let Some(id) = value(&attributes, "id") {
                assert!(ids.insert(id.clone()), "{page}: two elements are {id}");
            }
        }
        for (_, _, attributes) in tags(html) {
            for name in ["for", "aria-describedby", "aria-labelledby", "form"] {
                for id in value(&attributes, name).unwrap_or_default().split(' ') {
                    let is_there = id.is_empty() || ids.contains(id);
                    assert!(
                        is_there || page.starts_with("overview"),
                        "{page}: no {name}={id}"
                    );
                }
            }
        }
    });
}

#[test]
fn a_page_has_one_title_and_no_missing_words() {
    each_page(|page, html| {
        let n_titles = html.matches("<h1").count();
        assert!(
            n_titles == 1 || page.starts_with("gallery"),
            "{page}: {n_titles} h1"
        );
        assert!(html.contains("<title>"), "{page}");
    });
}

/// The words are reviewed like code: a changed page shows in the diff of its picture in text.
#[test]
fn pages_are_the_reviewed_ones() {
    for (name, html) in book(Language::English, Theme::System).unwrap() {
        let text = html.replace(frontend::assets::DIGEST, "DIGEST");
        insta::assert_snapshot!(name, text);
    }
}
