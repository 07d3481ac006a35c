FROM scratch
run echo shell form
Run ["echo", "exec", "form"]
RUN ["echo", 'single quotes are no JSON']
CMD echo $HOME is the shell's matter
ENTRYPOINT []
CMD []
HEALTHCHECK NONE
HEALTHCHECK --interval=0s CMD ["/check", "it"]
SHELL ["powershell", "-command"]
