//! The table of operations that people read is the one that the code has.

use std::path::Path;

#[test]
#[expect(clippy::disallowed_methods, reason = "how goldens are written anew")]
fn the_table_of_operations_is_the_one_in_the_tree() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("OPERATIONS.md");
    let table = engine_api::table::markdown();
    if std::env::var("GANTRY_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        table,
        "write it anew with GANTRY_GOLDEN=write"
    );
}
