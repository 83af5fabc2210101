//go:build openssl

package timestamp_test

import (
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

func openssl(t *testing.T, dir string, arguments ...string) (output string, ok bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "openssl", arguments...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err == nil
}

func must(t *testing.T, dir string, arguments ...string) {
	t.Helper()
	if out, ok := openssl(t, dir, arguments...); !ok {
		t.Fatalf("openssl %s: %s", strings.Join(arguments, " "), out)
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// authorityConfig is one of `openssl ts`, with an intermediate authority between root and timestamping certificate.
const authorityConfig = `[tsa]
dir = .
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
certs = ./intermediate.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.1
other_policies = 1.3.6.1.4.1.32473.2
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = %s
ess_cert_id_alg = %s
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[stamp]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
`

// OpenSSL stamps, we verify: `openssl ts` with RSA and ECDSA, both versions of the signing certificate attribute, an
// intermediate authority that the token brings along.
func TestOpenSSLStamps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key        []string
		chain, ess string
		hash       crypto.Hash
	}{
		"RSA, ESSCertIDv2":         {[]string{"-algorithm", "RSA"}, "no", "sha256", crypto.SHA256},
		"RSA, ESSCertID":           {[]string{"-algorithm", "RSA"}, "no", "sha1", crypto.SHA512},
		"RSA, ESSCertIDv2 SHA-512": {[]string{"-algorithm", "RSA"}, "yes", "sha512", crypto.SHA384},
		"ECDSA, ESSCertIDv2 of the path": {[]string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"}, "yes",
			"sha256", crypto.SHA256},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "tsa.cnf", fmt.Appendf(nil, authorityConfig, c.chain, c.ess))
			write(t, dir, "serial", []byte("01\n"))
			write(t, dir, "message", message)
			for _, one := range [...]struct{ name, issuer, section string }{
				{"root", "root", "authority"}, {"intermediate", "root", "authority"}, {"tsa", "intermediate", "stamp"},
			} {
				must(t, dir, append([]string{"genpkey", "-out", one.name + ".key"}, c.key...)...)
				must(t, dir, "req", "-new", "-key", one.name+".key", "-subj", "/O=TSA-TEST/CN="+one.name, "-out",
					one.name+".csr")
				signer := []string{"-CA", one.issuer + ".pem", "-CAkey", one.issuer + ".key", "-CAcreateserial"}
				if one.name == "root" {
					signer = []string{"-signkey", "root.key"}
				}
				must(t, dir, append([]string{
					"x509", "-req", "-in", one.name + ".csr", "-days", "30", "-sha256", "-extfile", "tsa.cnf",
					"-extensions", one.section,
					"-out", one.name + ".pem",
				}, signer...)...)
			}
			stamp := func(r timestamp.Request) []byte {
				query, err := r.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, "query.tsq", query)
				must(t, dir, "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "query.tsq", "-out",
					"reply.tsr")
				return read(t, dir, "reply.tsr")
			}
			r := request()
			r.Hash, r.Digest = c.hash, signeddata.Sum(c.hash, message)
			token, err := timestamp.ParseResponse(stamp(r))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(read(t, dir, "root.pem"))
			anchor, err := certpath.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			v := verifier(t, shared(), func(c *timestamp.VerifierConfig) {
				c.Anchors, c.Now = []*certpath.Certificate{anchor}, time.Now
			})
			got, err := v.Verify(t.Context(), token, timestamp.Expect{Request: r,
				NotBefore: time.Now().Add(-time.Minute)})
			if err != nil {
				t.Fatalf("%v (%v)", err, errors.Unwrap(err))
			}
			if got.Accuracy != 1500*time.Millisecond+100*time.Microsecond ||
				got.Policy.String() != "1.3.6.1.4.1.32473.1" {
				t.Errorf("accuracy %v, policy %v", got.Accuracy, got.Policy)
			}
			other := r
			other.Digest = make([]byte, len(r.Digest))
			if _, err := v.Verify(t.Context(), token, timestamp.Expect{Request: other}); !errors.Is(err,
				&timestamp.Error{Reason: timestamp.ReasonImprint}) {
				t.Errorf("another message: %v", err)
			}
			// What OpenSSL refuses is a refusal here.
			r.Policy = timestamping.Policy()
			_, err = timestamp.ParseResponse(stamp(r))
			var refused *timestamp.Error
			if !errors.As(err, &refused) || refused.Reason != timestamp.ReasonRefused ||
				refused.Detail != "the policy is not accepted" {
				t.Errorf("a policy that it does not have: %v", err)
			}
		})
	}
}

// We stamp, OpenSSL verifies: the requests and the test authority's tokens are what others read.
func TestOpenSSLVerifiesStamps(t *testing.T) {
	t.Parallel()
	elliptic, err := timestamping.New(timestamping.Config{Now: clock, ECDSA: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*timestamping.Authority{"RSA": shared(), "ECDSA": elliptic} {
		dir := t.TempDir()
		query, err := request().Marshal()
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "query.tsq", query)
		write(t, dir, "message", message)
		write(t, dir, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw}))
		write(t, dir, "reply.tsr", a.Answer(query, timestamping.Faults{}))
		token, err := timestamp.ParseResponse(read(t, dir, "reply.tsr"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "token.tst", token.Raw())
		at := strconv.FormatInt(now.Unix(), 10)
		verify := func(arguments ...string) (string, bool) {
			return openssl(t, dir, append([]string{"ts", "-verify", "-CAfile", "root.pem", "-attime", at},
				arguments...)...)
		}
		for _, arguments := range [][]string{
			{"-queryfile", "query.tsq", "-in", "reply.tsr"}, {"-data", "message", "-in", "token.tst", "-token_in"},
		} {
			if out, ok := verify(arguments...); !ok {
				t.Errorf("%s: %v: %s", name, arguments, out)
			}
		}
		for fault, f := range map[string]timestamping.Faults{
			"not critical": {NotCritical: true}, "stranger": {Stranger: true},
			"value": {Signed: func(p *timestamping.Signed) { p.Value[len(p.Value)-1] ^= 1 }},
		} {
			write(t, dir, "reply.tsr", a.Answer(query, f))
			if out, ok := verify("-queryfile", "query.tsq", "-in", "reply.tsr"); ok {
				t.Errorf("%s: %s: accepted by OpenSSL: %s", name, fault, out)
			}
		}
	}
}
