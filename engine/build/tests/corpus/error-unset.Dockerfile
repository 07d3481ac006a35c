FROM scratch
RUN fine
ENV A="${NEEDED:?tell me which}"
