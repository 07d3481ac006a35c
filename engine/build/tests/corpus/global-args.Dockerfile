ARG BASE=alpine TAG=3
ARG IMAGE=${BASE}:${TAG}
ARG GIVEN=default
FROM --platform=$BUILDPLATFORM ${IMAGE} AS tools
ARG TAG
ARG GIVEN
ARG OWN=$TAG-own UNSET
RUN make
ENV TAG=hides
RUN make
FROM ${NONE:-busybox} AS last
RUN make
ARG TARGETPLATFORM TARGETARCH BUILDOS
COPY --from=tools /a-$TARGETARCH /a
RUN make
# test: arg GIVEN=from-outside
# test: arg HTTP_PROXY=http://proxy:3128
# test: arg NOBODY=asks
# test: arg SOURCE_DATE_EPOCH=0
