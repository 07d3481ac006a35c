//! The walls of the house, held by reading its text: what `style.md` lists under "What a machine
//! checks". Each rule is a function from files to problems, so each is proven here on bad text too.
//!
//! **Invariant:** nothing here runs the product; it reads what git would commit.
//! Begin with `doors.rs`, the table of who may call whom.

mod bans;
mod browser;
mod doors;
mod golden;
mod handlers;
mod history;
mod imports;
mod pages;
mod shape;
mod source;
mod supply;
mod tables;
mod tree;

use tree::{Problem, Tree};

fn hold(rule: impl Fn(&Tree) -> Vec<Problem>) {
    let problems = rule(&Tree::of_the_house());
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert!(problems.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn a_package_depends_only_on_what_its_door_allows() {
    hold(doors::packages);
}

#[test]
fn a_room_uses_only_what_its_door_allows() {
    hold(doors::rooms);
}

#[test]
fn the_module_graph_is_the_one_that_was_reviewed() {
    hold(doors::graph_is_golden);
}

#[test]
fn a_door_plate_holds_no_function() {
    hold(shape::door_plates);
}

#[test]
fn every_module_says_what_it_is() {
    hold(shape::module_docs);
}

#[test]
fn files_stay_small_enough_to_read() {
    hold(shape::sizes);
}

#[test]
fn every_rust_file_is_reached_from_its_crate() {
    hold(shape::dead_files);
}

#[test]
fn unsafe_stays_in_engine_sys() {
    hold(bans::unsafe_code);
}

#[test]
fn sql_stays_in_the_store() {
    hold(bans::sql);
}

#[test]
fn clocks_tasks_and_the_environment_have_their_room() {
    hold(bans::calls);
}

#[test]
fn no_room_is_called_utils() {
    hold(bans::names);
}

#[test]
fn a_todo_names_its_issue() {
    hold(bans::todos);
}

#[test]
fn no_text_knows_this_machine_or_a_package_host() {
    hold(bans::places);
}

#[test]
fn third_party_code_is_not_committed() {
    hold(bans::third_party);
}

#[test]
fn a_handler_says_who_may_call_it() {
    hold(handlers::guarded);
}

#[test]
fn routes_open_to_all_are_the_ones_that_were_reviewed() {
    hold(handlers::open_to_all_is_golden);
}

#[test]
fn templates_and_structs_belong_together() {
    hold(pages::templates);
}

#[test]
fn pages_carry_no_inline_script_or_style() {
    hold(pages::inline);
}

#[test]
fn colours_are_written_in_the_tokens_only() {
    hold(browser::colours);
}

#[test]
fn no_style_shouts() {
    hold(browser::important);
}

#[test]
fn every_style_and_element_is_used() {
    hold(browser::dead_assets);
}

#[test]
fn a_landed_migration_never_changes() {
    hold(history::migrations);
}

#[test]
fn licences_and_bans_hold_for_every_dependency() {
    hold(supply::licences_and_bans);
}
