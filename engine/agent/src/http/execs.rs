//! `/containers/{id}/exec` and `/exec`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine_api::body;
use engine_api::execs::{ExecCreated, ExecInspect, ExecStartBody};
use engine_api::operation;

use super::containers::size;
use super::detach::DetachKeys;
use super::error::{ApiError, Result};
use super::extract::{self, JsonBytes, Spoken, Values};
use super::hijack::{End, Joined, Prelude, Upgrade, message};
use super::output::content_type;
use super::routes::{App, Route};
use crate::services::error::chain;

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
    let start: ExecStartBody = body::parse_or_default(&bytes, &ExecStartBody::all_members())
        .map_err(|e| ApiError::bad_request(e.to_string()))?;
    if start.detach {
        let ready = app.execs.prepare(&id)?;
        app.execs.start_detached(ready, &start).await?;
        return Ok(StatusCode::OK.into_response());
    }
    let known = app.execs.inspect(&id)?;
    upgrade.check(known.open_stdin)?;
    let keys = DetachKeys::parse(&known.detach_keys)?;
    let ready = app.execs.prepare(&id)?;
    let mut ended = ready.ended();
    let (execs, tty) = (Arc::clone(&app.execs), known.process_config.tty);
    // What goes wrong from here on is told in the stream: the answer has begun.
    let opening = async move {
        let (socket, stdin, failure) = match execs.start(ready, &start).await {
            Ok(session) => (Some(session.socket), session.stdin, session.failure),
            Err(error) => (None, false, Some(chain(&error))),
        };
        Joined {
            prelude: failure.map_or(Prelude::Nothing, |text| Prelude::Words(message(&text, tty))),
            stdin,
            detach: tty.then_some(keys),
            socket,
        }
    };
    let execs = Arc::clone(&app.execs);
    let after = move |end| async move {
        // A shell whose window is gone would wait for its next line for ever. Docker leaves it.
        if end == End::Gone && tty {
            execs.hang_up(&id).await;
        }
        // Too late is as good as never: the client sees that it still runs.
        let _ = tokio::time::timeout(CODE_DEADLINE, ended.wait()).await;
    };
    let content_type = content_type(tty, spoken);
    Ok(upgrade.join(opening, content_type, &app.tasks, after).await)
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
