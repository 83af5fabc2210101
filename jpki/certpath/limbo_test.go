package certpath

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	flags "flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// opensslVersion is the one whose verdicts are recorded.
const opensslVersion = "3.0"

var updateLimbo = flags.Bool("update-limbo", false, "write testdata/limbo.md anew")

// limboCase is one case of x509-limbo, see testdata/README.md.
type limboCase struct {
	ID       string    `json:"id"`
	Valid    bool      `json:"valid"`
	Anchors  []string  `json:"anchors"`
	Pool     []string  `json:"pool"`
	Leaf     string    `json:"leaf"`
	At       time.Time `json:"at"`
	Purposes []string  `json:"purposes"`
	Kind     string    `json:"kind"`
	Depth    *int      `json:"depth"`
	Lists    []string  `json:"lists"`
}

func limboCases(t testing.TB) (cases []limboCase) {
	t.Helper()
	packed, err := os.ReadFile("testdata/limbo.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(unzipped).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func unarmored(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	return block.Bytes
}

// run validates the case; a certificate that cannot be read is not valid, and one of the pool that cannot is left out.
func (c *limboCase) run(strict bool) error {
	config := VerifierConfig{Strict: strict, AcceptOddSerials: !strict, Revocation: revocation.InsecureNoRevocation()}
	for _, text := range c.Anchors {
		a, err := ParseCertificate(unarmored(text))
		if err != nil {
			return err
		}
		config.Anchors = append(config.Anchors, a)
	}
	for _, text := range c.Pool {
		if p, err := ParseCertificate(unarmored(text)); err == nil {
			config.Pool = append(config.Pool, p)
		}
	}
	leaf, err := ParseCertificate(unarmored(c.Leaf))
	if err != nil {
		return err
	}
	var lists []*crl.Unverified
	for _, text := range c.Lists {
		u, err := crl.Parse(unarmored(text), crl.Options{AllowOddSerials: !strict})
		if err != nil {
			return err
		}
		lists = append(lists, u)
	}
	if len(c.Lists) > 0 {
		all, err := revocation.NewLists(lists...)
		if err != nil {
			return err
		}
		config.Revocation = revocation.Require(all)
	}
	if c.Depth != nil {
		if config.MaxIntermediates = *c.Depth; *c.Depth == 0 {
			config.MaxIntermediates = -1
		}
	}
	v, err := NewVerifier(config)
	if err != nil {
		return err
	}
	opts := []VerifyOption{At(c.At)}
	for _, p := range c.Purposes {
		last := map[string]int{"serverAuth": 1, "clientAuth": 2}[p]
		opts = append(opts, For(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, last}))
	}
	_, err = v.Verify(context.Background(), leaf, opts...)
	return err
}

// crypto is the verdict of crypto/x509, which knows no lists.
func (c *limboCase) crypto() error {
	roots, pool := x509.NewCertPool(), x509.NewCertPool()
	for _, text := range c.Anchors {
		roots.AppendCertsFromPEM([]byte(text))
	}
	for _, text := range c.Pool {
		pool.AppendCertsFromPEM([]byte(text))
	}
	leaf, err := x509.ParseCertificate(unarmored(c.Leaf))
	if err != nil {
		return err
	}
	usage := x509.ExtKeyUsageAny
	for _, p := range c.Purposes {
		usage = map[string]x509.ExtKeyUsage{"serverAuth": x509.ExtKeyUsageServerAuth,
			"clientAuth": x509.ExtKeyUsageClientAuth}[p]
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: c.At,
		KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

const (
	byStrict = "RFC 5280 binds the authority and does not tell others to refuse; a strict verifier does"
	byAnchor = "an anchor is trusted for its name and key (RFC 5280, 6.1.1 (d)), whatever its form is; a strict " +
		"verifier looks at it"
	byName = "a dNSName is compared as text; a strict verifier wants the preferred name syntax (RFC 5280, " +
		"4.2.1.6)"
	bySerial = "users are asked to handle them (RFC 5280, 4.1.2.2), and AcceptOddSerials does; a strict " +
		"verifier refuses"
	byHost        = "which host was asked for is the caller's business, and no host is asked for here"
	byEndEntity   = "a strict verifier wants a certificate that is no authority"
	byCrossSigned = "a strict verifier wants authorityKeyIdentifier in an anchor that is not self-signed"
)

// limboChoices explain every case that is decided otherwise than x509-limbo expects: by default, and by a strict
// verifier.
var limboChoices = map[string]struct{ lenient, strict string }{
	"rfc5280::aki::leaf-missing-aki":               {byStrict, ""},
	"rfc5280::aki::intermediate-missing-aki":       {byStrict, ""},
	"rfc5280::nc::permitted-dns-match-noncritical": {byStrict, ""},
	"rfc5280::nc::not-allowed-in-ee-noncritical":   {byStrict, ""},
	"rfc5280::nc::not-allowed-in-ee-critical":      {byStrict, ""},
	"rfc5280::pc::ica-noncritical-pc":              {byStrict, ""},
	"rfc5280::ski::intermediate-missing-ski":       {byStrict, ""},
	"rfc5280::leaf-ku-keycertsign":                 {byStrict, ""},
	"rfc5280::aki::critical-aki":                   {byAnchor, ""},
	"rfc5280::aki::cross-signed-root-missing-aki":  {byAnchor, ""},
	"rfc5280::ski::critical-ski":                   {byAnchor, ""},
	"rfc5280::ski::root-missing-ski":               {byAnchor, ""},
	"rfc5280::root-non-critical-basic-constraints": {byAnchor, ""},
	"rfc5280::nc::invalid-dnsname-leading-period":  {byName, ""},
	"rfc5280::san::underscore-dns":                 {byName, ""},
	"rfc5280::san::ip-in-dns":                      {byName, ""},
	"rfc5280::serial::zero":                        {bySerial, ""},
	"rfc5280::ca-as-leaf-wrong-san":                {byHost, ""},
	"rfc5280::ca-as-leaf":                          {"", byEndEntity},
	"pathlen::validation-ignores-pathlen-in-leaf":  {"", byEndEntity},
	"cve::cve-2024-0567":                           {"", byCrossSigned},
}

// TestLimbo decides every case as expected or for a reason that is written down, and keeps the table of those reasons.
func TestLimbo(t *testing.T) {
	cases := limboCases(t)
	word := map[bool]string{true: "valid", false: "refused"}
	var table strings.Builder
	agree := map[string]int{}
	fmt.Fprintf(&table, "# %d cases of x509-limbo\n\nGenerated by `go test ./jpki/certpath -run Limbo "+
		"-update-limbo`; `TestLimbo` fails when it is not up to date, and `TestOpenSSLLimbo` (build tag openssl) when "+
		"OpenSSL %s says something else than is recorded.\n\n", len(cases), opensslVersion)
	table.WriteString("Every case that one of us decides otherwise than expected:\n\n" +
		"| case | expected | by default | strict | crypto/x509 | openssl | openssl -x509_strict | why ours differs | " +
		"why OpenSSL differs |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	second := opensslSays(t)
	for i := range cases {
		c := &cases[i]
		errLenient, errStrict := c.run(false), c.run(true)
		lenient, strict, std := errLenient == nil, errStrict == nil, c.crypto() == nil
		other, recorded := second[c.ID]
		if !recorded {
			t.Errorf("%s: nothing is recorded of OpenSSL", c.ID)
		}
		for name, got := range map[string]bool{
			"default": lenient, "strict": strict, "crypto/x509": std, "openssl": other[0], "openssl strict": other[1],
		} {
			if got == c.Valid {
				agree[name]++
			}
		}
		choice := limboChoices[c.ID]
		if (lenient == c.Valid) != (choice.lenient == "") {
			t.Errorf("%s: %s by default, expected %s, explained by %q: %v", c.ID, word[lenient], word[c.Valid],
				choice.lenient, errLenient)
		}
		if (strict == c.Valid) != (choice.strict == "") {
			t.Errorf("%s: %s when strict, expected %s, explained by %q: %v", c.ID, word[strict], word[c.Valid],
				choice.strict, errStrict)
		}
		agreed := other == [2]bool{c.Valid, c.Valid}
		if agreed != (limboOpenSSL[c.ID] == "") {
			t.Errorf("%s: openssl says %v, expected %s, explained by %q", c.ID, other, word[c.Valid],
				limboOpenSSL[c.ID])
		}
		if lenient != c.Valid || strict != c.Valid || !agreed {
			why := choice.lenient
			if choice.strict != "" && choice.strict != why {
				why = strings.TrimPrefix(why+"; strict: "+choice.strict, "; ")
			}
			fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.ID, word[c.Valid], word[lenient],
				word[strict], word[std], word[other[0]], word[other[1]], why, limboOpenSSL[c.ID])
		}
	}
	fmt.Fprintf(&table, "\nAgreement: %d by default, %d strict, %d crypto/x509 (which knows no revocation lists), "+
		"%d openssl, %d openssl -x509_strict, of %d.\n", agree["default"], agree["strict"], agree["crypto/x509"],
		agree["openssl"], agree["openssl strict"], len(cases))
	if *updateLimbo {
		if err := os.WriteFile("testdata/limbo.md", []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile("testdata/limbo.md")
	if err != nil || string(kept) != table.String() {
		t.Errorf("testdata/limbo.md is not up to date: %v", err)
	}
}
