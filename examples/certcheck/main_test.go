package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/certpath"
)

// TestMain lets the test binary be the program itself.
func TestMain(m *testing.M) {
	if os.Getenv("CERTCHECK_MAIN") == "1" {
		main()
	}
	os.Exit(m.Run())
}

// certcheck runs the program in a process of its own.
func certcheck(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	c := exec.CommandContext(t.Context(), self, args...)
	c.Env = append(os.Environ(), "CERTCHECK_MAIN=1", "LC_ALL=C.UTF-8")
	c.Stdout, c.Stderr = &out, &errOut
	err = c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errOut.String()
}

// pkits unpacks the NIST test suite and returns a function from a file's name to its path.
func pkits(t *testing.T) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open("../../jpki/certpath/testdata/pkits.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return func(name string) string { return filepath.Join(dir, name) }
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err == nil && len(data) > 0 {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(header.Name)), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const pkitsTime = "2015-01-01T09:00:00+09:00"

func TestExitCodesAndReasons(t *testing.T) {
	at := pkits(t)
	anchor, good := at("TrustAnchorRootCertificate.crt"), at("GoodCACert.crt")
	base := []string{"-anchor", anchor, "-pool", good, "-time", pkitsTime}
	lists := []string{"-crl", at("TrustAnchorRootCRL.crl"), "-crl", at("GoodCACRL.crl")}
	leaf := at("ValidCertificatePathTest1EE.crt")
	args := func(parts ...[]string) (out []string) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	one := func(s ...string) []string { return s }
	for name, c := range map[string]struct {
		args []string
		code int
		want string // in the output
	}{
		"valid":    {args(base, lists, one(leaf)), 0, "VALID\n"},
		"japanese": {args(base, lists, one("-lang", "ja", leaf)), 0, "有効です"},
		"clauses are shown": {args(base, lists, one(leaf)), 0,
			"path.signature [certificate 2] (RFC 5280, 6.1.3 (a)(1))"},
		"revoked": {args(base, lists, one(at("InvalidRevokedEETest3EE.crt"))), 1,
			"A certificate has been revoked."},
		"revoked, in Japanese": {args(base, lists, one("-lang", "ja", at("InvalidRevokedEETest3EE.crt"))), 1,
			"証明書が失効しています。"},
		"list is missing": {args(base, lists[:2], one(leaf)), 1, "crl.covering"},
		"list is missing but may": {args(base, lists[:2], one("-revocation", "if-present", leaf)), 0,
			"not checked, because there is no revocation data"},
		"no revocation": {args(base, one("-revocation", "none", at("InvalidRevokedEETest3EE.crt"))), 0,
			"revocation was not checked"},
		"no path": {args(base, one("-revocation", "none",
			at("AllCertificatesSamePoliciesTest10EE.crt"))), 1, "path.issuer"},
		"negative serial number (PKITS 4.4.14)": {one("-anchor", anchor, "-pool", at("NegativeSerialNumberCACert.crt"),
			"-time", pkitsTime,
			"-crl", at("TrustAnchorRootCRL.crl"), "-crl", at("NegativeSerialNumberCACRL.crl"),
			at("ValidNegativeSerialNumberTest14EE.crt")), 0, "VALID"},
		"revoked negative serial number (PKITS 4.4.15)": {one("-anchor", anchor, "-pool",
			at("NegativeSerialNumberCACert.crt"), "-time", pkitsTime,
			"-crl", at("TrustAnchorRootCRL.crl"), "-crl", at("NegativeSerialNumberCACRL.crl"),
			at("InvalidNegativeSerialNumberTest15EE.crt")), 1, "A certificate has been revoked."},
		"malformed certificate": {args(base, one("-revocation", "none", at("GoodCACRL.crl"))), 1,
			"The certificate is malformed."},
		"policy holds": {args(base, lists, one("-policy", "2.16.840.1.101.3.2.1.48.1", "-require-explicit-policy",
			leaf)), 0,
			"Policies of the whole path: 2.16.840.1.101.3.2.1.48.1"},
		"policy does not hold": {args(base, lists, one("-policy", "2.16.840.1.101.3.2.1.48.2",
			"-require-explicit-policy", leaf)), 1,
			"path.policy-set"},
		"mapping": {one("-anchor", anchor, "-pool", at("Mapping1to2CACert.crt"), "-time", pkitsTime, "-revocation",
			"none",
			"-policy", "2.16.840.1.101.3.2.1.48.1", "-require-explicit-policy", at("ValidPolicyMappingTest1EE.crt")), 0,
			"VALID"},
		"mapping inhibited": {one("-anchor", anchor, "-pool", at("Mapping1to2CACert.crt"), "-time", pkitsTime,
			"-revocation", "none",
			"-policy", "2.16.840.1.101.3.2.1.48.1", "-require-explicit-policy", "-inhibit-policy-mapping",
			at("ValidPolicyMappingTest1EE.crt")), 1, "NOT VALID"},
		"anyPolicy": {one("-anchor", anchor, "-pool", at("anyPolicyCACert.crt"), "-time", pkitsTime, "-revocation",
			"none",
			"-policy", "2.16.840.1.101.3.2.1.48.1", "-require-explicit-policy", at("AnyPolicyTest14EE.crt")), 0,
			"VALID"},
		"anyPolicy inhibited": {one("-anchor", anchor, "-pool", at("anyPolicyCACert.crt"), "-time", pkitsTime,
			"-revocation", "none",
			"-policy", "2.16.840.1.101.3.2.1.48.1", "-require-explicit-policy", "-inhibit-any-policy",
			at("AnyPolicyTest14EE.crt")), 1, "NOT VALID"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := certcheck(t, c.args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want %d; %q is missing in:\n%s%s", code, c.code, c.want, out, errOut)
			}
			if strings.Contains(out, "Valid EE Certificate") {
				t.Error("the holder's name is printed")
			}
		})
	}
}

func TestUsage(t *testing.T) {
	at := pkits(t)
	anchor, leaf := at("TrustAnchorRootCertificate.crt"), at("ValidCertificatePathTest1EE.crt")
	for name, args := range map[string][]string{
		"nothing":            {},
		"help":               {"-h"}, // 0 would say that a certificate is valid
		"help as a file":     {"-anchor", anchor, "-revocation", "none", "-h"},
		"zero time":          {"-anchor", anchor, "-revocation", "none", "-time", "0001-01-01T00:00:00Z", leaf},
		"no certificate":     {"-anchor", anchor, "-revocation", "none"},
		"no anchor":          {"-revocation", "none", leaf},
		"two certificates":   {"-anchor", anchor, "-revocation", "none", leaf, leaf},
		"unknown flag":       {"-anchor", anchor, "-wrong", leaf},
		"bad time":           {"-anchor", anchor, "-revocation", "none", "-time", "yesterday", leaf},
		"bad policy":         {"-anchor", anchor, "-revocation", "none", "-policy", "1.x", leaf},
		"bad mode":           {"-anchor", anchor, "-revocation", "maybe", leaf},
		"bad language":       {"-anchor", anchor, "-revocation", "none", "-lang", "fr", leaf},
		"required, no data":  {"-anchor", anchor, leaf},
		"no such file":       {"-anchor", anchor, "-revocation", "none", at("nothing")},
		"no such anchor":     {"-anchor", at("nothing"), "-revocation", "none", leaf},
		"anchor is a list":   {"-anchor", at("GoodCACRL.crl"), "-revocation", "none", leaf},
		"anchor is no CA":    {"-anchor", leaf, "-revocation", "none", leaf},
		"no such list":       {"-anchor", anchor, "-crl", at("nothing"), leaf},
		"empty file name":    {"-anchor", "", "-revocation", "none", leaf},
		"no such pool":       {"-anchor", anchor, "-pool", at("nothing"), "-revocation", "none", leaf},
		"no such OCSP file":  {"-anchor", anchor, "-ocsp", at("nothing"), leaf},
		"PEM without a type": {"-anchor", anchor, "-revocation", "none", "main_test.go"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := certcheck(t, args...)
			if name == "PEM without a type" { // not PEM at all: malformed DER is an answer about the certificate
				if code != exitNotValid {
					t.Errorf("exit code %d", code)
				}
				return
			}
			if code != exitUsage || out != "" || errOut == "" {
				t.Errorf("exit code %d, output %q, %q", code, out, errOut)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	at := pkits(t)
	base := []string{"-json", "-anchor", at("TrustAnchorRootCertificate.crt"), "-pool", at("GoodCACert.crt"), "-time",
		pkitsTime,
		"-crl", at("TrustAnchorRootCRL.crl"), "-crl", at("GoodCACRL.crl")}
	for leaf, valid := range map[string]bool{"ValidCertificatePathTest1EE.crt": true,
		"InvalidRevokedEETest3EE.crt": false} {
		code, out, errOut := certcheck(t, append(base, at(leaf))...)
		var r report
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v: %s%s", err, out, errOut)
		}
		if r.Valid != valid || (code == 0) != valid || len(r.Path) != 3 || len(r.Steps) < 30 ||
			len(r.Revocation) != 2 || r.At == nil {
			t.Errorf("%s: code %d, %+v", leaf, code, r)
		}
		if !valid && (r.Problem == nil || r.Problem.Reason != "certificate revoked" || r.Problem.Certificate != 2 ||
			r.Problem.Messages["ja"] == "" ||
			r.Revocation[1].Status != "revoked" || r.Revocation[1].RevokedAt == nil) {
			t.Errorf("problem %+v", r.Problem)
		}
	}
}

// PEM files: several certificates in one, a chain behind the certificate, a list.
func TestPEM(t *testing.T) {
	at := pkits(t)
	dir := t.TempDir()
	write := func(name, kind string, files ...string) string {
		var out []byte
		for _, f := range files {
			der, err := os.ReadFile(at(f))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	chain := write("chain.pem", "CERTIFICATE", "ValidCertificatePathTest1EE.crt", "GoodCACert.crt")
	anchors := write("anchors.pem", "CERTIFICATE", "GoodsubCACert.crt", "TrustAnchorRootCertificate.crt")
	code, out, errOut := certcheck(t, "-anchor", anchors, "-time", pkitsTime, "-crl",
		write("root.pem", "X509 CRL", "TrustAnchorRootCRL.crl"),
		"-crl", write("good.pem", "X509 CRL", "GoodCACRL.crl"), chain)
	if code != 0 {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	code, _, _ = certcheck(t, "-anchor", write("wrong.pem", "X509 CRL", "TrustAnchorRootCRL.crl"), "-revocation",
		"none", chain)
	if code != exitUsage {
		t.Errorf("a list as anchor: exit code %d", code)
	}
	code, out, errOut = certcheck(t, "-anchor", anchors, "-time", pkitsTime, "-crl", at("BadCRLSignatureCACRL.crl"),
		chain)
	if code != exitNotValid || !strings.Contains(errOut, "left out") {
		t.Errorf("a list that cannot be read: exit code %d: %s%s", code, out, errOut)
	}
}

// DER that holds the PEM of another certificate is what it is, not what it holds.
func TestPEMInsideDER(t *testing.T) {
	at := pkits(t)
	good, err := os.ReadFile(at("ValidCertificatePathTest1EE.crt"))
	if err != nil {
		t.Fatal(err)
	}
	inner := append([]byte("\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good})...)
	outer := append([]byte{0x30, 0x82, byte(len(inner) >> 8), byte(len(inner))}, inner...)
	file := filepath.Join(t.TempDir(), "leaf")
	if err := os.WriteFile(file, outer, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := certcheck(t, "-anchor", at("TrustAnchorRootCertificate.crt"), "-pool", at("GoodCACert.crt"),
		"-time", pkitsTime, "-revocation", "none", file)
	if code != exitNotValid || !strings.Contains(out, "malformed") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}

// Names of files and flags may be an attacker's, who must not write on the terminal with them.
func TestNamesDoNotSteerTheTerminal(t *testing.T) {
	at := pkits(t)
	anchor, leaf := at("TrustAnchorRootCertificate.crt"), at("ValidCertificatePathTest1EE.crt")
	const evil = "x\x1b[2K\x1b]0;\x07\u009b1m\u202e\rVALID"
	broken := filepath.Join(t.TempDir(), evil)
	if err := os.WriteFile(broken, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"leaf":   {"-anchor", anchor, "-revocation", "none", evil},
		"flag":   {"-anchor", anchor, "-" + evil, leaf},
		"value":  {"-anchor", anchor, "-time", evil, leaf},
		"anchor": {"-anchor", broken, "-revocation", "none", leaf},
		"pool":   {"-anchor", anchor, "-revocation", "none", "-pool", broken, leaf},
		"list":   {"-anchor", anchor, "-crl", broken, leaf},
	} {
		code, out, errOut := certcheck(t, args...)
		if code == exitValid || strings.ContainsAny(out+errOut, "\x1b\x07\u009b\u202e\r") ||
			!strings.Contains(errOut, "VALID") {
			t.Errorf("%s: exit code %d: %q %q", name, code, out, errOut)
		}
	}
}

// What no trusted authority signed has no name in the report: anybody could have written it.
func TestNamesOfUnverifiedAuthorities(t *testing.T) {
	at := pkits(t)
	var path []*certpath.Certificate
	for _, name := range []string{"TrustAnchorRootCertificate.crt", "GoodCACert.crt",
		"ValidCertificatePathTest1EE.crt"} {
		der, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := certpath.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		path = append(path, c)
	}
	for _, ok := range []bool{false, true} {
		r := newReport(&certpath.Result{Path: path, Steps: []certpath.Step{
			{Name: "path.signature", Certificate: 1, OK: ok}}}, nil)
		if named := r.Path[1].Name != ""; named != ok || r.Path[0].Name == "" || r.Path[2].Name != "" {
			t.Errorf("signed: %v, %+v", ok, r.Path)
		}
	}
}

// A run that was interrupted has not found that the certificate is not valid.
func TestInterrupted(t *testing.T) {
	at := pkits(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"-anchor", at("TrustAnchorRootCertificate.crt"), "-pool", at("GoodCACert.crt"), "-time",
		pkitsTime, "-revocation", "none",
		at("ValidCertificatePathTest1EE.crt")}, &out, &errOut, func(string) string { return "" })
	if code != exitUsage || out.Len() > 0 || errOut.Len() == 0 {
		t.Errorf("exit code %d: %q %q", code, out.String(), errOut.String())
	}
}

// Every check that the library names has words in both languages.
func TestWordsForEveryStep(t *testing.T) {
	at := pkits(t)
	code, out, _ := certcheck(t, "-json", "-anchor", at("TrustAnchorRootCertificate.crt"), "-pool",
		at("deltaCRLCA1Cert.crt"), "-time", pkitsTime,
		"-crl", at("TrustAnchorRootCRL.crl"), "-crl", at("deltaCRLCA1CRL.crl"), "-crl", at("deltaCRLCA1deltaCRL.crl"),
		at("ValiddeltaCRLTest2EE.crt"))
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatal(err, code)
	}
	steps := r.Steps
	for _, a := range r.Revocation {
		steps = append(steps, a.Steps...)
	}
	for _, s := range steps {
		if w := stepWords[s.Name]; w.ja == "" || w.en == "" {
			t.Errorf("no words for %s", s.Name)
		}
	}
	for name, w := range stepWords {
		if w.ja == "" || w.en == "" {
			t.Errorf("no words for %s", name)
		}
	}
}
