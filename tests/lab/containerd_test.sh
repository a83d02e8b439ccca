#!/bin/sh
# containerd_test.sh: a real container reaches another across two nodes of a lab.
#
#   containerd_test.sh BIN_DIR
#
# Debian's containerd runs on each node and calls weft-cni for the network, as `ctr run --cni`
# does it; the image is a static busybox.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/containerd_setup.sh"
need_programs containerd ctr runc busybox

lab=rt$$
work=$(mktemp -d)
clean_up() {
  exec 3>&- || true
  [ -z "${server:-}" ] || wait "$server" || true
  "$bin/weft" lab down --name "$lab" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

make_image "$work/weft.tar" docker.io/library/weft:1 /bin/sh
printf 'nodes: 2\npods: 0\n' >"$work/lab.yaml"
"$bin/weft" lab up "$work/lab.yaml" --name "$lab"
on_node() {
  node=$1 name=$2
  shift 2
  "$bin/weft" lab exec --name "$lab" "$node" -- unshare --mount sh "$here/containerd_node.sh" \
    "$work/$node" "$bin/weft-cni" "$work/weft.tar" "$name" "$@"
}

mkfifo "$work/until"
on_node node2 server serve <"$work/until" >"$work/server.out" 2>"$work/server.err" &
server=$!
exec 3>"$work/until"
tries=0
until grep -q 'inet ' "$work/server.out"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
    echo "containerd_test: the server's container did not start" >&2
    cat "$work/server.out" "$work/server.err" >&2
    exit 1
  fi
  sleep 0.1
done
address=$(sed -n 's/.*inet \([0-9.]*\).*/\1/p' "$work/server.out")
echo "server container on node2: $address"

said=$(on_node node1 client wget -q -O - "http://$address/")
echo "client container on node1 read: $said"
[ "$said" = "this is server" ]

# The runtime's removal gives the client's address back.
held=$("$bin/weft" lab exec --name "$lab" node1 -- sh -c 'ls /var/lib/cni/networks/cbr0 | grep -c "^10\." || true')
[ "$held" = 0 ] || { echo "containerd_test: $held addresses are still held on node1" >&2; exit 1; }
echo "1 passed, 0 failed"
