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
nft:nftables
mkfs.ext4:e2fsprogs
mkfs.xfs:xfsprogs
losetup:mount
openssl:openssl
strace:strace
python3:python3
busybox:busybox-static
docker-registry:docker-registry
debootstrap:debootstrap
docker-compose:docker-compose
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
    have docker || docker_client || return 1
    docker_py && debian
}

# Debian's smallest system, once: a minute of downloads and dpkg that every later run saves. Nothing
# of it changes within a release that the tests look at, so it is kept until `out` goes.
debian() {
    [ -s "$OUT/debian.tar.gz" ] && return
    local root
    root=$(mktemp -d) || return 1
    chmod 755 "$root"
    debootstrap --variant=minbase bookworm "$root" >"$OUT/debootstrap.log" || { tail -5 "$OUT/debootstrap.log"; return 1; }
    rm -rf "$root"/var/cache/apt/archives/*.deb
    tar -C "$root" --numeric-owner --xattrs -c . | gzip -1 >"$OUT/debian.tar.gz.new" &&
        mv "$OUT/debian.tar.gz.new" "$OUT/debian.tar.gz"
    local made=$?
    rm -rf "$root"
    return $made
}

# docker-py as its makers release it, beside the older one that Debian's docker-compose brings along.
docker_py() {
    local pinned=$here/clients/requirements.txt
    cmp -s "$pinned" "$OUT/python/pinned.txt" && return
    python3 -c 'import ensurepip' 2>/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv || return 1
    rm -rf "$OUT/python"
    python3 -m venv "$OUT/python" &&
        "$OUT/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$pinned" &&
        cp "$pinned" "$OUT/python/pinned.txt"
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
