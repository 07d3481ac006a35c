//! Every page with its samples, by name: what the tests snapshot and the gallery example writes.

use askama::Template;

use super::*;
use crate::shell::{Section, Theme};
use crate::words::Language;

/// Draws every page with every sample.
///
/// # Errors
///
/// When a template fails, which the tests see to it never happens.
#[expect(clippy::too_many_lines, reason = "one line a page")]
pub fn book(language: Language, theme: Theme) -> askama::Result<Vec<(&'static str, String)>> {
    let frame = |section, title| shell(language, theme, section, title);
    let containers = || frame(Section::Containers, "containers");
    let images = || frame(Section::Images, "images");
    let networks = || frame(Section::Networks, "networks");
    let registries = || frame(Section::Registries, "registries");
    Ok(vec![
        (
            "login",
            login(frame(Section::Elsewhere, "log-in"), false).render()?,
        ),
        (
            "login-wrong",
            login(frame(Section::Elsewhere, "log-in"), true).render()?,
        ),
        (
            "setup",
            setup(frame(Section::Elsewhere, "setup-title")).render()?,
        ),
        (
            "problem",
            problem(frame(Section::Elsewhere, "problem-not-found")).render()?,
        ),
        (
            "overview",
            overview(frame(Section::Overview, "overview"), false).render()?,
        ),
        (
            "overview-fresh",
            overview(frame(Section::Overview, "overview"), true).render()?,
        ),
        ("containers", containers_index(containers(), 8).render()?),
        (
            "containers-none",
            containers_index(containers(), 0).render()?,
        ),
        (
            "containers-many",
            containers_index(containers(), 3000).render()?,
        ),
        (
            "container-new",
            container_new(containers(), false).render()?,
        ),
        (
            "container-new-broken",
            container_new(containers(), true).render()?,
        ),
        ("container-edit", container_edit(containers()).render()?),
        (
            "container-plan",
            container_plan(containers(), true).render()?,
        ),
        (
            "container-plan-in-place",
            container_plan(containers(), false).render()?,
        ),
        ("container", container_overview(containers(), 0).render()?),
        (
            "container-oom",
            container_overview(containers(), 6).render()?,
        ),
        ("container-logs", container_logs(containers()).render()?),
        ("bulk-outcome", bulk_outcome(containers()).render()?),
        ("logs", merged_logs(containers()).render()?),
        ("container-stats", container_stats(containers()).render()?),
        (
            "container-terminal",
            container_terminal(containers(), true).render()?,
        ),
        (
            "container-terminal-stopped",
            container_terminal(containers(), false).render()?,
        ),
        (
            "container-processes",
            container_processes(containers()).render()?,
        ),
        ("container-files", container_files(containers()).render()?),
        (
            "container-file",
            container_file(containers(), false).render()?,
        ),
        (
            "container-file-edited",
            container_file(containers(), true).render()?,
        ),
        (
            "container-changes",
            container_changes(containers()).render()?,
        ),
        (
            "container-inspect",
            container_inspect(containers()).render()?,
        ),
        ("container-remove", ask(containers()).render()?),
        ("images", images_index(images(), false).render()?),
        ("images-locked", images_index(images(), true).render()?),
        ("image", image_show(images()).render()?),
        ("image-build", image_build_new(images(), false).render()?),
        (
            "image-build-faults",
            image_build_new(images(), true).render()?,
        ),
        (
            "image-build-locked",
            locked(image_build_new(images(), false)).render()?,
        ),
        ("job-build", job_build(images(), false).render()?),
        ("job-build-failed", job_build(images(), true).render()?),
        ("image-layers", image_layers(images()).render()?),
        ("image-files", image_files(images()).render()?),
        ("image-file", image_file(images()).render()?),
        ("images-prune", images_prune(images()).render()?),
        ("networks", networks_index(networks(), false).render()?),
        ("networks-none", networks_index(networks(), true).render()?),
        ("network-new", network_new(networks()).render()?),
        ("network", network_show(networks()).render()?),
        (
            "networks-picture",
            networks_picture(networks(), 10).render()?,
        ),
        (
            "networks-picture-many",
            networks_picture(networks(), 200).render()?,
        ),
        ("networks-prune", networks_prune(networks()).render()?),
        ("ports", ports(networks()).render()?),
        (
            "registries",
            registries_index(registries(), false).render()?,
        ),
        (
            "registries-none",
            registries_index(registries(), true).render()?,
        ),
        ("registry", registry_show(registries(), "", true).render()?),
        (
            "registry-without-list",
            registry_show(registries(), "", false).render()?,
        ),
        (
            "registry-tags",
            registry_show(registries(), "shop/app", true).render()?,
        ),
        ("registry-edit", registry_edit(registries()).render()?),
        ("job", job_show(images()).render()?),
        ("job-back", job_back(containers()).render()?),
        (
            "events",
            events_index(frame(Section::Events, "events")).render()?,
        ),
        (
            "audit",
            audit_index(frame(Section::Audit, "audit")).render()?,
        ),
        ("people", people(frame(Section::People, "people")).render()?),
        (
            "account",
            account(frame(Section::Elsewhere, "account")).render()?,
        ),
        (
            "search",
            search(frame(Section::Elsewhere, "containers")).render()?,
        ),
        (
            "gallery",
            gallery(frame(Section::Elsewhere, "overview")).render()?,
        ),
    ])
}
