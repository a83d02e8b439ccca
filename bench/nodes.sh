# nodes.sh: bridges with nodes and pods on them, in network namespaces, for benches of a path;
# sourced by them.
#
# shellcheck shell=sh
# A cluster is called by one word, and has a hub and the nodes 1 and 2. Everything goes away with
# the bench.
work=$(mktemp -d /tmp/weft-bench-XXXXXX)
path_bench=$PWD/build/bin/path_bench
processes=
spaces=

space() { echo "wb$$-$1"; }
add_space() {
  ip netns add "$(space "$1")"
  spaces="$spaces $(space "$1")"
}
clean_up() {
  for process in $processes; do kill "$process" 2>/dev/null || true; done
  wait
  for space in $spaces; do ip netns del "$space" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# start NAMESPACE LOG COMMAND...: in the background, until the bench ends; sets started.
start() {
  namespace=$1 log=$2
  shift 2
  ip netns exec "$namespace" "$@" >>"$log" 2>&1 &
  started=$!
  processes="$processes $started"
}
wait_for() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { echo "$0: in vain: $*" >&2; exit 2; }
    sleep 0.05
  done
}

# wire CLUSTER: a hub and two nodes.
wire() {
  hub=$(space "$1-hub")
  add_space "$1-hub"
  ip -n "$hub" link set lo up
  ip -n "$hub" link add name br0 type bridge
  ip -n "$hub" addr add 192.0.2.254/24 dev br0
  ip -n "$hub" link set br0 up
  for n in 1 2; do
    node=$(space "$1-node$n")
    add_space "$1-node$n"
    ip -n "$node" link set lo up
    ip -n "$node" link add eth0 type veth peer name port$n netns "$hub"
    ip -n "$hub" link set port$n master br0 up
    ip -n "$node" link set eth0 up
    ip -n "$node" addr add 192.0.2.$n/24 dev eth0
    ip netns exec "$node" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  done
}

# start_etcd CLUSTER BACKEND: in its hub, with a net-conf.json of that type; sets etcd.
start_etcd() {
  etcd=http://192.0.2.254:2379
  start "$(space "$1-hub")" "$work/$1.etcd.log" etcd --data-dir "$work/$1-etcd" \
    --listen-client-urls $etcd --advertise-client-urls $etcd --log-level error \
    --listen-peer-urls http://127.0.0.1:2380
  # /coreos.com/network/config
  config=$(printf '{"Network":"10.244.0.0/16","Backend":{"Type":"%s"}}' "$2" | base64 -w 0)
  wait_for ip netns exec "$(space "$1-hub")" curl -sf $etcd/v3/kv/put \
    -d "{\"key\":\"L2NvcmVvcy5jb20vbmV0d29yay9jb25maWc=\",\"value\":\"$config\"}"
}

# add_pods CLUSTER: a pod on each node, as its subnet.env says; the second one serves.
add_pods() {
  for n in 1 2; do
    node=$(space "$1-node$n")
    pod=$(space "$1-pod$n")
    wait_for test -s "$work/$1$n/subnet.env"
    . "$work/$1$n/subnet.env"
    gateway=${FLANNEL_SUBNET%/*}
    add_space "$1-pod$n"
    ip -n "$node" link add cni0 mtu "$FLANNEL_MTU" type bridge
    ip -n "$node" addr add "$FLANNEL_SUBNET" dev cni0
    ip -n "$node" link set cni0 up
    ip -n "$node" link add pod mtu "$FLANNEL_MTU" type veth \
      peer name eth0 mtu "$FLANNEL_MTU" netns "$pod"
    ip -n "$node" link set pod master cni0 up
    ip -n "$pod" link set eth0 up
    ip -n "$pod" addr add "${gateway%.*}.9/24" dev eth0
    ip -n "$pod" route add default via "$gateway"
    echo "${gateway%.*}.9" >"$work/$1$n/pod"
  done
  start "$(space "$1-pod2")" "$work/$1.serve" "$path_bench" serve
  wait_for measure "$1" rtt 1
}
# measure CLUSTER JOB...: what path_bench prints in the first pod, towards the second one.
measure() {
  ip netns exec "$(space "$1-pod1")" "$path_bench" "$2" "$(cat "$work/${1}2/pod")" "$3"
}
