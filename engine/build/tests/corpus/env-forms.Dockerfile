FROM scratch
ENV OLD form with  two  spaces
ENV A=1 B="two words" C=two\ words D='single $A' E="double $A"
ENV A=2 F=$A
ENV EMPTY=
ENV G=$A$EMPTY$NOBODY.
LABEL one="line" \
      two="li\
ne" "quoted name"=x
LABEL old form
