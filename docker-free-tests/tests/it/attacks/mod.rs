//! Attempts to get out of a container or to steer its host, each with the honest twin that must go
//! on working. The ids are those of the design's attack table; this is which test holds which case
//! of what is built. [`table`] looks that every test named here is there.
//!
//! | case | what is tried | held by |
//! |---|---|---|
//! | A-001 | descriptors of the host left open, working directory behind one | `a001_no_host_descriptor_reaches_the_container`, `a_working_directory_behind_a_descriptor_is_refused`, `an_exec_into_a_descriptor_is_refused`, `only_three_descriptors_are_open` |
//! | A-003 | tracing whoever enters | `a003_whoever_enters_shows_nothing_to_a_tracer`, `a_process_that_enters_shows_nothing_of_the_host_to_a_tracer` |
//! | A-005 | another thing in the place of the console | `a005_a_console_is_never_put_anywhere_else` |
//! | A-007 | `/proc`, `/sys`, `/dev` of an image are links or files | `a007_proc_and_sys_of_an_image_may_not_be_links`, `a_kernel_directory_that_is_something_else_is_refused` |
//! | A-009 | mounts and volumes over the kernel's files | `a009_nothing_is_mounted_over_proc`, `a009_an_image_cannot_declare_its_own_proc`, `a_mount_over_a_file_of_the_kernel_is_refused` |
//! | A-011 | a parent exchanged while a mount point is made | `a011_and_a029_what_is_made_for_a_container_is_made_inside_it` |
//! | A-013 | mounts that spread to the host | `a013_a_mount_inside_does_not_spread` |
//! | A-015 | capabilities of users | `a015_only_the_default_capabilities_are_held`, `a_user_has_no_effective_capability_and_an_exec_neither` |
//! | A-017 | the device filter after a restart of the engine | `a017_devices_stay_closed_when_the_engine_comes_back`, `devices_are_the_few_harmless_ones` |
//! | A-019, A-021 | writing to control groups, moving out of one's own | `a019_control_groups_are_read_only_inside` |
//! | A-023 | user numbers that wrap to root | `a023_odd_users_never_become_root` |
//! | A-025 | the user of an exec | `a025_odd_users_of_an_exec_never_become_root` |
//! | A-027 | new lines in values | `a027_a_newline_stays_inside_its_value` |
//! | A-029 | a working directory made through a link | `a029_a_working_directory_through_a_link_stays_inside`, `a011_and_a029_what_is_made_for_a_container_is_made_inside_it`, `a_working_directory_is_made_inside_the_root_or_not_at_all` |
//! | A-033 | the host's settings | `a033_the_hosts_settings_cannot_be_read_or_written`, `kernel_settings_are_hidden_or_read_only` |
//! | A-035 | files by handle | `a035_no_file_is_opened_by_its_handle` |
//! | A-037 | kernel crypto and virtual machine sockets, on each call path | `a037_sockets_into_the_kernel_are_closed`, `every_call_on_every_path_gets_its_decision` |
//! | A-039 | a profile that is not there | `a039_a_profile_that_is_not_there_is_refused` |
//! | A-041 | the engine's own doors | `a041_the_engine_listens_nowhere_but_at_its_socket` |
//! | A-043 | labels that steer | `a043_labels_of_an_image_steer_nothing` |
//! | A-045 | streams and sizes by the thousand | `a045_a_thousand_cut_streams_cost_nothing`, `a_thousand_commands_leave_nothing` |
//! | A-047 | signals to a number that is somebody else's by now | `a047_nobody_is_signalled_by_number` |
//! | A-049 | memory through `/dev/shm` | `a049_what_fills_memory_pays_for_it_alone` |
//! | A-051 | paths that climb out of a layer | `a051_a_layer_cannot_write_outside_itself`, `nothing_is_written_through_a_link_to_the_host` |
//! | A-053 | hard links out of a layer | `links_that_lead_out` |
//! | A-055 | abused whiteouts | `whiteouts_that_are_abused` |
//! | A-057 | devices and pipes in a layer | `devices_and_pipes_are_kept_as_data` |
//! | A-059 | two readers, two sizes | `hidden_entries_are_refused`, `ambiguous_archives_are_refused`, `sizes_are_neither_negative_nor_believed` |
//! | A-061 | too many entries | `too_much_of_everything`, `too_many_entries_are_refused` |
//! | A-063 | monstrous documents | `a063_settings_of_monstrous_shape_are_refused`, `documents_have_limits` |
//! | A-065 | digests that do not match | `content_that_lies_is_refused_and_leaves_nothing`, `a_pull_by_digest_gets_that_digest`, `a_registry_that_lies_leaves_nothing_behind` |
//! | A-067 | content that changed where it lies | `a_flipped_byte_is_noticed`, `a_damaged_layer_is_missing_until_it_is_applied_again` |
//! | A-069 | passwords that follow a redirect | `a_redirect_leaves_the_password_behind`, `redirects_that_lead_astray_are_refused`, `a_token_server_that_is_not_trusted_gets_nothing` |
//! | A-073 | weaker connections | `a_certificate_that_nobody_signed_is_refused`, `plain_http_is_for_loopback_and_named_hosts` |
//! | A-075 | archives to load | `archives_that_lie_or_lead_out_are_refused`, `links_of_an_archive_stay_inside_it`, `a_second_image_that_is_broken_takes_the_first_along` |
//!
//! Not built yet, so not here: named volumes, push, a scrub on demand (the rest of
//! The races try as often as `GANTRY_RACE_TRIES` says; without it a few hundred times, which
//! is what a normal run does. `GANTRY_RACE_TRIES=10000 cargo nextest run -p docker-free-tests --test
//! it attacks` is the whole of it.

mod entering;
mod kernel;
mod races;
mod settings;
mod table;
