#!/bin/sh
# containerd_node.sh: a containerd on one node of a lab, and one container in it.
#
#   containerd_node.sh STATE_DIR WEFT_CNI IMAGE_TAR NAME COMMAND...
#
# Runs where the node's programs stand, in a mount namespace of its own: /opt/cni/bin, which
# `ctr run --cni` reads, is made there. Prints what the container prints. A container whose COMMAND
# is `serve` prints its address, answers HTTP on port 80 with its name, and lives until standard
# input ends.
set -eu
. "$(dirname "$0")/containerd_setup.sh"
state=$1 weft_cni=$2 image=$3 name=$4
shift 4

install_plugins "$weft_cni"
mount_control_groups
finish() {
  run_ctr task kill -s KILL "$name" >/dev/null 2>&1 || true
  run_ctr container rm "$name" >/dev/null 2>&1 || true
  kill "$containerd" 2>/dev/null || true
  wait "$containerd" 2>/dev/null || true
}
trap finish EXIT
start_containerd "$state"
run_ctr image import --snapshotter native "$image" >/dev/null

if [ "$1" != serve ]; then
  run_ctr run --rm --cni --snapshotter native docker.io/library/weft:1 "$name" "$@"
  exit
fi
run_ctr run -d --cni --snapshotter native docker.io/library/weft:1 "$name" \
  /bin/sh -c "mkdir /www && echo 'this is $name' > /www/index.html && httpd -f -p 80 -h /www"
run_ctr task exec --exec-id address "$name" /bin/ip -4 -o addr show dev eth0
cat >/dev/null
