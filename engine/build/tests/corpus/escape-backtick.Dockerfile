# escape=`
FROM scratch
RUN one `
    two \
WORKDIR C:\dir
ENV A=`$HOME B="a`"b" C=$A
