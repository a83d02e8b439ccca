# containerd_setup.sh: Debian's containerd for a test, in the namespaces of whoever sources this.

# make_image TAR NAME COMMAND...: a docker archive with one layer, busybox and some of its links.
make_image() {
  tar=$1 image=$2
  shift 2
  command=$(printf '"%s",' "$@")
  build=$(mktemp -d)
  mkdir -p "$build/root/bin" "$build/root/proc" "$build/root/sys" "$build/root/dev" "$build/image"
  cp "$(command -v busybox)" "$build/root/bin/busybox"
  for applet in sh httpd wget ip echo mkdir sleep; do
    ln -s busybox "$build/root/bin/$applet"
  done
  tar -C "$build/root" -cf "$build/image/layer.tar" .
  layer=$(sha256sum "$build/image/layer.tar" | cut -d ' ' -f 1)
  cat >"$build/image/config.json" <<JSON
{"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": [${command%,}]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$layer"]}}
JSON
  cat >"$build/image/manifest.json" <<JSON
[{"Config": "config.json", "RepoTags": ["$image"], "Layers": ["layer.tar"]}]
JSON
  tar -C "$build/image" -cf "$tar" manifest.json config.json layer.tar
  rm -rf "$build"
}

# install_plugins WEFT_CNI: /opt/cni/bin with nothing but links to weft-cni, in this mount namespace.
install_plugins() {
  mount -t tmpfs tmpfs /opt
  "$1" install --bin-dir /opt/cni/bin >/dev/null
}

# A namespace whose /sys is its own shows no control groups, without which runc starts nothing:
# mounts what the machine has, version 2 or the controllers of version 1.
mount_control_groups() {
  if ! grep -q ' - cgroup cgroup ' /proc/1/mountinfo; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    return
  fi
  mount -t tmpfs tmpfs /sys/fs/cgroup
  sed -n 's/.* - cgroup cgroup rw,//p' /proc/1/mountinfo | while read -r controller; do
    folder=/sys/fs/cgroup/${controller#name=}
    mkdir -p "$folder"
    mount -t cgroup -o "$controller" cgroup "$folder"
  done
}

# start_containerd STATE_DIR [FLAGS...]: sets `containerd` and `socket`.
start_containerd() {
  state=$1
  shift
  mkdir -p "$state"
  socket=$state/containerd.sock
  containerd --root "$state/root" --state "$state/state" --address "$socket" "$@" \
    >"$state/containerd.log" 2>&1 &
  containerd=$!
  tries=0
  until run_ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$state/containerd.log" >&2; exit 1; }
    sleep 0.1
  done
}
run_ctr() { ctr --address "$socket" "$@"; }

need_programs() {
  for program in "$@"; do
    command -v "$program" >/dev/null || {
      echo "$0: $program is missing; run tools/install-deps test" >&2
      exit 1
    }
  done
}
