#!/usr/bin/env bash
# OpenID clients of other makes, each in its default configuration, log in and sign at "cardsim service", which is run from
# a file, over https, and steered through the control API: npm openid-client, PyPI Authlib, the Nimbus SDK for Java.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$PWD/.ci/artifacts/clients"
rm -rf "$work" && mkdir -p "$work"
cp .ci/clients/* "$work"

(cd "$work" && npm ci --no-audit --no-fund --silent)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet -r "$work/requirements.txt"
(cd "$work" && mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory=lib)
go build -o "$work/cardsim" ./cardsim/cmd/cardsim

"$work/venv/bin/python" "$work/prepare.py" "$work"
"$work/cardsim" service -config "$work/service.json" >"$work/service.out" 2>"$work/service.log" &
service=$!
trap 'kill "$service" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  grep -q '^listening on ' "$work/service.out" && break
  kill -0 "$service" 2>/dev/null || { cat "$work/service.out" "$work/service.log"; exit 1; }
  sleep 0.1
done
BASE=$(sed -n 's/^listening on //p' "$work/service.out")
[ -n "$BASE" ] || { echo "the service does not listen"; exit 1; }
DIR="$work" CA="$work/tls/ca.pem"
export BASE DIR NODE_EXTRA_CA_CERTS="$CA" REQUESTS_CA_BUNDLE="$CA"
keytool -importcert -noprompt -alias cardsim -file "$CA" -keystore "$work/trust.p12" -storepass changeit >/dev/null 2>&1

failed() { tail -n 20 "$work/service.log"; exit 1; }
node "$work/login.mjs" || failed
"$work/venv/bin/python" "$work/login.py" || failed
java -Djavax.net.ssl.trustStore="$work/trust.p12" -Djavax.net.ssl.trustStorePassword=changeit -cp "$work/lib/*" "$work/Login.java" || failed
curl --silent --fail --cacert "$CA" "$BASE/readyz" >/dev/null
kill -TERM "$service" && wait "$service"
trap - EXIT
