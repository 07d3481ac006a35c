FROM scratch
RUN --mount=type=cache,target=/a \
    --mount=type=bnd,target=/b \
    make
COPY --chown=0:0 \
     --chmood=1 \
     a b
