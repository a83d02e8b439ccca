#!/bin/sh
# cri_node.sh: what a kubelet asks of a runtime, on one machine whose plugins are all weft-cni.
#
#   cri_node.sh WORK_DIR WEFT_CNI CRICTL CLIENT_NETNS PODS
#
# Runs in the network namespace of the "machine", which CLIENT_NETNS reaches at 192.0.2.1, and in a
# mount namespace of its own. containerd serves the CRI; crictl asks what a kubelet asks.
set -eu
. "$(dirname "$0")/containerd_setup.sh"
work=$1 weft_cni=$2 crictl=$3 client=$4 pods=$5

fail() {
  echo "cri_test: $*" >&2
  tail -n 20 "$work/state/containerd.log" >&2
  exit 1
}
pass() { echo "ok   $*"; }

install_plugins "$weft_cni"
others=$(find /opt/cni/bin -type f ! -name weft-cni)
[ -z "$others" ] || fail "/opt/cni/bin holds $others"
mount_control_groups
mkdir -p "$work/net.d" "$work/logs"
cat >"$work/net.d/10-weft.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "weft", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$work/networks", "routes": [{"dst": "0.0.0.0/0"}],
            "ranges": [[{"subnet": "10.88.0.0/16"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}},
  {"type": "bandwidth", "capabilities": {"bandwidth": true}},
  {"type": "firewall"},
  {"type": "tuning"}]}
JSON
cat >"$work/config.toml" <<TOML
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "$work/net.d"
TOML
finish() {
  kill "$containerd" 2>/dev/null || true
  wait "$containerd" 2>/dev/null || true
}
trap finish EXIT
start_containerd "$work/state" --config "$work/config.toml"
for tar in "$work"/*.tar; do
  run_ctr --namespace k8s.io image import --snapshotter native "$tar" >/dev/null
done
cri() { "$crictl" --runtime-endpoint "unix://$socket" --timeout 60s "$@"; }

# pod NAME [MORE_JSON]: the configuration of a sandbox.
pod() {
  cat >"$work/$1.json" <<JSON
{"metadata": {"name": "$1", "namespace": "test", "uid": "uid-$1", "attempt": 0},
 "hostname": "$1", "log_directory": "$work/logs", "linux": {}${2:+, $2}}
JSON
  echo "$work/$1.json"
}
address_of() { cri inspectp --output go-template --template '{{.status.network.ip}}' "$1"; }
# serve POD_ID POD_JSON NAME: a container that answers HTTP with its name.
serve() {
  cat >"$work/container.json" <<JSON
{"metadata": {"name": "$3"}, "image": {"image": "docker.io/library/weft:1"},
 "command": ["/bin/sh", "-c",
   "mkdir /www && echo 'this is $3' > /www/index.html && httpd -f -p 80 -h /www"],
 "log_path": "$3.log", "linux": {}}
JSON
  container=$(cri create "$1" "$work/container.json" "$2")
  cri start "$container" >/dev/null
}
# reads URL: what a client outside of the machine gets.
reads() { ip netns exec "$client" curl -sf --max-time 2 "$1"; }
eventually_reads() {
  tries=0
  until [ "$(reads "$1")" = "$2" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || fail "$1 is not answered with: $2"
    sleep 0.1
  done
}

mapped=$(pod mapped '"port_mappings": [{"container_port": 80, "host_port": 18080}],
 "annotations": {"kubernetes.io/ingress-bandwidth": "8M", "kubernetes.io/egress-bandwidth": "4M"}')
pod_id=$(cri runp "$mapped") || fail "the pod did not start"
serve "$pod_id" "$mapped" first
eventually_reads http://192.0.2.1:18080/ "this is first"
[ "$(curl -sf --max-time 2 http://127.0.0.1:18080/)" = "this is first" ] ||
  fail "the machine itself does not reach the published port"
pass "a published port leads to the container, from outside and from the machine itself"

tc qdisc show | grep 'qdisc tbf' >"$work/shapers" || true
grep -q 'rate 8Mbit' "$work/shapers" || fail "nothing limits the pod to 8 Mbit/s: $(cat "$work/shapers")"
grep -q 'rate 4Mbit' "$work/shapers" || fail "nothing limits the pod to 4 Mbit/s: $(cat "$work/shapers")"
pass "the pod's annotations limit its bandwidth in both directions"

before=$(address_of "$pod_id")
cri stop "$container" >/dev/null && cri rm "$container" >/dev/null
serve "$pod_id" "$mapped" second
eventually_reads http://192.0.2.1:18080/ "this is second"
[ "$(address_of "$pod_id")" = "$before" ] || fail "the pod's address has changed"
pass "a container that is started again keeps the pod's address and port"

cri stopp "$pod_id" >/dev/null && cri rmp "$pod_id" >/dev/null
! reads http://192.0.2.1:18080/ >/dev/null || fail "the port still answers"
pass "a stopped pod gives its port back"

nft list ruleset >"$work/rules-before" 2>/dev/null
# The number of the pod is the last argument, $4: a sign for it could stand in a path as well.
seq "$pods" | xargs -P 4 -n 1 sh -c '
  config=$0/churn-$4.json
  sed "s/mapped/churn-$4/g; s/18080/$((20000 + $4))/" "$1" >"$config"
  id=$("$2" --runtime-endpoint "unix://$3" --timeout 60s runp "$config") &&
  "$2" --runtime-endpoint "unix://$3" --timeout 60s stopp "$id" >/dev/null &&
  "$2" --runtime-endpoint "unix://$3" --timeout 60s rmp "$id" >/dev/null ||
  echo "pod $4" >>"$0/failed"' "$work" "$mapped" "$crictl" "$socket"
[ ! -e "$work/failed" ] || fail "$(grep -c . "$work/failed") of $pods pods failed"
held=$(find "$work/networks/weft" -name '10.*' | grep -c . || true)
[ "$held" = 0 ] || fail "$held addresses are still held"
links=$(ip -o link show 2>&1 | grep -cE 'veth|bwp' || true)
[ "$links" = 0 ] || fail "$links devices are left: $(ip -o link show)"
nft list ruleset >"$work/rules-after" 2>/dev/null
diff "$work/rules-before" "$work/rules-after" || fail "rules are left"
pass "$pods pods came and went, and left no address, no device and no rule"
