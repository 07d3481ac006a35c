//! Calls about builds: a context in, lines out.

use bytes::Bytes;
use engine_api::builds::{
    BuildLine, DOCKERFILE_HEADER, DockerfileCheck, REGISTRY_CONFIG_HEADER, STEPS_HEADER,
};
use engine_api::operation;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Full};

use crate::client::EngineClient;
use crate::error::Result;
use crate::images::{ImageSource, UPLOAD_DEADLINE, streamed};
use crate::request::Call;
use crate::stream::JsonLines;

/// What to build, beside the context.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// The options by their names on the wire; one may be there more than once.
    pub query: Vec<(&'static str, String)>,
    /// The Dockerfile, when it is not the context's own.
    pub dockerfile: Option<String>,
    /// The value of the header with the credentials for several registries: base64 of JSON.
    pub auths: Option<String>,
}

impl EngineClient {
    /// Builds an image of a context: an archive with a Dockerfile in it. `query` holds the options by
    /// their names on the wire. A failure after the start comes as a line with `error`.
    ///
    /// # Errors
    /// When an option, the context or the Dockerfile is refused.
    pub async fn build_image(
        &self,
        query: &[(&str, &str)],
        context: impl ImageSource,
    ) -> Result<JsonLines<BuildLine>> {
        let mut call = Call::new(&operation::BUILD, "").within(UPLOAD_DEADLINE);
        for (name, value) in query {
            call = call.query(name, value);
        }
        let call = call.stream(streamed(context), "application/x-tar")?;
        Ok(JsonLines::new(
            operation::BUILD.name,
            self.send(call).await?,
        ))
    }

    /// Builds as [`Self::build_image`] does, and is told with each line which step it belongs to.
    ///
    /// # Errors
    /// As there.
    pub async fn build_in_steps(
        &self,
        options: BuildOptions,
        context: impl ImageSource,
    ) -> Result<JsonLines<BuildLine>> {
        let mut call = Call::new(&operation::BUILD, "").within(UPLOAD_DEADLINE);
        for (name, value) in &options.query {
            call = call.query(name, value);
        }
        let mut call = call.header(STEPS_HEADER, "on")?;
        if let Some(auths) = &options.auths {
            call = call.header(REGISTRY_CONFIG_HEADER, auths)?;
        }
        let dockerfile = match options.dockerfile {
            None => Bytes::new(),
            Some(text) => {
                call = call.header(DOCKERFILE_HEADER, &text.len().to_string())?;
                Bytes::from(text)
            }
        };
        let first = stream::iter([Ok(dockerfile)]);
        let call = call.stream(streamed(first.chain(context)), "application/x-tar")?;
        Ok(JsonLines::new(
            operation::BUILD.name,
            self.send(call).await?,
        ))
    }

    /// Tells what is wrong with a Dockerfile; nothing is built. `query` as of a build.
    ///
    /// # Errors
    /// When an option is refused or nobody answers.
    pub async fn check_dockerfile(
        &self,
        query: &[(&str, &str)],
        text: String,
    ) -> Result<DockerfileCheck> {
        let mut call = Call::new(&operation::BUILD_CHECK, "");
        for (name, value) in query {
            call = call.query(name, value);
        }
        let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
        let call = call.stream(BodyExt::boxed_unsync(body), "text/plain")?;
        self.fetch(call).await
    }
}
