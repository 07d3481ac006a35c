//! Writes every page with its samples into a directory: `cargo run -p frontend --example gallery DIR`.
//! The built css, js and icons are put beside them, so any static file server shows them.

use std::path::Path;
use std::{env, fs, io};

use frontend::Language;
use frontend::shell::Theme;

fn main() -> io::Result<()> {
    let directory = env::args()
        .nth(1)
        .unwrap_or_else(|| "target/gallery".to_owned());
    let directory = Path::new(&directory);
    for asset in frontend::assets::FILES {
        let file = directory.join(frontend::assets::url(asset.path).trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap_or(directory))?;
        fs::write(file, asset.bytes)?;
    }
    for language in Language::ALL {
        for theme in [Theme::Light, Theme::Dark] {
            let pages = frontend::samples::book(language, theme).map_err(io::Error::other)?;
            for (name, html) in pages {
                let file = format!("{name}.{}.{}.html", language.tag(), theme.tag());
                fs::write(directory.join(file), html)?;
            }
        }
    }
    Ok(())
}
