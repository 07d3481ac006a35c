# A comment.
   # An indented comment.
FROM scratch
RUN one \
    # a comment between
    && two \

    && three \   
# a comment at the margin
    && four # this is the shell's
RUN five \\
  RUN indented # stays
RUN last \
