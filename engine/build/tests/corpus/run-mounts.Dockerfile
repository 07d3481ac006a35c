FROM alpine AS tools
FROM scratch
ARG CACHE=/var/cache
RUN --mount=type=bind,from=tools,source=/bin,target=/tools make
RUN --mount=target=. --mount=type=bind,src=sub,dst=/sub,rw make
RUN --mount=type=cache,target=${CACHE}/x/../go,id=go,sharing=locked,uid=1000,mode=0700 make
RUN --mount=type=cache,destination=/c/,from=tools,ro make
RUN --mount=type=tmpfs,target=/tmp,size=64m make
RUN --mount=type=secret,id=token,required cat /run/secrets/token
RUN --mount=type=secret,id=aws,target=/etc/aws/credentials,mode=0440,gid=5 aws
RUN --mount=type=secret,id=key,env=API_KEY deploy
RUN --mount=type=ssh --mount=type=ssh,id=other,required=true git clone
RUN --network=none --security=sandbox ./test
RUN --network=host ./test
