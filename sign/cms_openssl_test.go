//go:build openssl

package sign_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/sign"
)

// cmsFiles are the document, the signer and the authority as files for other programs.
type cmsFiles struct{ dir, document, certificate, key, authority string }

func newCMSFiles(t *testing.T, w *world) cmsFiles {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	text := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	key, err := x509.MarshalPKCS8PrivateKey(w.key)
	if err != nil {
		t.Fatal(err)
	}
	return cmsFiles{
		dir, write("document.txt", []byte(document)), write("signer.pem", text("CERTIFICATE", w.cert)),
		write("key.pem", text("PRIVATE KEY", key)),
		write("ca.pem", text("CERTIFICATE", w.jpki.SigningCA().Certificate().Raw)),
	}
}

func run(t *testing.T, name string, arguments ...string) (output string, ok bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, arguments...).CombinedOutput()
	return string(out), err == nil
}

// made checks what another program signed.
func (w *world) made(t *testing.T, cms []byte) {
	t.Helper()
	o, err := sign.ParseCMS(cms, w.cert)
	if err != nil {
		t.Fatal(err)
	}
	v := w.verifier(t)
	if _, err := v.Verify(t.Context(), o, expect(sign.ModeDigestInfo)); err != nil {
		t.Error(err)
	}
	other := sign.Expect{Document: strings.NewReader(document + "."), Mode: sign.ModeDigestInfo}
	if _, err := v.Verify(t.Context(), o, other); err == nil {
		t.Error("another document is accepted")
	}
}

// OpenSSL signs, we verify: with and without signed attributes.
func TestOpenSSLSignsCMS(t *testing.T) {
	t.Parallel()
	w := shared()
	f := newCMSFiles(t, w)
	for name, options := range map[string][]string{
		"attributes":             {},
		"no attributes":          {"-noattr"},
		"key identifier":         {"-keyid"},
		"no certificates":        {"-nocerts"},
		"CAdES":                  {"-cades"},
		"with the authority":     {"-certfile", f.authority},
		"several, and no S/MIME": {"-cades", "-keyid", "-nosmimecap"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "signature.p7s")
			text, ok := run(t, "openssl", append([]string{
				"cms", "-sign", "-binary", "-md", "sha256", "-in", f.document, "-signer", f.certificate, "-inkey",
				f.key,
				"-outform", "DER", "-out", out,
			}, options...)...)
			if !ok {
				t.Fatal(text)
			}
			cms, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			w.made(t, cms)
		})
	}
	// The elder command, and what is refused by name.
	for _, c := range []struct {
		name, detail string
		before       []string
		after        []string
	}{
		{"smime", "", []string{"smime", "-md", "sha256"}, nil},
		{"inside", "the content is inside: a detached signature is expected",
			[]string{"cms", "-md", "sha256", "-nodetach"}, nil},
		{"streamed", "the content is inside: a detached signature is expected",
			[]string{"cms", "-md", "sha256", "-stream"}, nil},
		{"SHA-1", "not RSASSA-PKCS1-v1_5 with SHA-256", []string{"cms", "-md", "sha1"}, nil},
		{"SHA-384", "not RSASSA-PKCS1-v1_5 with SHA-256", []string{"cms", "-md", "sha384"}, nil},
		{"PSS", "not RSASSA-PKCS1-v1_5 with SHA-256", []string{"cms", "-md", "sha256"},
			[]string{"-keyopt", "rsa_padding_mode:pss"}},
		{"two signers", "not exactly one signer", []string{"cms", "-md", "sha256", "-nocerts"},
			[]string{"-signer", f.certificate, "-inkey", f.key}},
	} {
		out := filepath.Join(t.TempDir(), "signature.p7s")
		arguments := append(slices.Clone(c.before), "-sign", "-binary", "-in", f.document, "-outform", "DER", "-out",
			out,
			"-signer", f.certificate, "-inkey", f.key)
		if text, ok := run(t, "openssl", append(arguments, c.after...)...); !ok {
			t.Fatal(text)
		}
		cms, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if c.detail == "" {
			w.made(t, cms)
			continue
		}
		var refused *sign.Error
		if _, err := sign.ParseCMS(cms); !errors.As(err, &refused) || refused.Detail != c.detail {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// cmsOf writes what the verifier accepted.
func (w *world) cmsOf(t *testing.T, attributes []byte) []byte {
	t.Helper()
	o, err := sign.ParseCMS(signeddata.Write(w.parts(t, attributes)))
	if err != nil {
		t.Fatal(err)
	}
	report, err := w.verifier(t).Verify(t.Context(), o, expect(sign.ModeDigestInfo))
	if err != nil {
		t.Fatal(err)
	}
	cms, err := sign.CMS(report, w.jpki.SigningCA().Certificate().Raw)
	if err != nil {
		t.Fatal(err)
	}
	return cms
}

// We write, OpenSSL verifies.
func TestOpenSSLVerifiesCMS(t *testing.T) {
	t.Parallel()
	w := shared()
	f := newCMSFiles(t, w)
	other := filepath.Join(f.dir, "other.txt")
	if err := os.WriteFile(other, []byte(document+"."), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, attributes := range map[string][]byte{"no attributes": nil, "attributes": attributesFor(t, document)} {
		file := filepath.Join(t.TempDir(), "signature.p7s")
		if err := os.WriteFile(file, w.cmsOf(t, attributes), 0o600); err != nil {
			t.Fatal(err)
		}
		verify := func(content string) (string, bool) {
			return run(t, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", file, "-content", content,
				"-CAfile", f.authority, "-purpose", "any", "-attime", strconv.FormatInt(now.Unix(), 10), "-out",
				os.DevNull)
		}
		if text, ok := verify(f.document); !ok {
			t.Errorf("%s: %s", name, text)
		}
		if text, ok := verify(other); ok {
			t.Errorf("%s: another document: %s", name, text)
		}
	}
}

// pyHanko signs and we verify; we write and pyHanko verifies. PYHANKO_PYTHON is a Python that has it.
func TestPyHankoCMS(t *testing.T) {
	python := os.Getenv("PYHANKO_PYTHON")
	if python == "" {
		t.Fatal("PYHANKO_PYTHON names no Python with pyHanko")
	}
	w := shared()
	f := newCMSFiles(t, w)
	script, err := filepath.Abs("testdata/pyhanko_cms.py")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(f.dir, "signature.p7s")
	if text, ok := run(t, python, script, "sign", f.document, f.certificate, f.key, out); !ok {
		t.Fatal(text)
	}
	cms, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	w.made(t, cms)
	moment := now.Format("2006-01-02T15:04:05-07:00")
	for name, attributes := range map[string][]byte{
		"no attributes": nil, "attributes": attributesFor(t, document, signingCertificate(t, w.cert)),
	} {
		if err := os.WriteFile(out, w.cmsOf(t, attributes), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, ok := run(t, python, script, "verify", f.document, f.authority, moment, out); !ok {
			t.Errorf("%s: %s", name, text)
		}
		altered := w.parts(t, attributes)
		altered.Value = bytes.Clone(altered.Value)
		altered.Value[9] ^= 1
		if err := os.WriteFile(out, signeddata.Write(altered), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, ok := run(t, python, script, "verify", f.document, f.authority, moment, out); ok {
			t.Errorf("%s: accepts another value: %s", name, text)
		}
	}
}
