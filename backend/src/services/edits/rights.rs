//! Every permit that the steps of an edit need.

use crate::access::{Permission, Permit, container, policy};
use crate::domain::{ContainerPlace, HostPlace};
use crate::services::{Result, Services};

/// The permits, asked for before the first step: what happens to the place must not change the right.
pub(super) struct Rights {
    pub(super) create: Permit<container::Create>,
    pub(super) stop: Permit<container::Stop>,
    pub(super) rename: Permit<container::Rename>,
    pub(super) remove: Permit<container::Remove>,
}

impl Rights {
    /// Asks for them.
    ///
    /// # Errors
    /// When one is not held.
    pub(super) fn ask(services: &Services, permit: &Permit<container::Edit>) -> Result<Self> {
        let place = permit.place();
        let host = HostPlace {
            host: place.host.clone(),
        };
        // The new one is started as the old one would be.
        permit_for::<container::Start>(services, permit, place.clone())?;
        Ok(Self {
            create: policy::permit(permit.actor(), host, services.watchtower())?,
            stop: permit_for(services, permit, place.clone())?,
            rename: permit_for(services, permit, place.clone())?,
            remove: permit_for(services, permit, place.clone())?,
        })
    }
}

fn permit_for<P>(
    services: &Services,
    permit: &Permit<container::Edit>,
    place: ContainerPlace,
) -> Result<Permit<P>>
where
    P: Permission<Place = ContainerPlace>,
{
    Ok(policy::permit(
        permit.actor(),
        place,
        services.watchtower(),
    )?)
}
