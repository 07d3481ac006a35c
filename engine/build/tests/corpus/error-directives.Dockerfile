# escape=x
# syntax=a
# syntax=b
FROM scratch
