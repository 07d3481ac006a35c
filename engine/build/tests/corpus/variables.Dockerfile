FROM scratch
ENV x=foobarbaz e=""
ENV plain=$x braces=${x} both=${x}_tail none=$nothing escaped=\$x quoted='$x' money=$ five=$5
ENV minus=${n-unset} colon_minus=${e:-empty} minus_empty=${e-unset} has=${x:-not}
ENV plus=${x+set} colon_plus=${e:+not} plus_empty=${e+set} plus_none=${n+not}
ENV question=${x?not} colon_question=${x:?not}
ENV nested=${n:-${m:-${x}}} quotes="${n:-in quotes}" inner=${n:-'in quotes'}
ENV p=foobarbaz
ENV head=${p#f*a} head_long=${p##f*a} tail=${p%b*} tail_long=${p%%b*} one=${p#???} no=${p#zzz}
ENV first=${p/ba/BA} all=${p//ba/BA} wild=${p/b*r/-} gone=${p//ba/} any=${p//?/x}
ENV path=/a/b/c
ENV slash=${path//\//_} brace=${path/%a/b}
ENV star=a*b*c
ENV literal=${star/\*/+} literals=${star//\*/+}
WORKDIR ${path:-/}/$nothing
