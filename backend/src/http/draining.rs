//! What a browser still sends though nobody takes it.

use std::time::Duration;

use axum::extract::multipart::Field;

/// How long the rest of files that nobody takes is read.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Reads on for a while: a browser that still sends does not read the answer.
pub(super) async fn drain(field: &mut Field<'_>) {
    let rest = async { while let Ok(Some(_)) = field.chunk().await {} };
    let _in_time = tokio::time::timeout(DRAIN_TIME, rest).await;
}
