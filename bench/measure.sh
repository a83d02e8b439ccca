# measure.sh: what benches of a daemon measure with; sourced by them.
#
# shellcheck shell=sh
# $agent is the daemon's process, $missed becomes 1 when a figure misses its target.

now_ms() { date +%s%3N; }

# memory FIELD: of the agent, in KB.
memory() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$agent/status"; }
in_mb() { awk -v kb="$1" 'BEGIN { printf "%.2f", kb / 1024 }'; }

# row FIGURE MEASURED UNIT TARGET
row() {
  mark=✓
  awk -v measured="$2" -v target="$4" 'BEGIN { exit !(measured > target) }' && mark=✗ && missed=1
  printf '%s %-52s | %10s %-2s | <= %s %s\n' "$mark" "$1" "$2" "$3" "$4" "$3"
}
# memory_row WHERE TARGET_MB
memory_row() {
  row "memory (VmRSS), $1" "$(in_mb "$(memory VmRSS)")" MB "$2"
  printf '  %-52s | %10s MB |\n' "  at its highest" "$(in_mb "$(memory VmHWM)")"
  printf '  %-52s | %10s MB |\n' "  its own (not file-backed)" "$(in_mb "$(memory RssAnon)")"
}
