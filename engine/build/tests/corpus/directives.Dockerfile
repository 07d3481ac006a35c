#syntax = docker/dockerfile:1.7-labs
# ESCAPE=\
# check=skip=all;error=true

# syntax=not-a-directive-any-more
FROM scratch
