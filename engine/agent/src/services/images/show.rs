//! Images as clients see them: lists, details, history.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine_api::containers::{Empty, GraphDriver};
use engine_api::filter::Filters;
use engine_api::images as wire;
use engine_images::{Digest, Image, Names, Reference, RunConfig};

use super::service::Images;
use crate::clock;
use crate::services::error::{Result, ServiceError};
use crate::services::time;

impl Images {
    /// Lists the images that fulfil the filters, the newest first.
    ///
    /// # Errors
    /// When a filter names an image that is not here, or a time that is none.
    pub(crate) fn list(
        &self,
        filters: &Filters,
        with_shared: bool,
    ) -> Result<Vec<wire::ImageSummary>> {
        let selection = self.selection(filters)?;
        let images = self.store.list();
        let n_users = self.layer_users(with_shared);
        let mut summaries = Vec::with_capacity(images.len());
        for image in images {
            let names = self.store.names_of(image.id);
            let created = created_s(&image);
            if !selection.takes(created, &names, filters, &image)? {
                continue;
            }
            let shared = with_shared.then(|| {
                let shared = layers_once(&image).into_iter();
                let shared = shared.filter(|diff_id| n_users.get(diff_id).is_some_and(|n| *n > 1));
                shared.map(|diff_id| self.layer_size(diff_id)).sum()
            });
            summaries.push(wire::ImageSummary {
                id: image.id.to_string(),
                parent_id: String::new(),
                repo_tags: familiar(&called(&names.tags, filters)),
                repo_digests: familiar(&called(&names.digests, filters)),
                created,
                size: self.size(&image),
                shared_size: shared.unwrap_or(-1),
                labels: image.config.config.labels.clone(),
                containers: -1,
            });
        }
        summaries.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        Ok(summaries)
    }

    /// Tells everything about one image.
    ///
    /// # Errors
    /// When it is not here.
    pub(crate) fn inspect(&self, name: &str) -> Result<wire::Image> {
        let image = self.find(name)?;
        let names = self.store.names_of(image.id);
        let config = &image.config;
        let kind = "layers".to_owned();
        let layers = image.diff_ids().iter().map(Digest::to_string).collect();
        Ok(wire::Image {
            id: image.id.to_string(),
            repo_tags: familiar(&names.tags),
            repo_digests: familiar(&names.digests),
            comment: config.comment.clone(),
            created: config.created.clone().unwrap_or_else(|| NEVER.to_owned()),
            author: config.author.clone(),
            config: self::config(&config.config),
            container_config: wire::ImageConfig::default(),
            architecture: config.platform.architecture.clone(),
            variant: config.platform.variant.clone(),
            os: config.platform.os.clone(),
            size: self.size(&image),
            graph_driver: GraphDriver {
                data: None,
                name: "overlay2".to_owned(),
            },
            root_fs: wire::RootFs { kind, layers },
            metadata: wire::ImageMetadata {
                last_tag_time: clock::rfc3339(image.added_unix_ns),
            },
            ..wire::Image::default()
        })
    }

    /// Tells how an image was made, the last step first.
    ///
    /// # Errors
    /// When it is not here.
    pub(crate) fn history(&self, name: &str) -> Result<Vec<wire::HistoryItem>> {
        let image = self.find(name)?;
        let mut diff_ids = image.diff_ids().iter();
        let mut items: Vec<_> = image
            .config
            .history
            .iter()
            .map(|step| {
                let diff_id = if step.empty_layer {
                    None
                } else {
                    diff_ids.next()
                };
                wire::HistoryItem {
                    id: "<missing>".to_owned(),
                    created: step.created.as_deref().map_or(0, seconds),
                    created_by: step.created_by.clone(),
                    tags: None,
                    size: diff_id.map_or(0, |diff_id| self.layer_size(*diff_id)),
                    comment: step.comment.clone(),
                }
            })
            .collect();
        // An image without a word about its layers still has them.
        items.extend(diff_ids.map(|diff_id| wire::HistoryItem {
            id: "<missing>".to_owned(),
            size: self.layer_size(*diff_id),
            ..wire::HistoryItem::default()
        }));
        items.reverse();
        if let Some(last) = items.first_mut() {
            last.id = image.id.to_string();
            let tags = familiar(&self.store.names_of(image.id).tags);
            last.tags = (!tags.is_empty()).then_some(tags);
        }
        Ok(items)
    }

    fn size(&self, image: &Image) -> i64 {
        let layers = layers_once(image).into_iter();
        layers.map(|diff_id| self.layer_size(diff_id)).sum()
    }

    pub(super) fn layer_size(&self, diff_id: Digest) -> i64 {
        let layer = self.layers.layer(diff_id.into());
        layer.map_or(0, |layer| {
            i64::try_from(layer.size_bytes).unwrap_or(i64::MAX)
        })
    }

    fn layer_users(&self, wanted: bool) -> HashMap<Digest, usize> {
        let mut n_users = HashMap::new();
        if wanted {
            for image in self.store.list() {
                for diff_id in layers_once(&image) {
                    *n_users.entry(diff_id).or_default() += 1;
                }
            }
        }
        n_users
    }

    fn selection(&self, filters: &Filters) -> Result<Selection> {
        let created = |key: &str| -> Result<Option<i64>> {
            let name = filters.values(key).first();
            name.map(|name| Ok(created_s(&*self.find(name)?)))
                .transpose()
        };
        let until = filters.values("until").first().map(|text| {
            let until = time::parse(text, self.clock.now_ns());
            until.map_err(|error| {
                ServiceError::BadRequest(format!("invalid value of the filter until: {error}"))
            })
        });
        Ok(Selection {
            before: created("before")?,
            since: created("since")?,
            until_ns: until.transpose()?,
        })
    }
}

/// The layers of an image, each as often as it lies on the disk: a layer that an image has twice is
/// kept once, and shared with nobody by that.
fn layers_once(image: &Image) -> BTreeSet<Digest> {
    image.diff_ids().iter().copied().collect()
}

/// What "never" looks like.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The filters that are about time.
struct Selection {
    before: Option<i64>,
    since: Option<i64>,
    until_ns: Option<i64>,
}

impl Selection {
    fn takes(&self, created: i64, names: &Names, filters: &Filters, image: &Image) -> Result<bool> {
        let dangling = filters.truth("dangling")?;
        let is_dangling = names.tags.is_empty();
        Ok(self.before.is_none_or(|before| created < before)
            && self.since.is_none_or(|since| created > since)
            && self
                .until_ns
                .is_none_or(|until| created.saturating_mul(1_000_000_000) < until)
            && dangling.is_none_or(|wanted| wanted == is_dangling)
            && filters.labels_match(&image.config.config.labels)
            && (filters.values("reference").is_empty()
                || !called(&names.tags, filters).is_empty()
                || !called(&names.digests, filters).is_empty()))
    }
}

/// The names that the filter `reference` asks for: an image is listed under those alone.
fn called(names: &[Reference], filters: &Filters) -> Vec<Reference> {
    let is_asked_for = |name: &&Reference| {
        filters.any("reference", |pattern| {
            glob(pattern, &name.familiar()) || glob(pattern, &name.familiar_name())
        })
    };
    names.iter().filter(is_asked_for).cloned().collect()
}

/// What a container starts with, as the API writes it.
pub(super) fn config(config: &RunConfig) -> wire::ImageConfig {
    let set = |keys: &BTreeMap<String, engine_images::Empty>| {
        keys.keys()
            .map(|key| (key.clone(), Empty {}))
            .collect::<BTreeMap<_, _>>()
    };
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    wire::ImageConfig {
        user: config.user.clone(),
        exposed_ports: set(&config.exposed_ports),
        env: Some(config.env.clone()),
        cmd: config.cmd.clone(),
        volumes: (!config.volumes.is_empty()).then(|| set(&config.volumes)),
        working_dir: config.working_dir.clone(),
        entrypoint: config.entrypoint.clone(),
        on_build: some(&config.on_build),
        labels: (!config.labels.is_empty()).then(|| config.labels.clone()),
        stop_signal: config.stop_signal.clone(),
        shell: config.shell.clone(),
        // Foreign too: one that is none says nothing.
        healthcheck: config
            .healthcheck
            .as_ref()
            .and_then(|check| serde_json::from_value(check.clone()).ok()),
    }
}

fn familiar(names: &[Reference]) -> Vec<String> {
    names.iter().map(Reference::familiar).collect()
}

pub(super) fn created_s(image: &Image) -> i64 {
    image.config.created.as_deref().map_or(0, seconds)
}

/// Foreign text; what is no time is the epoch.
pub(super) fn seconds(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>()
        .map_or(0, jiff::Timestamp::as_second)
}

/// Matches as Go's `path.Match`: `*` and `?` stop at slashes.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') if text[t] != '/' => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                // The star takes one character more.
                Some((at, from)) if text[from] != '/' => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stop_at_slashes() {
        for (pattern, text, fits) in [
            ("busybox", "busybox", true),
            ("busy*", "busybox:1.36", true),
            ("*:latest", "busybox:latest", true),
            ("*", "a/b", false),
            ("*/*", "a/b", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("", "", true),
            ("**x*", "aaxbb", true),
            ("a", "ab", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn foreign_times_are_read_or_the_epoch() {
        assert_eq!(seconds("2023-11-14T22:13:20.000000120Z"), 1_700_000_000);
        assert_eq!(seconds("yesterday"), 0);
    }
}
