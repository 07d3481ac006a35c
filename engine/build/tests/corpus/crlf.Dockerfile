FROM scratch
RUN one \
  two
RUN <<E
a
E
