//! Whatever an archive says in whatever order, nothing outside its layer is touched.

use proptest::prelude::*;

use crate::archive::{Tar, world};

/// Names that get in each other's way, and some that lead out.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => Just("a"),
        8 => Just("b"),
        4 => Just("c"),
        2 => Just(".wh.a"),
        2 => Just(".wh..wh..opq"),
        1 => Just(".."),
        1 => Just("."),
    ];
    (
        prop::collection::vec(part, 1..4),
        prop::bool::weighted(0.03),
    )
        .prop_map(|(parts, absolute)| {
            format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
        })
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        Just("../../canary".to_owned()),
        Just("/".to_owned()),
        Just("../../../..".to_owned()),
    ]
}

fn entry() -> impl Strategy<Value = (u8, String, String)> {
    let kind = prop_oneof![
        4 => Just(b'0'),
        4 => Just(b'5'),
        4 => Just(b'2'),
        3 => Just(b'1'),
        1 => Just(b'3'),
        1 => Just(b'6'),
    ];
    (kind, name(), target())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn entries_in_any_order_stay_inside(entries in prop::collection::vec(entry(), 1..12)) {
        let world = world();
        let tar = entries.iter().fold(Tar::new(), |tar, (kind, name, target)| {
            let is_whiteout = name.rsplit('/').next().is_some_and(|last| last.starts_with(".wh."));
            match kind {
                b'0' => tar.file(name, if is_whiteout { "" } else { "x" }),
                b'5' => tar.dir(name),
                b'2' => tar.symlink(name, target),
                b'1' => tar.hard_link(name, target),
                b'3' => tar.node(name, b'3', 1, 3),
                kind => tar.entry(name, *kind, "", "", |_| {}),
            }
        });

        let applied = world.apply(&tar.bytes());

        world.assert_clean(usize::from(applied.is_ok()));
    }
}
