FROM one AS a
FROM a AS a
RUN on the first
FROM scratch
COPY --from=a /x /x
COPY --from=0 /x /x
