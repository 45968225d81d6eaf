#!/bin/bash
# The steps of the image, called by the Dockerfile and, in a chroot, by make docker-check: there is one text of them.
#   install.sh build SOURCES APP    on a bare Debian: the lockfile's packages and the compiled programs, into APP
#   install.sh runtime APP DATA     on another one: tor, the account that bbd runs as, its data directory, the commands
# Invariant: nothing of the first stage but APP reaches the second one, and neither ever sees a secret.
set -euo pipefail

readonly ACCOUNT=bb ACCOUNT_ID=10001

install_packages() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  apt-get clean
  rm -rf /var/lib/apt/lists/*
}

build() {
  local sources=$1 app=$2
  install_packages ca-certificates make
  make -C "$sources" setup build
  # A second tree from the same lockfile, without the tools.
  mkdir -p "$app"
  cp -a "$sources/package.json" "$sources/package-lock.json" "$sources/dist" "$app"
  (cd "$app" && npm ci --omit=dev --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error)
}

runtime() {
  local app=$1 data=$2
  install_packages tor
  groupadd --gid "$ACCOUNT_ID" "$ACCOUNT"
  useradd --uid "$ACCOUNT_ID" --gid "$ACCOUNT" --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$ACCOUNT"
  install -d -o "$ACCOUNT" -g "$ACCOUNT" -m 700 "$data"
  ln -s "$app"/node_modules/node-linux-*/bin/node /usr/local/bin/node
  ln -s "$app/dist/cli/bb.cjs" /usr/local/bin/bb
  ln -s "$app/dist/src/bbd.cjs" /usr/local/bin/bbd
}

case ${1-}:$# in
  build:3 | runtime:3) "$@" ;;
  *) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
esac
