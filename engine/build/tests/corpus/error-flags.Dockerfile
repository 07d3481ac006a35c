FROM scratch
COPY --chonw=1 a b
COPY --from=a --from=b c d
COPY --link=maybe a b
COPY --chown a b
RUN --mont=type=cache,target=/x y
RUN --network=hots y
CMD --help
WORKDIR --wat /x
RUN --security=insecure mount
RUN --device=gpu run
COPY --chmod=999 a b
COPY --chown=a:b:c a b
ADD --checksum=sha256:12 https://example.org/x /x
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d local /x
HEALTHCHECK --interval=soon CMD x
HEALTHCHECK --interval=10us CMD x
HEALTHCHECK --retries=-1 CMD x
