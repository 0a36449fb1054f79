#!/usr/bin/env bash
# Makes the two base images of the Dockerfile where no registry of images can be reached.
#
#   docker/base-images.sh            pull what can be pulled, build stand-ins for the rest
#   docker/base-images.sh --local    build the stand-ins without trying to pull
#
# The stand-ins carry the public names, so that the Dockerfile is the same everywhere. They come
# from Debian's own packages (debootstrap) and from the Rust toolchain of this machine. An image
# that is there already is left alone.
set -euo pipefail

DEBIAN=debian:bookworm-slim
RUST=rust:1.95-bookworm
SUITE=bookworm
CA=/etc/ssl/certs/ca-certificates.crt

pull=yes
case "${1:-}" in
    "") ;;
    --local) pull=no ;;
    *) echo "base-images.sh: unknown argument '$1' (only --local is known)" >&2; exit 2 ;;
esac

say() { echo "base-images: $*"; }

present() { docker image inspect "$1" >/dev/null 2>&1; }

# True when the image is here, or could be pulled.
have() {
    if present "$1"; then
        say "$1 is here"
        return 0
    fi
    [ "$pull" = yes ] && timeout 300 docker pull --quiet "$1" 2>/dev/null
}

work=$(mktemp -d)
container=
cleanup() {
    [ -z "$container" ] || docker rm --force "$container" >/dev/null 2>&1 || true
    rm -rf -- "$work"
}
trap cleanup EXIT

# A root file system of Debian's essential packages. The certificates of this machine come along,
# because a network without an image registry often has its own proxy and its own authority.
make_debian() {
    command -v debootstrap >/dev/null || {
        echo "base-images.sh: debootstrap is missing: apt-get install debootstrap" >&2
        exit 1
    }
    say "building $DEBIAN with debootstrap (about a minute)"
    debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$work/root" \
        >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
    rm -rf -- "$work/root/var/cache/apt/archives" "$work/root/var/lib/apt/lists"
    mkdir -p "$work/root/var/cache/apt/archives/partial" "$work/root/var/lib/apt/lists/partial"
    cp -L "$CA" "$work/root$CA"
    tar -C "$work/root" -c . | docker import \
        --change "ENV SSL_CERT_FILE=$CA" --change 'CMD ["bash"]' - "$DEBIAN" >/dev/null
}

# The Debian stand-in, a C compiler, and this machine's toolchain.
make_rust() {
    command -v rustc >/dev/null || {
        echo "base-images.sh: rustc is missing: the stand-in for $RUST copies it" >&2
        exit 1
    }
    # The stand-in needs the Debian packages even when the debian image itself could be pulled.
    say "building $RUST from $(rustc --version)"
    container=$(docker create "$DEBIAN" sh -c \
        'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
            --no-install-recommends gcc libc6-dev ca-certificates >/dev/null &&
         rm -rf /var/lib/apt/lists/*')
    docker start --attach "$container"
    docker cp -L "$CA" "$container:$CA"
    # Not the documentation and not the sources: a build reads neither.
    tar -C "$(rustc --print sysroot)" --transform 's,^,rust/,' \
        --exclude lib/rustlib/src -c bin lib | docker cp - "$container:/usr/local"
    local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    docker commit --change "ENV PATH=/usr/local/rust/bin:$path" \
        --change 'ENV CARGO_HOME=/usr/local/cargo' \
        --change "ENV SSL_CERT_FILE=$CA" --change "ENV CARGO_HTTP_CAINFO=$CA" \
        --change 'CMD ["bash"]' "$container" "$RUST" >/dev/null
    docker rm "$container" >/dev/null
    container=
}

have "$DEBIAN" || make_debian
have "$RUST" || make_rust
say "both base images are here"
