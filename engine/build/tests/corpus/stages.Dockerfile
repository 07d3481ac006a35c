FROM debian AS base
RUN base
FROM base AS left
RUN left
FROM base AS right
RUN right
FROM golang AS unused
RUN never
FROM scratch AS final
COPY --from=left /l /l
COPY --from=Right /r /r
COPY --from=nginx /etc /etc
FROM final AS after
RUN never either
# test: target final
