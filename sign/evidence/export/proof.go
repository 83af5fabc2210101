package export

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

func itoa(n int) string { return strconv.Itoa(n) }

// noteParts takes a signed note with an Ed25519 signature apart, into what OpenSSL takes: what is signed, the
// signature, the public key. The note and the key were checked before.
func noteParts(signed []byte, public string) (body, signature, key []byte, err error) {
	malformed := &Error{Reason: ReasonRequest, Step: "checkpoint"}
	at := bytes.LastIndex(signed, []byte("\n\n"))
	name, rest, _ := strings.Cut(public, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	raw, errKey := base64.StdEncoding.DecodeString(encoded)
	if at < 0 || errKey != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, nil, nil, malformed
	}
	body = signed[:at+1]
	for line := range strings.Lines(string(signed[at+2:])) {
		value, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— "+name+" ")
		if !found {
			continue
		}
		// Four bytes name the key; the signature follows.
		b, errLine := base64.StdEncoding.DecodeString(value)
		if errLine == nil && len(b) == 4+ed25519.SignatureSize && ed25519.Verify(raw[1:], body, b[4:]) {
			signature = b[4:]
		}
	}
	info, errInfo := x509.MarshalPKIXPublicKey(ed25519.PublicKey(raw[1:]))
	if signature == nil || errInfo != nil {
		return nil, nil, nil, malformed
	}
	return body, signature, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: info}), nil
}

// rootOf says how the root follows from the leaf (RFC 9162, 2.1.3.2): for each hash of the path, whether it stands to
// the left. The hashes are named as the files that the commands read.
func rootOf(p evidence.Proof) (left []bool, hashes map[string][]byte, err error) {
	hashes = map[string][]byte{}
	node, last := p.Index, p.Size-1
	for i, text := range p.Path {
		hash, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, nil, &Error{Reason: ReasonRequest, Step: "proof", Err: err}
		}
		hashes["path-"+itoa(i+1)+".bin"] = hash
		onTheLeft := node&1 == 1 || node == last
		left = append(left, onTheLeft)
		for onTheLeft && node&1 == 0 && node != 0 {
			node, last = node>>1, last>>1
		}
		node, last = node>>1, last>>1
	}
	return left, hashes, nil
}
