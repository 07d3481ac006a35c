FROM
FROM a b
FROM a os b
FROM a AS 1b
FROM alpine AS one
COPY --from=one /a /b
COPY --from=two /a /b
COPY --from=7 /a /b
RUN --mount=type=bind,from=two,target=/x y
FROM alpine AS two
COPY --from=0 /a /b
