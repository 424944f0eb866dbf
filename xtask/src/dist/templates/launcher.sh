#!/bin/sh
# Runs the executable for this machine. On Linux nothing is started to find out which: one exec.
self=$0
# A link that somebody put into their PATH; Codex calls the file itself.
[ -L "$self" ] && self=$(readlink -f "$self")
bin=${self%/*}
if [ -r /proc/sys/kernel/arch ]; then
  read -r machine < /proc/sys/kernel/arch
  system=Linux
else
  machine=$(uname -m)
  system=$(uname -s)
fi
case $system-$machine in
  Linux-x86_64) target=x86_64-unknown-linux-musl other=x86_64-unknown-linux-gnu ;;
  Linux-aarch64) target=aarch64-unknown-linux-musl other=aarch64-unknown-linux-gnu ;;
  Darwin-x86_64) target=x86_64-apple-darwin other= ;;
  Darwin-arm64) target=aarch64-apple-darwin other= ;;
  *) target= other= ;;
esac
for name in $target $other; do
  [ -x "$bin/$name/codex-tracing" ] && exec "$bin/$name/codex-tracing" "$@"
done
# A hook must never fail: Codex goes on, only without traces. Any other command should say so.
[ "$1" = hook ] && exit 0
echo "codex-tracing: this bundle has no executable for $system $machine" >&2
exit 1
