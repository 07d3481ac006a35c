//! A container's whole life, by the docker command and by the plain API.

mod attacks;
mod copies;
mod exits;
mod files;
mod journey;
mod life;
mod limits;
mod parallel;
mod refused;
mod volumes;
