FROM scratch
RUN fine
RUNN apt-get update
COPPY a b
XYZZY
