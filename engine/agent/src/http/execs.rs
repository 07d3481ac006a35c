//! `/containers/{id}/exec` and `/exec`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use engine_api::body;
use engine_api::execs::{ExecCreated, ExecInspect, ExecStartBody};
use engine_api::operation;

use super::containers::size;
use super::detach::DetachKeys;
use super::error::{ApiError, Result};
use super::extract::{self, JsonBytes, Spoken, Values};
use super::hijack::{End, Joined, Upgrade, message};
use super::output::content_type;
use super::routes::{App, Route};

/// How long a stream that is over waits for the exit code, which clients ask for right after it.
/// A command may close its streams and run on; then nobody waits for it any longer.
const CODE_DEADLINE: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::EXEC_CREATE, post(create)),
        (&operation::EXEC_START, post(start)),
        (&operation::EXEC_RESIZE, post(resize)),
        (&operation::EXEC_INSPECT, get(inspect)),
    ]
}

async fn create(
    State(app): State<App>,
    Path(container): Path<String>,
    body: JsonBytes,
) -> Result<Response> {
    let id = app.execs.create(&container, &body.0)?;
    Ok((
        StatusCode::CREATED,
        Json(ExecCreated { id: id.to_string() }),
    )
        .into_response())
}

async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
    spoken: Spoken,
    mut request: Request,
) -> Result<Response> {
    let upgrade = Upgrade::take(&mut request);
    let bytes = extract::read(request.into_body()).await?;
    let start: ExecStartBody =
        body::parse_or_default(&bytes).map_err(|e| ApiError::bad_request(e.to_string()))?;
    if start.detach {
        app.execs.start_detached(&id, &start).await?;
        return Ok(StatusCode::OK.into_response());
    }
    let known = app.execs.inspect(&id)?;
    upgrade.check(known.open_stdin)?;
    let keys = DetachKeys::parse(&known.detach_keys)?;
    let mut session = app.execs.start(&id, &start).await?;
    let joined = Joined {
        prelude: session
            .failure
            .take()
            .map_or_else(Bytes::new, |text| message(&text, session.tty)),
        stdin: session.stdin,
        detach: session.tty.then_some(keys),
        socket: session.socket,
    };
    let mut ended = session.ended;
    let (execs, tty) = (std::sync::Arc::clone(&app.execs), session.tty);
    let after = move |end| async move {
        // A shell whose window is gone would wait for its next line for ever. Docker leaves it.
        if end == End::Gone && tty {
            execs.hang_up(&id).await;
        }
        // Too late is as good as never: the client sees that it still runs.
        let _ = tokio::time::timeout(CODE_DEADLINE, ended.wait()).await;
    };
    Ok(upgrade.join(joined, content_type(session.tty, spoken), &app.tasks, after))
}

async fn resize(
    State(app): State<App>,
    Path(id): Path<String>,
    values: Values,
) -> Result<StatusCode> {
    app.execs.resize(&id, size(&values)?).await?;
    Ok(StatusCode::OK)
}

async fn inspect(State(app): State<App>, Path(id): Path<String>) -> Result<Json<ExecInspect>> {
    Ok(Json(app.execs.inspect(&id)?))
}
