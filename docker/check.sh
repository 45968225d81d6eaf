#!/bin/bash
# make docker-check: the image without a container engine. The Dockerfile's steps run in debootstrap chroots; then bbd runs
# as a container would run it: its own account, process 1 of its own namespace, no capability, a root that cannot be
# written. Needs root. Mirror, proxies, certificates and npm's settings are those of this machine.
# Invariant: all mounts and processes are in namespaces of their own and all files below one folder: nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly RELEASE=bookworm SCRIPT=docker/check.sh
readonly PATIENCE_S=60

say() { echo "docker-check: $*"; }
fail() { say "$*" >&2; exit 1; }

# Lines of the Dockerfile: COPY without --from, as "source... target"; the health check as a line for sh.
copies() { sed -n 's/^COPY \([^-].*\)/\1/p' docker/Dockerfile; }
health=$(sed -n 's/^ *CMD \(bb .*\)/\1/p' docker/Dockerfile)
[ -n "$health" ] || fail 'the Dockerfile has no health check'

# What apt and npm of this machine know about the way to their servers.
make_base() {
  local root=$1 mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $RELEASE" 'Origin: Debian' | head -n 1)
  debootstrap --variant=minbase "$RELEASE" "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 || { tail "$root.log"; fail 'debootstrap failed'; }
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
  apt-config dump | grep -E '^Acquire::(https?|Check|Retries)' >"$root/etc/apt/apt.conf.d/99host" || true
  mkdir -p "$root/etc/ssl/certs" "$root/usr/local/share/ca-certificates"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  cat "$(npm config get globalconfig 2>/dev/null)" "$(npm config get userconfig 2>/dev/null)" >"$root/root/.npmrc" 2>/dev/null || true
}

copy_into() {
  local stage=$1 root=$2 words target
  while read -ra words; do
    target=${words[-1]}
    [[ $target == "$stage"/* ]] || continue
    mkdir -p "$root$target"
    for source in "${words[@]::${#words[@]}-1}"; do
      if [ -d "$source" ]; then cp -r "$source/." "$root$target"; else cp "$source" "$root$target"; fi
    done
  done < <(copies)
}

in_root() {
  mount -t proc proc "$1/proc"
  chroot "$@"
  umount "$1/proc"
}

# The two stages, as the Dockerfile calls them.
make_image() {
  local dir=$1
  say "$RELEASE by debootstrap"
  make_base "$dir/build"
  cp -a "$dir/build" "$dir/image"
  rm -f "$dir/image/root/.npmrc"
  say 'stage build'
  copy_into /src "$dir/build"
  in_root "$dir/build" /src/docker/install.sh build /src /opt/barterbackup
  say 'stage runtime'
  cp -a "$dir/build/opt/barterbackup" "$dir/image/opt/"
  copy_into /opt/barterbackup "$dir/image"
  in_root "$dir/image" /opt/barterbackup/docker/install.sh runtime /opt/barterbackup /data
}

# The rest of this (sub)shell as a command of the container's account.
become_container() {
  exec chroot . setpriv --reuid bb --regid bb --clear-groups --no-new-privs --bounding-set -all \
    env -i PATH=/usr/local/bin:/usr/bin:/bin BB_DATA_DIR=/data CREDENTIALS_DIRECTORY=/tmp/secrets "$@"
}
as_container() { (become_container "$@"); }

start_daemon() {
  (exec unshare --pid --fork --mount-proc "$BASH" -c "$(declare -f become_container); become_container bbd") >>"$1" 2>&1 &
  daemon=$!
  local deadline=$((SECONDS + PATIENCE_S))
  until as_container sh -c "$health" 2>/dev/null; do
    kill -0 "$daemon" 2>/dev/null || { tail "$1"; fail 'bbd ended before it was healthy'; }
    ((SECONDS < deadline)) || { tail "$1"; fail "not healthy within $PATIENCE_S s"; }
  done
}

# SIGTERM reaches process 1 of the namespace, which must end with status 0 and leave nobody behind.
stop_daemon() {
  local first status=0
  first=$(pgrep -P "$daemon")
  kill -TERM "$first"
  timeout "$PATIENCE_S" tail --pid="$daemon" -f /dev/null || { tail "$1"; fail 'bbd goes on after SIGTERM'; }
  wait "$daemon" || status=$?
  [ "$status" = 0 ] || { tail "$1"; fail "bbd ended with status $status after SIGTERM"; }
  tail -n 1 "$1" | grep -q '"stopped"' || { tail "$1"; fail 'bbd did not end orderly'; }
}

check_image() {
  local dir=$1 log=$1/bbd.log
  mount --bind "$dir/image" "$dir/image"
  mount --bind "$dir/image/data" "$dir/image/data"
  mount -t tmpfs -o size=16m,mode=1777 tmpfs "$dir/image/tmp"
  mount -t proc proc "$dir/image/proc"
  mount -o remount,bind,ro "$dir/image"
  cd "$dir/image"
  as_container sh -c 'id -un; ! touch /opt/written 2>/dev/null' | grep -qx bb || fail 'not the account of the image, or its root can be written'
  as_container bbd --check-config
  as_container bb version
  start_daemon "$log"
  say 'healthy before it has an identity'
  as_container bb --json init --no-start --name docker-check >"$dir/words.json"
  stop_daemon "$log"
  install -d -m 755 tmp/secrets
  sed 's/.*"words":\["\([a-z",]*\)"\].*/\1/; s/","/ /g' "$dir/words.json" >tmp/secrets/bb-password
  start_daemon "$log"
  as_container bb status | grep -qi locked || fail 'a restarted daemon is not locked'
  say 'healthy while it is locked'
  as_container bb unlock --no-start >/dev/null || fail 'the words do not unlock it'
  stop_daemon "$log"
  say 'unlocked by a secret file, ended orderly by SIGTERM'
}

if [ "${1-}" = inside ]; then
  make_image "$2"
  (check_image "$2")
  exit
fi

[ "$(id -u)" = 0 ] || fail 'needs root, for debootstrap and chroot (sudo make docker-check)'
if ! command -v debootstrap >/dev/null; then
  command -v apt-get >/dev/null || fail 'please install debootstrap first'
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$BASH" "$SCRIPT" inside "$work"
say "passed: $(du -sm --exclude=proc "$work/image" | cut -f 1) MiB"
