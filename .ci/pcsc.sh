#!/usr/bin/env bash
# The card in a reader: pcscd with the virtual reader driver, the software card plugged into it; OpenSC, pyscard, Java's
# smartcardio and our own PC/SC client as its users, openssl as the judge of what came out.
#
# Needs root, a JDK and the Debian packages pcscd, vsmartcard-vpcd, opensc, opensc-pkcs11, openssl, libpcsclite-dev,
# pkg-config, gcc, iproute2, util-linux and python3-pyscard (for Debian's own python3). Nothing is skipped: what cannot run is a failure. Everything happens in namespaces of its own (network:
# the reader driver listens on all interfaces; mount: /run/pcscd may belong to another pcscd; process: nothing stays
# behind). Logs go to .ci/artifacts/pcsc.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
out="$PWD/.ci/artifacts/pcsc"

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# Outside: check the tools, build with network, then enter the namespaces.
if [ "${1:-}" != --inside ]; then
  [ "$(id -u)" = 0 ] || fail "must run as root"
  for tool in go gcc pkg-config pcscd opensc-tool pkcs15-tool pkcs15-crypt pkcs11-tool openssl unshare ip mount java; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
  done
  pkg-config --exists libpcsclite || fail "libpcsclite-dev is not installed"
  /usr/bin/python3 -c 'import smartcard' || fail "python3-pyscard is not installed"
  rm -rf "$out"
  mkdir -p "$out" /run/pcscd
  go build -o "$out/cardsim" ./cardsim/cmd/cardsim
  CGO_ENABLED=1 go test -c -tags pcsc -o "$out/pcsc.test" ./jpki/card/pcsc
  CGO_ENABLED=1 go test -c -tags pcsc -o "$out/service.test" ./cardsim/cmd/cardsim
  CGO_ENABLED=1 go build -tags pcsc -o "$out/reader" ./examples/reader
  CGO_ENABLED=1 go test -c -tags pcsc -o "$out/sign.test" ./sign
  exec unshare --mount --net --pid --fork --kill-child --mount-proc bash "$PWD/.ci/pcsc.sh" --inside
fi

module=$(find /usr/lib -name opensc-pkcs11.so -path '*-linux-*' -print -quit)
[ -n "$module" ] || fail "opensc-pkcs11.so is not installed"
ip link set lo up
mount -t tmpfs tmpfs /run/pcscd

pids=()
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap cleanup EXIT

# until_true WHAT COMMAND… polls for at most ten seconds.
until_true() {
  local what="$1" i
  shift
  for ((i = 0; i < 100; i++)); do
    "$@" >"$out/wait.log" 2>&1 && return 0
    sleep 0.1
  done
  cat "$out/wait.log" >&2
  fail "$what"
}

# must NAME COMMAND… runs with a bound of a minute, keeps the output as NAME.log and fails with the command.
must() {
  local name="$1" status=0
  shift
  timeout 60 "$@" >"$out/$name.log" 2>&1 || status=$?
  [ "$status" = 0 ] || { tail -n 40 "$out/$name.log" >&2; fail "$name: exit status $status: $*"; }
  printf 'ok  %s\n' "$name"
}

# must_not is must for a command that has to be refused. A timeout is no refusal.
must_not() {
  local name="$1" status=0
  shift
  timeout 60 "$@" >"$out/$name.log" 2>&1 || status=$?
  [ "$status" != 0 ] || { cat "$out/$name.log" >&2; fail "$name: succeeded: $*"; }
  [ "$status" -lt 124 ] || fail "$name: exit status $status: $*"
  printf 'ok  %s (refused)\n' "$name"
}

# shows NAME PATTERN requires a line in the output of a step.
shows() {
  grep -qE -- "$2" "$out/$1.log" || { cat "$out/$1.log" >&2; fail "$1 does not show: $2"; }
}

# power_cycle removes power: a PIN that one program verified would stay verified for the next one.
power_cycle() { must power-cycle opensc-tool --reset=cold; }

start_pcscd() {
  pcscd --foreground --info >>"$out/pcscd.log" 2>&1 &
  pcscd=$!
  pids+=($!)
  until_true "pcscd does not listen" test -S /run/pcscd/pcscd.comm
}
start_pcscd

# The first card takes "insert" and "remove" from a pipe that stays open.
mkfifo "$out/control"
exec 3<>"$out/control"
"$out/cardsim" card -trace -control <"$out/control" >"$out/card.log" 2>"$out/card.err" &
pids+=($!)
until_true "no card in the virtual reader" opensc-tool --atr --reader 0

must atr opensc-tool --atr --reader 0
shows atr '3b:f5:91:00:ff:91:81:71:fe:40:00:42:00:01:00:d1:d6'
must name opensc-tool --name --reader 0
shows name '^jpki$'

# The PKCS #15 view: two PINs, two keys, four certificates.
must dump pkcs15-tool --dump
shows dump 'PIN \[User Authentication PIN\]'
shows dump 'PIN \[Digital Signature PIN\]'
[ "$(grep -c '^X.509 Certificate' "$out/dump.log")" = 4 ] || fail "dump: four certificates expected"
[ "$(grep -c '^Private RSA Key' "$out/dump.log")" = 2 ] || fail "dump: two private keys expected"

# Certificates: 1 authentication, 3 and 4 the CAs are free; 2 for signing is behind the password.
power_cycle
must_not certificate-2-without-password pkcs15-tool --read-certificate 2
for id in 1 3 4; do must "certificate-$id" pkcs15-tool --read-certificate "$id" --output "$out/$id.pem"; done
must certificate-2 pkcs15-tool --verify-pin --auth-id 2 --pin ABC123 --read-certificate 2 --output "$out/2.pem"
for id in 1 2 3 4; do must "parse-$id" openssl x509 -in "$out/$id.pem" -noout -subject -issuer -serial -dates; done
for id in 1 2; do openssl x509 -in "$out/$id.pem" -noout -pubkey >"$out/$id.pub"; done
must chain-1 openssl verify -CAfile "$out/3.pem" "$out/1.pem"
must chain-2 openssl verify -CAfile "$out/4.pem" "$out/2.pem"
must_not chain-crossed openssl verify -CAfile "$out/4.pem" "$out/1.pem"
[ "$(md5sum "$out"/[1-4].pem | cut -d' ' -f1 | sort -u | wc -l)" = 4 ] || fail "four different certificates expected"

# Signatures with both keys, checked by openssl with the certificates' keys.
printf 'a document to sign\n' >"$out/document"
openssl dgst -sha256 -binary -out "$out/digest" "$out/document"
pkcs11=(pkcs11-tool --module "$module")
power_cycle
must_not sign-without-pin "${pkcs11[@]}" --slot-index 0 --sign --id 01 -m SHA256-RSA-PKCS -i "$out/document" -o "$out/none.sig"
for bits in 256 384 512; do
  must "sign-1-sha$bits" "${pkcs11[@]}" --slot-index 0 -l --pin 1234 --sign --id 01 -m "SHA$bits-RSA-PKCS" -i "$out/document" -o "$out/1-$bits.sig"
  must "check-1-sha$bits" openssl dgst "-sha$bits" -verify "$out/1.pub" -signature "$out/1-$bits.sig" "$out/document"
  must "sign-2-sha$bits" "${pkcs11[@]}" --slot-index 1 -l --pin ABC123 --sign --id 02 -m "SHA$bits-RSA-PKCS" -i "$out/document" -o "$out/2-$bits.sig"
  must "check-2-sha$bits" openssl dgst "-sha$bits" -verify "$out/2.pub" -signature "$out/2-$bits.sig" "$out/document"
done
must_not check-crossed openssl dgst -sha256 -verify "$out/2.pub" -signature "$out/1-256.sig" "$out/document"
must sign-1-pkcs15 pkcs15-crypt --sign --key 1 --pin 1234 --sha-256 --pkcs1 --raw --input "$out/digest" --output "$out/1-15.sig"
must check-1-pkcs15 openssl dgst -sha256 -verify "$out/1.pub" -signature "$out/1-15.sig" "$out/document"
must sign-2-pkcs15 pkcs15-crypt --sign --key 2 --pin ABC123 --sha-256 --pkcs1 --raw --input "$out/digest" --output "$out/2-15.sig"
must check-2-pkcs15 openssl dgst -sha256 -verify "$out/2.pub" -signature "$out/2-15.sig" "$out/document"
# Without a hash algorithm the card pads the 32 bytes themselves: the bare hash.
must sign-2-bare pkcs15-crypt --sign --key 2 --pin ABC123 --pkcs1 --raw --input "$out/digest" --output "$out/2-bare.sig"
must check-2-bare openssl pkeyutl -verify -pubin -inkey "$out/2.pub" -sigfile "$out/2-bare.sig" -in "$out/digest" -pkeyopt rsa_padding_mode:pkcs1
OPENSC_FILES="$out" must opensc-signatures "$out/sign.test" -test.count=1 -test.run OpenSC -test.v
shows opensc-signatures 'PASS: TestOpenSCSignatures'
must check-2-cms openssl cms -verify -binary -inform DER -in "$out/2.p7s" -content "$out/document" -CAfile "$out/4.pem" -purpose any -out "$out/2.content"
must self-test "${pkcs11[@]}" --slot-index 0 -l --pin 1234 --test
shows self-test '^No errors$'

# A wrong PIN costs a try, is shown, and the right one gives the tries back.
power_cycle
tries() { # tries NAME USER SIGNATURE: the counters as OpenSC shows them
  must "$1" pkcs15-tool --list-pins
  [ "$(sed -n 's/^[[:space:]]*Tries left *: *//p' "$out/$1.log" | tr '\n' ' ')" = "$2 $3 " ] || { cat "$out/$1.log" >&2; fail "$1: tries $2 and $3 expected"; }
}
tries tries-before 3 5
must_not wrong-pin "${pkcs11[@]}" --slot-index 0 -l --pin 9999 --sign --id 01 -m SHA256-RSA-PKCS -i "$out/document" -o "$out/none.sig"
shows wrong-pin 'CKR_PIN_INCORRECT'
must_not wrong-password "${pkcs11[@]}" --slot-index 1 -l --pin WRONG1 --sign --id 02 -m SHA256-RSA-PKCS -i "$out/document" -o "$out/none.sig"
shows wrong-password 'CKR_PIN_INCORRECT'
[ ! -s "$out/none.sig" ] || fail "a signature without the right PIN"
tries tries-after 2 4
must right-pin pkcs15-tool --verify-pin --auth-id 1 --pin 1234
must right-password pkcs15-tool --verify-pin --auth-id 2 --pin ABC123
tries tries-restored 3 5

# How long a program of its own takes to read one certificate.
power_cycle
start=$(date +%s%N)
for _ in 1 2 3 4 5 6 7 8 9 10; do pkcs15-tool --read-certificate 1 >"$out/timing.log" 2>&1; done
printf 'info pkcs15-tool --read-certificate: %d ms, mean of ten\n' $((($(date +%s%N) - start) / 10000000)) | tee "$out/timing.txt"

# Our own client through pcscd.
power_cycle
(cd jpki/card/pcsc && must client "$out/pcsc.test" -test.count=1 -test.v -test.timeout=60s)
shows client '^PASS$'
! grep -qE '^(=== RUN|---).*SKIP' "$out/client.log" || fail "a test of the client was skipped"
grep -qE '^--- PASS' "$out/client.log" || fail "no test of the client ran"

must client-bench bash -c "cd jpki/card/pcsc && exec '$out/pcsc.test' -test.run '^\$' -test.bench Certificate -test.benchtime 200x"
grep -h '^Benchmark' "$out/client-bench.log"

# The example for a reader: it finds the card and shows, with the PIN, that the four attributes can be read.
power_cycle
must reader bash -c "printf '1234\n' | '$out/reader' -attributes -wait 15s"
shows reader 'kind: My Number Card'
shows reader 'name: \(not shown\)'
! grep -q 1234 "$out/reader.log" || fail "reader: the PIN is shown"

# Two more PC/SC stacks. The first one measures, too.
power_cycle
must pyscard /usr/bin/python3 .ci/readers/pyscard_check.py 0 --latency "$out/timing.txt"
grep -h '^info' "$out/pyscard.log"
power_cycle
must smartcardio java "-Dsun.security.smartcardio.library=$(find /usr/lib -name libpcsclite.so.1 -print -quit)" .ci/readers/Smartcardio.java 0

# The card goes out of the reader and comes back, and pcscd is started anew, while the card's program runs on.
no_card() { ! opensc-tool --atr --reader "$1"; }
for round in 1 2 3; do
  echo remove >&3
  until_true "the card did not leave the reader" no_card 0
  echo insert >&3
  until_true "the card did not come back" opensc-tool --atr --reader 0
done
must after-insertion pkcs15-tool --read-certificate 1
kill "$pcscd"
wait "$pcscd" || true
rm -f /run/pcscd/pcscd.comm
start_pcscd
until_true "no card after pcscd was started anew" opensc-tool --atr --reader 0
must after-restart pkcs15-tool --read-certificate 1

# A card whose PINs are blocked, in the second reader: no tries left, no login.
"$out/cardsim" card -vpcd 127.0.0.1:35964 -kind blocked-pins >"$out/card-blocked.log" 2>"$out/card-blocked.err" &
blocked=$!
until_true "no card in the second virtual reader" opensc-tool --atr --reader 1
must blocked pkcs15-tool --reader 1 --list-pins
[ "$(grep -c 'Tries left *: *0$' "$out/blocked.log")" = 2 ] || { cat "$out/blocked.log" >&2; fail "blocked: no tries expected"; }
must_not blocked-pin "${pkcs11[@]}" --slot-index 2 -l --pin 1234 --sign --id 01 -m SHA256-RSA-PKCS -i "$out/document" -o "$out/none.sig"
shows blocked-pin 'C_Login failed' # OpenSC has no name for 6984, which real cards answer here; it knows 6983
must blocked-certificate pkcs15-tool --reader 1 --read-certificate 1
kill "$blocked"
wait "$blocked" || true
until_true "the blocked card did not leave the second reader" no_card 1

# The simulated service, whose phone reads the second reader.
(cd cardsim/cmd/cardsim && must service "$out/service.test" -test.count=1 -test.v -test.run '^TestPhoneReadsAReader$' -test.timeout=60s)
shows service '^--- PASS: TestPhoneReadsAReader'
until_true "the service's card did not leave the second reader" no_card 1

# A second card in the second reader, with the one ATR that OpenSC knows by heart.
"$out/cardsim" card -vpcd 127.0.0.1:35964 -person taro -atr 3BE000FF8131FE4514 >"$out/card-2.log" 2>"$out/card-2.err" &
pids+=($!)
until_true "no card in the second virtual reader" opensc-tool --atr --reader 1
must atr-2 opensc-tool --atr --reader 1
shows atr-2 '3b:e0:00:ff:81:31:fe:45:14'
must name-2 opensc-tool --name --reader 1
shows name-2 '^jpki$'
must certificate-reader-2 pkcs15-tool --reader 1 --read-certificate 1 --output "$out/reader-2.pem"
must parse-reader-2 openssl x509 -in "$out/reader-2.pem" -noout -subject
! cmp -s "$out/reader-2.pem" "$out/1.pem" || fail "both readers show the same card"

# In the trace of all this every VERIFY is either the empty form or masked.
grep -qE '^> 002000..[*][*]$' "$out/card.log" || fail "the trace shows no VERIFY"
! grep -E '^> ..2[04]' "$out/card.log" | grep -vE '^> 002000(80|91|98|9B)([*][*])?$' >"$out/unmasked.log" || fail "a PIN is in the trace"
printf 'ok  card in a reader\n'
