//! Which names can be checked: those by a tag, of images that came from, or went to, that repository.

use crate::fleet::ImageFact;
use crate::services::Reference;

/// A name that can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tracked {
    /// With its registry and its tag.
    pub reference: String,
    /// As the engine lists it: `nginx:1.29`.
    pub familiar: String,
    /// As it stands before an image's name.
    pub registry: String,
    /// The digests by which the image is known in that repository.
    pub digests: Vec<String>,
}

/// Why a name is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untracked {
    /// It names the image by its id.
    ById,
    /// It names one certain content, which never changes.
    ByDigest,
    /// The image was never in that repository, as far as is known here.
    MadeHere,
}

impl Tracked {
    /// Looks at a name that a container was made by, or that an image has.
    pub(super) fn of(name: &str, image: Option<&ImageFact>) -> Result<Self, Untracked> {
        if name.starts_with("sha256:") {
            return Err(Untracked::ById);
        }
        let reference: Reference = name.parse().map_err(|_| Untracked::ById)?;
        if reference.has_digest() {
            return Err(Untracked::ByDigest);
        }
        let Some(image) = image else {
            return Err(Untracked::MadeHere);
        };
        let is_hex = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && image.id.digits().starts_with(name) {
            return Err(Untracked::ById);
        }
        let repository = reference.whole_name();
        let digests = image.summary.repo_digests.iter();
        let digests = digests.filter_map(|digest| digest.parse::<Reference>().ok());
        let ours =
            digests.filter(|digest| digest.has_digest() && digest.whole_name() == repository);
        let digests: Vec<_> = ours.map(|digest| digest.version().to_owned()).collect();
        if digests.is_empty() {
            return Err(Untracked::MadeHere);
        }
        let whole = format!("{repository}:{}", reference.version());
        let familiar = whole.strip_prefix("docker.io/").unwrap_or(&whole);
        let familiar = familiar.strip_prefix("library/").unwrap_or(familiar);
        Ok(Self {
            familiar: familiar.to_owned(),
            registry: repository.split('/').next().unwrap_or_default().to_owned(),
            reference: whole,
            digests,
        })
    }
}

#[cfg(test)]
mod tests {
    use engine_api::images::ImageSummary;

    use super::*;

    fn image(digests: &[&str]) -> ImageFact {
        let content = |name: &&str| format!("{name}@sha256:{}", "ab".repeat(32));
        ImageFact::new(ImageSummary {
            id: format!("sha256:{}", "cd".repeat(32)),
            repo_digests: digests.iter().map(content).collect(),
            ..ImageSummary::default()
        })
        .unwrap()
    }

    #[test]
    fn a_name_is_tracked_in_the_repository_that_the_image_is_known_in() {
        let image = image(&["nginx", "r.test:5000/shop/nginx"]);
        let tracked = |name: &str| Tracked::of(name, Some(&image));
        let nginx = tracked("nginx").unwrap();
        assert_eq!(nginx.reference, "docker.io/library/nginx:latest");
        assert_eq!(
            (nginx.familiar.as_str(), nginx.digests.len()),
            ("nginx:latest", 1)
        );
        assert_eq!(tracked("docker.io/library/nginx:latest").unwrap(), nginx);
        let shop = tracked("r.test:5000/shop/nginx:2").unwrap();
        assert_eq!(
            (shop.registry.as_str(), shop.familiar.as_str()),
            ("r.test:5000", "r.test:5000/shop/nginx:2")
        );
        assert_eq!(tracked("r.test/shop/nginx:2"), Err(Untracked::MadeHere));
    }

    #[test]
    fn what_has_no_tag_there_is_not_tracked() {
        let image = image(&["nginx"]);
        let why = |name: &str| Tracked::of(name, Some(&image)).unwrap_err();
        assert_eq!(
            why(&format!("nginx@sha256:{}", "ab".repeat(32))),
            Untracked::ByDigest
        );
        assert_eq!(why(&format!("sha256:{}", "cd".repeat(32))), Untracked::ById);
        assert_eq!(why("cdcdcd"), Untracked::ById);
        assert_eq!(why("mine:1"), Untracked::MadeHere);
        assert_eq!(Tracked::of("nginx", None), Err(Untracked::MadeHere));
    }
}
