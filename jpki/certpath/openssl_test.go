//go:build openssl

package certpath

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// The openssl program (3.0 or later) as second opinion.

// opensslVerify runs openssl verify on DER files and returns whether it accepts.
func opensslVerify(t *testing.T, at time.Time, anchor []byte, pool, lists [][]byte, target []byte,
	flags ...string) (bool, string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, items ...[]byte) string {
		var out []byte
		for _, item := range items {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: item})...)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	args := []string{"-CAfile", write("anchor.pem", "CERTIFICATE", anchor)}
	if len(pool) > 0 {
		args = append(args, "-untrusted", write("pool.pem", "CERTIFICATE", pool...))
	}
	if len(lists) > 0 {
		args = append(args, "-CRLfile", write("lists.pem", "X509 CRL", lists...))
	}
	return opensslRun(t, at, append(append(args, flags...), write("target.pem", "CERTIFICATE", target))...)
}

// opensslRun runs openssl verify as of a time, zero for now, with no anchors but those that it is given.
func opensslRun(t *testing.T, at time.Time, args ...string) (bool, string) {
	t.Helper()
	args = append([]string{"verify", "-no-CApath", "-no-CAstore"}, args...)
	if !at.IsZero() {
		args = slices.Insert(args, 1, "-attime", strconv.FormatInt(at.Unix(), 10))
	}
	out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput()
	return err == nil, string(out)
}

// Good and bad chains, where OpenSSL and this package must agree.
func TestOpenSSLAgreesOnChains(t *testing.T) {
	p1, p2 := asn1.ObjectIdentifier{1, 2, 3, 1}, asn1.ObjectIdentifier{1, 2, 3, 2}
	mappings := extDER(oidPolicyMappings, true, seq(seq(oidDER(p1...), oidDER(p2...))))
	permit := func(form names.Form, value string) []byte {
		return extDER(oidNameConstraints, true, seq(wrap(der.Tag0C, seq(general(form, value)))))
	}
	san := func(form names.Form, value string) []byte {
		return extDER(oidSubjectAltName, false, seq(general(form, value)))
	}
	explicit := func(c *VerifierConfig) { c.RequireExplicitPolicy, c.Policies = true, []asn1.ObjectIdentifier{p1} }
	before := noon().Add(-10 * day)
	for name, c := range map[string]struct {
		spoil func(root, sub, leaf *spec)
		set   func(c *VerifierConfig)
		lists []*listSpec
		want  bool
	}{
		"plain":             {want: true},
		"forged":            {spoil: func(_, _, leaf *spec) { leaf.signer = "stranger" }},
		"expired":           {spoil: func(_, _, leaf *spec) { leaf.notAfter = utcTime(noon().Add(-time.Hour)) }},
		"authority expired": {spoil: func(_, sub, _ *spec) { sub.notAfter = utcTime(noon().Add(-time.Hour)) }},
		"no authority":      {spoil: func(_, sub, _ *spec) { sub.without(oidBasicConstraints) }},
		"path length": {spoil: func(root, _, _ *spec) {
			root.without(oidBasicConstraints).with(extDER(oidBasicConstraints, true,
				seq([]byte{1, 1, 0xff}, integer(0))))
		}},
		"no keyCertSign": {spoil: func(_, sub, _ *spec) {
			sub.without(oidKeyUsage).with(
				extDER(oidKeyUsage, true, []byte{3, 2, 1, 2}))
		}},
		"critical unknown": {spoil: func(_, _, leaf *spec) {
			leaf.with(extDER(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0}))
		}},
		"encoding of the issuer": {spoil: func(_, _, leaf *spec) {
			leaf.issuer = seq(attr(cbasn1.PrintableString, "JP", 2, 5, 4, 6),
				attr(cbasn1.PrintableString, "TEST", 2, 5, 4, 10), attr(cbasn1.PrintableString, "  sub ", 2, 5, 4, 3))
		}, want: true},

		"dNSName permitted": {spoil: func(_, sub, leaf *spec) {
			sub.with(permit(names.FormDNS, "a.test"))
			leaf.with(san(names.FormDNS, "www.a.test"))
		}, want: true},
		"dNSName outside": {spoil: func(_, sub, leaf *spec) {
			sub.with(permit(names.FormDNS, "a.test"))
			leaf.with(san(names.FormDNS, "www.b.test"))
		}},
		"rfc822Name outside": {spoil: func(_, sub, leaf *spec) {
			sub.with(permit(names.FormEmail, "a.test"))
			leaf.with(san(names.FormEmail, "x@b.test"))
		}},
		"URI outside": {spoil: func(_, sub, leaf *spec) {
			sub.with(permit(names.FormURI, "a.test"))
			leaf.with(san(names.FormURI, "https://b.test/"))
		}},
		"iPAddress outside": {spoil: func(_, sub, leaf *spec) {
			sub.with(permit(names.FormIP, "\x0a\x00\x00\x00\xff\x00\x00\x00"))
			leaf.with(san(names.FormIP, "\x0b\x00\x00\x01"))
		}},
		"iPAddress permitted": {spoil: func(_, sub, leaf *spec) {
			sub.with(permit(names.FormIP, "\x0a\x00\x00\x00\xff\x00\x00\x00"))
			leaf.with(san(names.FormIP, "\x0a\x00\x00\x01"))
		}, want: true},
		"directoryName outside": {spoil: func(_, sub, _ *spec) {
			sub.with(permit(names.FormDirectory, string(dn("Else"))))
		}},

		"policy holds": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(p1))
			leaf.with(policiesExt(p1))
		}, set: explicit, want: true},
		"policy is missing": {spoil: func(_, sub, _ *spec) { sub.with(policiesExt(p1)) }, set: explicit},
		"another policy": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(p2))
			leaf.with(policiesExt(p2))
		}, set: explicit},
		"another, but not required": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(p2))
			leaf.with(policiesExt(p2))
		}, set: func(c *VerifierConfig) { c.Policies = []asn1.ObjectIdentifier{p1} }, want: true},
		"mapped": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(p1), mappings)
			leaf.with(policiesExt(p2))
		}, set: explicit, want: true},
		"mapping inhibited": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(p1), mappings)
			leaf.with(policiesExt(p2))
		}, set: func(c *VerifierConfig) { explicit(c); c.InhibitPolicyMapping = true }},
		"anyPolicy": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(oidAnyPolicy))
			leaf.with(policiesExt(p1))
		}, set: explicit, want: true},
		"anyPolicy inhibited": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(oidAnyPolicy))
			leaf.with(policiesExt(p1))
		}, set: func(c *VerifierConfig) { explicit(c); c.InhibitAnyPolicy = true }},
		"inhibited by the authority": {spoil: func(_, sub, leaf *spec) {
			sub.with(policiesExt(p1), extDER(oidInhibitAnyPolicy, true, integer(0)))
			leaf.with(policiesExt(oidAnyPolicy))
		}, set: explicit},

		"not revoked": {lists: []*listSpec{newList("A", "A"), newList("Sub", "sub")}, want: true},
		"revoked": {lists: []*listSpec{newList("A", "A"),
			newList("Sub", "sub", entry(leafSerial, before, 4))}},
		"on hold": {lists: []*listSpec{newList("A", "A"),
			newList("Sub", "sub", entry(leafSerial, before, 6))}},
		"authority revoked": {lists: []*listSpec{newList("A", "A", entry(1, before, 4)), newList("Sub", "sub")}},
		"no list":           {lists: []*listSpec{newList("A", "A")}},
		"forged list":       {lists: []*listSpec{newList("A", "A"), newList("Sub", "stranger")}},
		"list for users": {lists: []*listSpec{newList("A", "A"),
			newList("Sub", "sub").with(idp(flag(der.Tag1)))}, want: true},
		"list for authorities": {lists: []*listSpec{newList("A", "A"),
			newList("Sub", "sub").with(idp(flag(der.Tag2)))}},
		"list for another point": {lists: []*listSpec{newList("A", "A"),
			newList("Sub", "sub").with(idp(fullName(directory("P"))))}},
		"list for the point": {spoil: func(_, _, leaf *spec) { leaf.with(pointsExt(seq(fullName(directory("P"))))) },
			lists: []*listSpec{newList("A", "A"), newList("Sub", "sub").with(idp(fullName(directory("P"))))},
			want:  true},
		"critical in the list": {lists: []*listSpec{newList("A", "A"),
			newList("Sub", "sub").with(extDER(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0}))}},
	} {
		t.Run(name, func(t *testing.T) {
			root, sub, leaf := caSpec("A", "A", "A", "A"), caSpec("Sub", "sub", "A", "A"), leafSpec("EE", "Sub", "sub")
			if c.spoil != nil {
				c.spoil(root, sub, leaf)
			}
			rootDER, subDER, leafDER := root.der(), sub.der(), leaf.der()
			config := testConfig([]*Certificate{mustParse(t, rootDER)}, mustParse(t, subDER))
			if c.set != nil {
				c.set(&config)
			}
			flags := policyFlags(&config)
			var lists [][]byte
			if c.lists != nil {
				source := listsOf(t, c.lists)
				for _, l := range c.lists {
					lists = append(lists, l.der())
				}
				config.Revocation = revocation.Require(source)
				flags = append(flags, "-crl_check_all", "-extended_crl")
			}
			_, err := validate(t, config, mustParse(t, leafDER))
			theirs, out := opensslVerify(t, noon(), rootDER, [][]byte{subDER}, lists, leafDER, flags...)
			if (err == nil) != c.want || theirs != c.want {
				t.Errorf("want %v; this package: %v; OpenSSL: %v\n%s", c.want, err, theirs, out)
			}
		})
	}
}

func policyFlags(c *VerifierConfig) []string {
	flags := []string{"-policy_check"}
	if c.RequireExplicitPolicy {
		flags = append(flags, "-explicit_policy")
	}
	if c.InhibitPolicyMapping {
		flags = append(flags, "-inhibit_map")
	}
	if c.InhibitAnyPolicy {
		flags = append(flags, "-inhibit_any")
	}
	for _, p := range c.Policies {
		flags = append(flags, "-policy", p.String())
	}
	return flags
}

// The whole of PKITS through OpenSSL: where it disagrees with the suite, it is known why.
func TestOpenSSLAgreesOnPKITS(t *testing.T) {
	files := pkitsFiles(t)
	var differ []string
	for _, v := range pkitsVectors(t, files) {
		_, err := runPKITS(t, files, &v)
		config := VerifierConfig{RequireExplicitPolicy: v.InitialExplicitPolicy,
			InhibitPolicyMapping: v.InitialPolicyMappingInhibit, InhibitAnyPolicy: v.InitialAnyPolicyInhibit}
		for _, p := range v.InitialPolicySet {
			id := asn1.ObjectIdentifier{2, 5, 29, 32, 0}
			if p != "anyPolicy" {
				id = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 2, 1, 48, int(p[len(p)-1] - '0')}
			}
			config.Policies = append(config.Policies, id)
		}
		var pool, lists [][]byte
		last := len(v.CertPath) - 1
		for _, name := range v.CertPath[1:last] {
			pool = append(pool, files[name])
		}
		for _, name := range v.CRLPath {
			lists = append(lists, files[name])
		}
		flags := append(policyFlags(&config), "-crl_check_all", "-extended_crl", "-use_deltas", "-auth_level", "0")
		theirs, _ := opensslVerify(t, pkitsTime(), files[v.CertPath[0]], pool, lists, files[v.CertPath[last]], flags...)
		if theirs != (err == nil) {
			differ = append(differ, fmt.Sprintf("%s (OpenSSL: %v)", v.Name, theirs))
		}
	}
	for _, d := range differ {
		// OpenSSL 3.0 does not inherit the parameters of DSA keys, and does not let a signer stand on its own list.
		if !strings.HasPrefix(d, "4.1.5 ") && !strings.HasPrefix(d, "4.14.30 ") {
			t.Errorf("%s: this package and OpenSSL disagree", d)
		}
	}
	t.Logf("OpenSSL decides %d of 249 cases otherwise: %s", len(differ), strings.Join(differ, "; "))
}
