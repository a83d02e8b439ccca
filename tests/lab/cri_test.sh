#!/bin/sh
# cri_test.sh: a real runtime whose CNI plugins are weft-cni and nothing else.
#
#   cri_test.sh BIN_DIR
#
# Debian's containerd as a kubelet uses it, by the CRI: published ports, limited bandwidth,
# containers started again, and pods that come and go ($WEFT_CHURN of them, 200 by default).
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/containerd_setup.sh"
need_programs containerd ctr runc busybox curl nft tc
crictl=$("$here/../peers/build-go-peers" crictl)/crictl

machine=weft-cri-$$ client=weft-client-$$
work=$(mktemp -d)
clean_up() {
  ip netns del "$client" 2>/dev/null || true
  ip netns del "$machine" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
for netns in "$machine" "$client"; do
  ip netns add "$netns"
  ip -n "$netns" link set lo up
done
ip -n "$machine" link add uplink type veth peer name eth0 netns "$client"
ip -n "$machine" addr add 192.0.2.1/24 dev uplink
ip -n "$machine" link set uplink up
ip -n "$client" addr add 192.0.2.2/24 dev eth0
ip -n "$client" link set eth0 up

make_image "$work/weft.tar" docker.io/library/weft:1 /bin/sh
make_image "$work/pause.tar" docker.io/library/pause:1 /bin/sleep 100000
ip netns exec "$machine" unshare --mount sh "$here/cri_node.sh" \
  "$work" "$bin/weft-cni" "$crictl" "$client" "${WEFT_CHURN:-200}"
echo "5 passed, 0 failed"
