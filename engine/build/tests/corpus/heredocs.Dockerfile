FROM scratch
ENV NAME=world
RUN <<END
echo one
echo two
END
RUN <<-END
	echo no tab
		END
RUN <<SCRIPT
#!/usr/bin/env python3
print("hello")
SCRIPT
RUN cat <<A <<-"B" > /out
$NAME
A
	tab stays for the shell
	B
RUN python3 <<PY && echo done
print("$NAME")
PY
COPY <<hello.txt <<'raw.txt' plain.txt /greetings/
hello $NAME, ${NAME:-nobody} "quoted" \$NAME
hello.txt
raw $NAME
raw.txt
COPY <<-EOF /tabs
	no tabs
	  two spaces
EOF
ADD <<empty /empty
empty
RUN echo "<<no document" 1<<<2
RUN ["cat", "<<none"]
ONBUILD RUN <<LATER
echo later
LATER
