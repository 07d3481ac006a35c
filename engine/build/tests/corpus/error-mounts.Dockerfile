FROM scratch
RUN --mount=type=cach,target=/x y
RUN --mount=type=bind,tagret=/x y
RUN --mount=type=cache y
RUN --mount=type=cache,target y
RUN --mount=type=bind,target=/x,sharing=locked y
RUN --mount=type=bind,target=/x,uid=0 y
RUN --mount=type=tmpfs,target=/x,size=big y
RUN --mount=type=tmpfs,from=a,target=/x y
RUN --mount=type=secret y
RUN --mount=type=secret,id=a,source=b y
RUN --mount=type=bind,from=$x,target=/y z
RUN --mount=type=bind,target=/ y
RUN --mount=type=cache,target=/x,mode=9 y
RUN --mount=type=cache,target=/x,sharing=mine y
RUN --mount=type=bind,target=/x,target=/y z
RUN --mount=type=bind,target=/x,ro=perhaps z
RUN --mount=type=bind,target=/x,ro,rw \
    --mount=type=ssh,size=5 z
