FROM scratch
COPY a \
     b
RUN cat <<END \
    > /x
one
 END
two
