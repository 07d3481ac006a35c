FROM golang AS tool
FROM alpine AS parent
ONBUILD COPY --from=tool /go /go
ONBUILD RUN --mount=type=bind,from=helper:1,target=/h echo
FROM parent
RUN last
