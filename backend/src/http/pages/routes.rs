//! The pages' part of the table of routes.

use frontend::paths;

use super::{
    account, actions, builds, bulk, containers, create, doors, edit, files, image_files, images,
    jobs, logs, looks, networks, overview, prune, records, registries, search, uploads,
};
use crate::http::{Entry, get, post};

/// Returns the routes of all pages.
pub fn table() -> Vec<Entry> {
    let mut table = vec![
        get(paths::Setup::PATTERN, doors::setup_form),
        post(paths::Setup::PATTERN, doors::setup),
        get(paths::Login::PATTERN, doors::login_form),
        post(paths::Login::PATTERN, doors::login),
        post(paths::Logout::PATTERN, doors::logout),
        get(paths::Overview::PATTERN, overview::show),
        get(paths::Logs::PATTERN, logs::merged),
        get(paths::Images::PATTERN, images::list),
        post(paths::ImagePull::PATTERN, images::pull),
        get(paths::ImagePullTags::PATTERN, images::tags_to_pull),
        get(paths::ImageBuildNew::PATTERN, builds::form),
        post(paths::ImageBuilds::PATTERN, builds::build).unlimited(),
        post(paths::ImageBuildCheck::PATTERN, builds::check),
        post(paths::ImageBuildCommand::PATTERN, builds::command),
        post(paths::ImageLoad::PATTERN, images::load).unlimited(),
        get(paths::ImagesPrune::PATTERN, prune::show_images),
        post(paths::ImagesPrune::PATTERN, prune::images),
        get(paths::Image::PATTERN, images::show),
        get(paths::ImageLayers::PATTERN, image_files::layers),
        get(paths::ImageFiles::PATTERN, image_files::show),
        get(paths::ImageFilesDownload::PATTERN, image_files::download),
        post(paths::ImagePush::PATTERN, images::push),
        post(paths::ImageCheck::PATTERN, images::check),
        post(paths::ImageTag::PATTERN, images::tag),
        get(paths::ImageSave::PATTERN, images::save),
        get(paths::ImageRemove::PATTERN, images::ask_remove),
        post(paths::ImageRemove::PATTERN, images::remove),
        get(paths::Registries::PATTERN, registries::list),
        post(paths::Registries::PATTERN, registries::add),
        get(paths::Registry::PATTERN, registries::show),
        get(paths::RegistryTags::PATTERN, registries::tags),
        get(paths::RegistryEdit::PATTERN, registries::form),
        post(paths::RegistryEdit::PATTERN, registries::edit),
        post(paths::RegistryTest::PATTERN, registries::test),
        get(paths::RegistryRemove::PATTERN, registries::ask_remove),
        post(paths::RegistryRemove::PATTERN, registries::remove),
        get(paths::Jobs::PATTERN, jobs::list),
        get(paths::Job::PATTERN, jobs::show),
        post(paths::JobCancel::PATTERN, jobs::cancel),
        get(paths::Events::PATTERN, records::events),
        get(paths::Audit::PATTERN, records::audit),
        get(paths::People::PATTERN, account::list_people),
        post(paths::People::PATTERN, account::add_person),
        get(paths::PersonRemove::PATTERN, account::ask_remove_person),
        post(paths::PersonRemove::PATTERN, account::remove_person),
        get(paths::Account::PATTERN, account::show),
        post(paths::AccountPassword::PATTERN, account::change_password),
        post(paths::AccountLook::PATTERN, account::change_look),
        post(paths::ListLook::PATTERN, looks::save),
        post(paths::AccountSessions::PATTERN, account::end_sessions),
        get(paths::Search::PATTERN, search::search),
        get(paths::Gallery::PATTERN, search::gallery),
    ];
    table.extend(containers_table());
    table.extend(networks_table());
    table
}

fn networks_table() -> Vec<Entry> {
    vec![
        get(paths::Networks::PATTERN, networks::list),
        post(paths::Networks::PATTERN, networks::create),
        get(paths::NetworkNew::PATTERN, networks::form),
        get(paths::NetworksPicture::PATTERN, networks::draw),
        get(paths::NetworksPrune::PATTERN, networks::ask_prune),
        post(paths::NetworksPrune::PATTERN, networks::prune),
        get(paths::Ports::PATTERN, networks::list_ports),
        get(paths::Network::PATTERN, networks::show),
        post(paths::NetworkConnect::PATTERN, networks::connect),
        post(paths::NetworkDisconnect::PATTERN, networks::disconnect),
        get(paths::NetworkRemove::PATTERN, networks::ask_remove),
        post(paths::NetworkRemove::PATTERN, networks::remove),
    ]
}

fn containers_table() -> Vec<Entry> {
    vec![
        get(paths::Containers::PATTERN, containers::list),
        post(paths::Containers::PATTERN, create::create),
        get(paths::ContainerNew::PATTERN, create::form),
        post(paths::ContainerPaste::PATTERN, create::paste),
        post(paths::ContainerCommand::PATTERN, create::command),
        post(paths::ContainersBulk::PATTERN, bulk::act),
        get(paths::Container::PATTERN, containers::overview),
        get(paths::ContainerLogs::PATTERN, logs::show),
        get(paths::ContainerLogsDownload::PATTERN, logs::download),
        get(paths::ContainerStats::PATTERN, containers::stats),
        get(paths::ContainerTerminal::PATTERN, containers::terminal),
        get(paths::ContainerFiles::PATTERN, files::show),
        get(paths::ContainerFilesDownload::PATTERN, files::download),
        get(paths::ContainerFilesSave::PATTERN, files::editor),
        post(paths::ContainerFilesSave::PATTERN, files::save).up_to(files::MOST_TEXT_BYTES),
        get(paths::ContainerFilesFolder::PATTERN, files::directory),
        post(paths::ContainerFilesFolder::PATTERN, files::make_folder),
        get(paths::ContainerFilesUpload::PATTERN, files::directory),
        post(paths::ContainerFilesUpload::PATTERN, uploads::form).unlimited(),
        post(paths::ContainerFilesPut::PATTERN, uploads::put).unlimited(),
        get(paths::ContainerChanges::PATTERN, files::changes),
        get(paths::ContainerProcesses::PATTERN, containers::processes),
        get(paths::ContainerInspect::PATTERN, containers::inspect),
        post(paths::ContainerInspect::PATTERN, containers::reveal),
        post(paths::ContainerStart::PATTERN, actions::start),
        post(paths::ContainerStop::PATTERN, actions::stop),
        post(paths::ContainerRestart::PATTERN, actions::restart),
        post(paths::ContainerPause::PATTERN, actions::pause),
        post(paths::ContainerUnpause::PATTERN, actions::unpause),
        post(paths::ContainerKill::PATTERN, actions::kill),
        post(paths::ContainerRename::PATTERN, actions::rename),
        get(paths::ContainerDuplicate::PATTERN, edit::duplicate),
        get(paths::ContainerEdit::PATTERN, edit::form),
        post(paths::ContainerEdit::PATTERN, edit::edit),
        get(paths::ContainerRemove::PATTERN, actions::ask_remove),
        post(paths::ContainerRemove::PATTERN, actions::remove),
    ]
}
