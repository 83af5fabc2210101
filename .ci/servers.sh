#!/usr/bin/env bash
# .ci/servers.sh COMMAND…: runs a command with a real Redis and a real PostgreSQL, both on loopback and gone afterwards; the
# variables KAKUNIN_REDIS and KAKUNIN_POSTGRES say where they are. Needs the Debian packages redis-server and postgresql,
# and root (PostgreSQL itself runs as the user postgres).
set -euo pipefail
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
[ -x "$bin/initdb" ] || { echo "no PostgreSQL server" >&2; exit 1; }
data=$(mktemp -d)
chmod 711 "$data"
install -d -o postgres -g postgres -m 700 "$data/pg" "$data/socket"
redis=
stop() {
  [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
  runuser -u postgres -- "$bin/pg_ctl" -D "$data/pg" -m fast stop >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap stop EXIT

# A port that nobody has: asked of the kernel.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
redis_port=$(free_port)
postgres_port=$(free_port)

redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$data" >"$data/redis.log" 2>&1 &
redis=$!
runuser -u postgres -- "$bin/initdb" -D "$data/pg" -A trust -E UTF8 --no-sync >"$data/initdb.log" 2>&1 || { cat "$data/initdb.log"; exit 1; }
runuser -u postgres -- "$bin/pg_ctl" -D "$data/pg" -w -l "$data/socket/log" \
  -o "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$data/socket" start >/dev/null || { cat "$data/socket/log"; exit 1; }
for _ in $(seq 100); do
  redis-cli -p "$redis_port" ping >/dev/null 2>&1 && break
  kill -0 "$redis" 2>/dev/null || { cat "$data/redis.log"; exit 1; }
  sleep 0.1
done

export KAKUNIN_REDIS="127.0.0.1:$redis_port" KAKUNIN_POSTGRES="postgres://postgres@127.0.0.1:$postgres_port/postgres?sslmode=disable"
"$@"
