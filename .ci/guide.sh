#!/usr/bin/env bash
# The programs in Python and JavaScript of docs/getting-started.md, taken from the page and run as it says, at the simulated
# service: somebody logs in, the name is shown, and a callback that comes twice logs nobody in. The Japanese page shows the
# same programs.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$PWD/.ci/artifacts/guide"
rm -rf "$work" && mkdir -p "$work"
cp .ci/clients/package.json .ci/clients/package-lock.json "$work"
(cd "$work" && npm ci --no-audit --no-fund --silent)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet -r .ci/clients/requirements.txt
go build -o "$work/cardsim" ./cardsim/cmd/cardsim

take() { # take PAGE FILE: the block behind the mark
  awk -v mark="<!-- file: $2 -->" '$0 == mark { getline; on = 1; next } on && /^```$/ { exit } on' "$1"
}
for file in app.py app.mjs; do
  take docs/getting-started.md "$file" >"$work/$file"
  [ -s "$work/$file" ] || { echo "the page has no $file"; exit 1; }
  take docs/getting-started.ja.md "$file" | diff "$work/$file" - || { echo "the Japanese page shows another $file"; exit 1; }
done

# make_key LANGUAGE: the command of the page that makes a key, as it stands there and in the Japanese page.
make_key() {
  local command
  command=$(grep -- "^$1 -[ce] \"" docs/getting-started.md)
  [ "$command" = "$(grep -- "^$1 -[ce] \"" docs/getting-started.ja.md)" ] || { echo "the Japanese page makes another key"; exit 1; }
  (cd "$work" && PATH="$work/venv/bin:$PATH" bash -c "$command" && [ -s client-key.pem ] && [ -s client-key.pub.pem ])
}
make_key node
rm "$work/client-key.pem" "$work/client-key.pub.pem"
make_key python

cd "$work"
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT
./cardsim service -client-id RP00000001 -client-key client-key.pub.pem -redirect-url http://localhost:8080/auth/callback \
  -control control.token >service.out 2>service.log &
pids+=($!)

answers() { # answers URL: waits until somebody does
  for _ in $(seq 100); do
    curl --silent --output /dev/null "$1" && return 0
    sleep 0.1
  done
  echo "nobody answers at $1" && return 1
}

visit() { # visit NAME COMMAND…
  local name="$1" header location cookie callback app
  shift
  "$@" >"$name.log" 2>&1 &
  app=$!
  pids+=("$app")
  answers http://localhost:8080/ || { cat "$name.log"; return 1; }
  header=$(curl --silent --dump-header - --output /dev/null http://localhost:8080/)
  location=$(printf '%s' "$header" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  cookie=$(printf '%s' "$header" | tr -d '\r' | sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\).*/\1/p')
  callback=$(curl --silent http://127.0.0.1:9000/control/visits -H "Authorization: Bearer $(cat control.token)" \
    -H 'Content-Type: application/json' -d "{\"authorization_url\": \"$location\"}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["callback_url"])')
  curl --silent --fail -H "Cookie: $cookie" "$callback" | grep -q 花子 || { cat "$name.log"; return 1; }
  [ "$(curl --silent --output /dev/null --write-out '%{http_code}' -H "Cookie: $cookie" "$callback")" = 400 ]
  [ "$(curl --silent --output /dev/null --write-out '%{http_code}' "$callback")" = 400 ]
  kill "$app"
  wait "$app" 2>/dev/null || true
  echo "$name: logged in"
}
answers http://127.0.0.1:9000/readyz
visit Python ./venv/bin/python app.py
visit JavaScript node app.mjs
