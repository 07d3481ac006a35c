# What the tests want from the system, installed by name and only where it is missing.
# Sourced by `run`; it defines `install_needs` and runs nothing by itself.

# program or file : Debian package
NEEDS="
cc:gcc
npm:npm
node:nodejs
git:git
script:bsdutils
ps:procps
ip:iproute2
mkfs.ext4:e2fsprogs
openssl:openssl
strace:strace
python3:python3
busybox:busybox-static
docker-registry:docker-registry
debootstrap:debootstrap
runc:runc
skopeo:skopeo
umoci:umoci
chromium:chromium
curl:curl
chromedriver:chromium-driver
qemu-system-x86_64:qemu-system-x86
"

have() { command -v "$1" >/dev/null 2>&1; }

install_needs() {
    local need missing=()
    PATH=$PATH:/usr/sbin:/sbin
    for need in $NEEDS; do
        have "${need%%:*}" || missing+=("${need##*:}")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "installing: ${missing[*]}"
        apt-get update -q || return 1
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" || return 1
    fi
    have docker || docker_client
}

# The docker command only, never its daemon: from the package that holds the client alone, or taken
# out of Debian's docker.io without installing it.
docker_client() {
    apt-get update -q || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends docker-cli && return
    local work
    work=$(mktemp -d) || return 1
    (cd "$work" && apt-get download -q docker.io && dpkg -x docker.io_*.deb .) || return 1
    mkdir -p "$OUT/tools" && cp "$work/usr/bin/docker" "$OUT/tools/docker"
    rm -rf "$work"
}
