FROM alpine AS build
FROM scratch
COPY --from=build /bin/sh /bin/sh
COPY --from=0 /a /b /c/
COPY --from=busybox:latest --chown=1000:1000 --chmod=0755 x y
COPY --link --parents --exclude=*.md --exclude=**/tmp src/**/*.rs ./
COPY --chmod=u=rwX,go=rX --chown=ada . /srv/
COPY ["with space", "/to here/"]
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/x /x
ADD --keep-git-dir=true --link=false git@example.org:a/b.git#main /src
ADD --unpack=false local.tar /srv/
ADD https://example.org/repo.git /repo
