//! Services that compose the workshops; the Docker Engine API.
