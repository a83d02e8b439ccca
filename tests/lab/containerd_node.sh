#!/bin/sh
# containerd_node.sh: a containerd on one node of a lab, and one container in it.
#
#   containerd_node.sh STATE_DIR WEFT_CNI IMAGE_TAR NAME COMMAND...
#
# Runs where the node's programs stand, in a mount namespace of its own: /opt/cni/bin, which
# `ctr run --cni` reads, is made there and holds nothing but links to weft-cni. Prints what the
# container prints. A container whose COMMAND is `serve` prints its address, answers HTTP on
# port 80 with its name, and lives until standard input ends.
set -eu
state=$1 weft_cni=$2 image=$3 name=$4
shift 4

mount -t tmpfs tmpfs /opt
mkdir -p /opt/cni/bin "$state"
cp "$weft_cni" /opt/cni/bin/weft-cni
for plugin in flannel bridge host-local loopback; do ln -s weft-cni "/opt/cni/bin/$plugin"; done

# The node's /sys is its own and shows no control groups, without which runc starts nothing:
# mount what the machine has, version 2 or the controllers of version 1.
if ! grep -q ' - cgroup cgroup ' /proc/1/mountinfo; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mount -t tmpfs tmpfs /sys/fs/cgroup
  sed -n 's/.* - cgroup cgroup rw,//p' /proc/1/mountinfo | while read -r controller; do
    folder=/sys/fs/cgroup/${controller#name=}
    mkdir -p "$folder"
    mount -t cgroup -o "$controller" cgroup "$folder"
  done
fi

socket=$state/containerd.sock
containerd --root "$state/root" --state "$state/state" --address "$socket" \
  >"$state/containerd.log" 2>&1 &
containerd=$!
run_ctr() { ctr --address "$socket" "$@"; }
finish() {
  run_ctr task kill -s KILL "$name" >/dev/null 2>&1 || true
  run_ctr container rm "$name" >/dev/null 2>&1 || true
  kill "$containerd" 2>/dev/null || true
  wait "$containerd" 2>/dev/null || true
}
trap finish EXIT

tries=0
until run_ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || { cat "$state/containerd.log" >&2; exit 1; }
  sleep 0.1
done
run_ctr image import --snapshotter native "$image" >/dev/null

if [ "$1" != serve ]; then
  run_ctr run --rm --cni --snapshotter native docker.io/library/weft:1 "$name" "$@"
  exit
fi
run_ctr run -d --cni --snapshotter native docker.io/library/weft:1 "$name" \
  /bin/sh -c "mkdir /www && echo 'this is $name' > /www/index.html && httpd -f -p 80 -h /www"
run_ctr task exec --exec-id address "$name" /bin/ip -4 -o addr show dev eth0
cat >/dev/null
