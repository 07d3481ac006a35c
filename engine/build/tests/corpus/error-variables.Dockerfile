FROM scratch
ENV A=${x
ENV A=${x!y}
ENV A=${}
ENV A="open
ENV A='open
ENV A=${x:#y}
ENV A=${x/y}
ENV A=${x/y/z
ENV A=${x#\q}
COPY --from=$x a b
COPY <<F /f
${x
F
ENV A=${a:-${b:-${c:-${d:-${e:-${f:-${g:-${h:-${i:-${j:-${k:-${l:-${m:-${n:-${o:-${p:-${q:-${r:-${s:-${t:-${u:-${v:-${w:-${x:-${y:-${z:-${a:-${b:-${c:-${d:-${e:-${f:-${g:-x}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}
