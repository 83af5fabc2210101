#!/usr/bin/env bash
# Several instances of one application with a real Redis, a real PostgreSQL, nginx and HAProxy, all on loopback and gone
# afterwards. Needs what .ci/servers.sh needs, and the Debian packages nginx-light and haproxy.
set -euo pipefail
cd "$(dirname "$0")/.."
.ci/servers.sh go test -count=1 -tags servers "$@"
# What several instances can do beside one: reported, not judged.
[ "$#" -ne 1 ] || .ci/servers.sh go test -count=1 -tags servers -run '^$' -bench Instances -benchtime 1x "$1"
