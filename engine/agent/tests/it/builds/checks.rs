//! A Dockerfile that is looked at and not built.

use crate::rig::Rig;

#[tokio::test]
async fn every_fault_is_told_with_its_place_its_rule_and_what_was_meant() {
    let rig = Rig::new().await;
    let text = "FROM busybox\nRUNN true\nCOPY --chwon=1 a b\nEXPOSE nine\n";

    let found = rig.client.check_dockerfile(&[], text.to_owned()).await;
    let found = found.unwrap();

    let faults = found.faults.iter();
    let told: Vec<_> = faults
        .map(|fault| (fault.line, fault.rule.as_str(), fault.meant.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "instruction", Some("RUN")),
            (3, "flag", Some("--chown")),
            (4, "arguments", None)
        ]
    );
    assert_eq!(found.faults[0].column, 1);
    assert!(found.faults[0].message.contains("RUNN"), "{found:?}");
    assert!(found.stages.is_empty());
    rig.end().await;
}

#[tokio::test]
async fn what_reads_well_has_its_stages_named_and_its_target_looked_for() {
    let rig = Rig::new().await;
    let text = "FROM a AS make\nFROM b\nFROM make AS last\nEXPOSE $PORT\n";
    let check = |query| rig.client.check_dockerfile(query, text.to_owned());

    let found = check(&[]).await.unwrap();

    let stages = found.stages.iter();
    let stages: Vec<_> = stages.map(|one| (one.name.as_str(), one.line)).collect();
    assert_eq!(stages, [("make", 1), ("1", 2), ("last", 3)]);
    // What the base's variables decide is nobody's fault yet.
    assert!(found.faults.is_empty(), "{found:?}");
    assert!(
        check(&[("target", "make")])
            .await
            .unwrap()
            .faults
            .is_empty()
    );
    let missed = check(&[("target", "mak")]).await.unwrap();
    assert_eq!(missed.faults.len(), 1);
    let no_platform = check(&[("platform", "///")]).await;
    assert!(no_platform.unwrap_err().to_string().contains("platform"));
    rig.end().await;
}

#[tokio::test]
async fn the_largest_file_is_refused_and_the_engine_goes_on() {
    let rig = Rig::new().await;
    let text = format!("FROM a\n{}", "# long\n".repeat(300_000));

    let found = rig.client.check_dockerfile(&[], text).await.unwrap();

    assert_eq!(found.faults[0].rule, "file", "{found:?}");
    assert!(rig.client.version().await.is_ok());
    rig.end().await;
}
