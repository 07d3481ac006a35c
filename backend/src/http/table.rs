//! What the table of routes is made of: an entry knows its method, its path, and, from the type of
//! its handler, who may come in.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::extract::{Anyone, Bulk, Permits};
use crate::access::{Actor, Permission, PermissionId, Permit};
use crate::app::App;

/// Who may come in by a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anyone, logged in or not.
    Anyone,
    /// Anyone who is logged in; the handler shows each only what is theirs.
    LoggedIn,
    /// Who holds one of these permissions in the place that the request names.
    Holding(&'static [PermissionId]),
}

/// One route.
pub struct Entry {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path as the router mounts it.
    pub path: &'static str,
    /// Who may come in.
    pub gate: Gate,
    handler: MethodRouter<App>,
}

/// A first extractor that says who may come in.
pub trait Guard {
    /// Returns who may.
    fn gate() -> Gate;
}

impl Guard for Anyone {
    fn gate() -> Gate {
        Gate::Anyone
    }
}

impl Guard for Actor {
    fn gate() -> Gate {
        Gate::LoggedIn
    }
}

impl<P: Permission> Guard for Permit<P> {
    fn gate() -> Gate {
        Gate::Holding(&[P::ID])
    }
}

impl<P: Permission> Guard for Permits<P> {
    fn gate() -> Gate {
        Gate::Holding(&[P::ID])
    }
}

impl Guard for Bulk {
    fn gate() -> Gate {
        Gate::Holding(Bulk::PERMISSIONS)
    }
}

/// The types of a handler's parameters, the first of which is a [`Guard`].
pub trait Guarded {
    /// Returns who may come in.
    fn gate() -> Gate;
}

macro_rules! guarded {
    ($($rest:ident),*) => {
        impl<Via, First: Guard, $($rest),*> Guarded for (Via, First, $($rest,)*) {
            fn gate() -> Gate {
                First::gate()
            }
        }
    };
}

guarded!();
guarded!(T2);
guarded!(T2, T3);
guarded!(T2, T3, T4);
guarded!(T2, T3, T4, T5);
guarded!(T2, T3, T4, T5, T6);

/// Makes the entry of a page: it looks and changes nothing.
pub fn get<H, T>(path: &'static str, handler: H) -> Entry
where
    H: Handler<T, App>,
    T: Guarded + 'static,
{
    let handler = on(MethodFilter::GET, handler);
    Entry {
        method: "GET",
        path,
        gate: T::gate(),
        handler,
    }
}

/// Makes the entry of an action.
pub fn post<H, T>(path: &'static str, handler: H) -> Entry
where
    H: Handler<T, App>,
    T: Guarded + 'static,
{
    let handler = on(MethodFilter::POST, handler);
    Entry {
        method: "POST",
        path,
        gate: T::gate(),
        handler,
    }
}

impl Entry {
    /// Takes a body of any size: what comes is passed on and not kept.
    #[must_use]
    pub fn unlimited(self) -> Self {
        let handler = self.handler.layer(DefaultBodyLimit::disable());
        Self { handler, ..self }
    }

    /// Takes a body of at most so many bytes, where a form of ours is longer than others.
    #[must_use]
    pub fn up_to(self, most_bytes: usize) -> Self {
        let handler = self.handler.layer(DefaultBodyLimit::max(most_bytes));
        Self { handler, ..self }
    }

    /// Adds the route to a router.
    pub(super) fn mount(self, router: Router<App>) -> Router<App> {
        router.route(self.path, self.handler)
    }
}
