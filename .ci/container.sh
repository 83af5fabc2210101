#!/usr/bin/env bash
# The container file without a container engine: its build command runs, and the program runs where there is nothing else
# (no libc, no certificates, no time zones, no writable place), as a user without rights, and answers. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
file=cardsim/cmd/cardsim/Containerfile
root=$(mktemp -d)
service=
stop() {
  [ -z "$service" ] || kill "$service" 2>/dev/null || true
  rm -rf "$root"
}
trap stop EXIT
command=$(sed -n 's/^RUN //p' "$file")
[ "$(grep -c '^RUN ' "$file")" = 1 ] && grep -q '^FROM scratch$' "$file" && grep -q '^USER 65534:65534$' "$file"
bash -c "${command//-o \/cardsim/-o $root/cardsim}"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | openssl pkey -pubout >"$root/client.pem"
chmod 755 "$root"
chmod 644 "$root/client.pem"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
chroot --userspec=65534:65534 "$root" /cardsim service -addr "127.0.0.1:$port" \
  -client-id RP00000001 -client-key /client.pem -redirect-url http://127.0.0.1/callback >"$root/log" 2>&1 &
service=$!
for _ in $(seq 150); do
  if curl -fsS "http://127.0.0.1:$port/healthz" >/dev/null 2>&1; then
    curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null
    echo "answers"
    exit 0
  fi
  kill -0 "$service" 2>/dev/null || { cat "$root/log"; exit 1; }
  sleep 0.2
done
cat "$root/log"
exit 1
