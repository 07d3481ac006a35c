//! One action on many containers: all are tried, a few at a time; what became of each is told.

use axum::response::Response;
use frontend::paths;

use super::actions::options;
use super::frame::{Frame, back_or, said_and_go};
use crate::access::{Permission, Permit};
use crate::domain::ContainerPlace;
use crate::http::extract::{Bulk, Fields, Many};
use crate::http::present::outcomes::{self, Ended};
use crate::http::present::{containers as present, problems};
use crate::http::{Error, Problem, Result};
use crate::services::{self, Services, containers};

pub(super) async fn act(bulk: Bulk) -> Result<Response> {
    let back = back_or(bulk.fields.text("back"), &paths::Containers);
    if let Many::Remove(permits) = &bulk.many
        && !bulk.fields.is_set("sure")
        && !permits.is_empty()
    {
        let index = bulk.app.services.index();
        let facts = permits
            .iter()
            .filter_map(|permit| index.container(&permit.place().id));
        let facts: Vec<_> = facts.collect();
        let frame = Frame::of(&bulk.app, bulk.actor, bulk.visit);
        return Ok(frame.draw(&present::ask_remove(&frame.reader, &facts, &back)));
    }
    let frame = Frame::of(&bulk.app, bulk.actor, bulk.visit);
    let label = frame.reader.words.t(label(&bulk.many));
    let ended = each(&bulk.app.services, bulk.many, &bulk.fields, &frame).await;
    if ended.is_empty() {
        return Ok(said_and_go("failed-bulk-none", "", &back));
    }
    Ok(frame.draw(&outcomes::page(&frame.reader, &label, ended, &back)))
}

fn label(many: &Many) -> &'static str {
    match many {
        Many::Start(_) => "start",
        Many::Stop(_) => "stop",
        Many::Restart(_) => "restart",
        Many::Kill(_) => "kill",
        Many::Remove(_) => "remove",
    }
}

async fn each(services: &Services, many: Many, fields: &Fields, frame: &Frame) -> Vec<Ended> {
    match many {
        Many::Start(permits) => {
            let act = move |services: Services, permit| async move {
                containers::start(&services, &permit).await
            };
            told(containers::each(services, permits, act).await, frame)
        }
        Many::Stop(permits) => {
            let act = move |services: Services, permit| async move {
                containers::stop(&services, &permit).await
            };
            told(containers::each(services, permits, act).await, frame)
        }
        Many::Restart(permits) => {
            let act = move |services: Services, permit| async move {
                containers::restart(&services, &permit).await
            };
            told(containers::each(services, permits, act).await, frame)
        }
        Many::Kill(permits) => {
            let act = move |services: Services, permit| async move {
                containers::kill(&services, &permit, None).await
            };
            told(containers::each(services, permits, act).await, frame)
        }
        Many::Remove(permits) => {
            let options = options(fields);
            let act = move |services: Services, permit| async move {
                containers::remove(&services, &permit, options).await
            };
            let ended = told(containers::each(services, permits, act).await, frame).into_iter();
            let gone = ended.map(|one| Ended {
                is_gone: one.failed.is_none(),
                ..one
            });
            gone.collect()
        }
    }
}

fn told<P>(results: Vec<(Permit<P>, services::Result<()>)>, frame: &Frame) -> Vec<Ended>
where
    P: Permission<Place = ContainerPlace>,
{
    let words = frame.reader.words;
    let why = |error| problems::sentence(words, &Problem::of(&Error::from(error)));
    let ended = results.into_iter().map(|(permit, result)| Ended {
        name: permit.place().name.clone(),
        id: permit.place().id.clone(),
        is_gone: false,
        failed: result.err().map(why),
    });
    ended.collect()
}
