FROM alpine AS build
# test: target biuld
