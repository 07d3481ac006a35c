# syntax=docker/dockerfile:1
# Every instruction once, in its usual form.
ARG RELEASE=12
FROM debian:${RELEASE} AS base
MAINTAINER Ada Lovelace <ada@example.org>
LABEL org.example.name="a name" org.example.kind=test
ENV LANG=C.UTF-8 PATH=/opt/bin:$PATH
ARG USER_NAME=app
RUN useradd "$USER_NAME"
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /srv/${USER_NAME}
COPY --chown=app:app . ./
ADD https://example.org/a.tar.gz /opt/
EXPOSE 80 443/tcp 53/udp 8000-8002
VOLUME /data /more$LANG
VOLUME ["/json one", "/json two"]
USER $USER_NAME
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=30s --timeout=5s --start-period=1m --start-interval=500ms --retries=3 CMD curl -f http://localhost/
ONBUILD RUN echo fired
ENTRYPOINT ["/usr/bin/server", "--verbose"]
CMD ["--help"]
# test: env PATH=/usr/bin
