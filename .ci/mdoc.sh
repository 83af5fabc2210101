#!/usr/bin/env bash
# The mobile card beside other implementations, both ways: @auth0/mdl (npm) and pymdoccbor (PyPI). Needs node, npm and python3
# with venv; installs the packages below the artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
outside="$PWD/.ci/artifacts/mdoc"
mkdir -p "$outside"
if [ ! -d "$outside/node_modules/@auth0/mdl" ]; then
  (cd "$outside" && npm install --silent --no-audit --no-fund --ignore-scripts @auth0/mdl@3.0.1)
fi
if [ ! -x "$outside/venv/bin/python" ]; then
  python3 -m venv "$outside/venv"
  "$outside/venv/bin/pip" install -q pymdoccbor==1.4.0
fi
MDOC_NODE_PATH="$outside/node_modules" MDOC_PYTHON="$outside/venv/bin/python" \
  go test -count=1 -tags mdl -run Outside ./fourinfo/mdoc
