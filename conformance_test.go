package kakunin_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

// The page counts what pages of other packages list. go generate takes this package first, so it has those pages made
// before it counts.
//
//go:generate go generate ./authn ./cardsim ./cardsim/daa ./middleware
//go:generate go test -run ^TestConformancePage$ -update .

// standard is a section of docs/conformance.md.
type standard struct {
	title  string
	counts func(t *testing.T) string // what is counted in the pages and data that the tests read
	tests  string
	where  string
	not    string // what is not claimed
}

var standards = []standard{
	{
		title: "OpenID Connect and FAPI 2.0: the client", counts: openIDModules,
		tests: "`authn: TestConformance`, `TestBadTokens`, `TestBadAnswers`, `TestFaultMatrix`",
		where: "[openid-conformance.md](openid-conformance.md), with the results of the suite itself",
		not: "A certification. What FAPI 2.0 asks beyond what the service documents: pushed authorization " +
			"requests and sender-constrained tokens. The suite itself was run by hand; on every change the " +
			"modules run as tests.",
	},
	{
		title: "FAPI 2.0: the simulated service", counts: serviceModules,
		tests: "`cardsim/daa: TestFAPI2`",
		where: "[service-conformance.md](service-conformance.md)",
		not: "The suite itself was not run: its plan begins with a pushed authorization request. That the real " +
			"service does the same: it is believed to be Keycloak, with which the simulator's handling of " +
			"assertions was compared.",
	},
	{
		title: "The card: JICSAP 1.1, ISO/IEC 7816-4, published measurements", counts: cardRows,
		tests: "`cardsim: TestFiles`, `TestConformance`, `TestSecureMessaging`",
		where: "[card-conformance.md](card-conformance.md)",
		not: "That a real card does the same where a row says **assumed**: the specification of its applications " +
			"is not public. No real card was used; what others measured is named with how sure it is.",
	},
	{
		title: "X.509 paths: NIST PKITS 1.0.1", counts: pkitsCases,
		tests: "`jpki/certpath: TestPKITS`",
		where: "[`jpki/certpath/testdata`](../jpki/certpath/testdata/README.md)",
		not: "PKITS has neither OCSP nor names of hosts. Package `jpki`, which judges people's cards by one " +
			"profile, is no general validator and does not run it.",
	},
	{
		title: "X.509 paths: x509-limbo", counts: limboAgreement,
		tests: "`jpki/certpath: TestLimbo`, with tag `openssl` `TestOpenSSLLimbo`",
		where: "[every case that somebody decides otherwise, with the reason](../jpki/certpath/testdata/limbo.md)",
		not: "The cases about the web's PKI and about names of hosts are not among them: this is no validator " +
			"for TLS. Where RFC 5280 binds authorities and not verifiers, the default is milder than the case " +
			"expects, and the table says so.",
	},
	{
		title: "Signatures: Project Wycheproof", counts: wycheproofVectors,
		tests: "`jpki/certpath: TestWycheproof`, `sign: TestWycheproofModes`",
		where: "[`jpki/certpath/testdata`](../jpki/certpath/testdata/README.md)",
		not: "Signatures that Wycheproof calls acceptable: they are refused. The arithmetic is Go's `crypto/rsa` " +
			"and `crypto/ecdsa`; what is tested is how they are called. Vectors for JSON Web Signatures are not " +
			"among them.",
	},
	{
		title: "OCSP: RFC 6960", counts: ocspCases,
		tests: "`jpki/revocation: TestOCSPKinds`, with tag `openssl` `TestOpenSSLOCSPKinds`, and the tests named above",
		where: "`go doc ./jpki/revocation`",
		not: "An official suite: there is none. The published cases of OpenSSL's own are of 2012 and signed with " +
			"SHA-1; they were made anew, each with the same thing wrong. What the responder of J-LIS answers was " +
			"never seen.",
	},
	{
		title: "OWASP ASVS 5.0", counts: asvsItems,
		tests: "named there, item by item",
		where: "[asvs.md](asvs.md)",
		not: "Items that are not named are the application's, not this module's. No level is claimed for an " +
			"application that uses it.",
	},
}

// TestConformancePage: the page counts what the tests run, no more and no less, and names tests that exist.
func TestConformancePage(t *testing.T) {
	want := conformancePage(t)
	golden.File(t, "docs/conformance.md", want)
	exist := testNames(t)
	for _, m := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w*`).FindAllString(string(want), -1) {
		if !exist[m] {
			t.Errorf("the page names %s, which does not exist", m)
		}
	}
}

// TestConformanceIsCountedLast: one run of go generate is enough, because every page that is counted has been made by
// then. Which package makes which page is in the table of docs/architecture.md.
func TestConformanceIsCountedLast(t *testing.T) {
	const counts = "//go:generate go test -run ^TestConformancePage$"
	before, _, found := strings.Cut(pageText(t, "conformance_test.go"), counts)
	if !found {
		t.Fatal("the page is not generated")
	}
	made := regexp.MustCompile(`(?m)^//go:generate go generate (.*)$`).FindStringSubmatch(before)
	if made == nil {
		t.Fatal("nothing is made before the page")
	}
	first := strings.Fields(made[1])
	makers := regexp.MustCompile("(?m)^\\| `docs/([a-z-]+\\.md)` \\| `(.*)/[a-z0-9_]+_test\\.go` \\|$")
	maker := map[string]string{}
	for _, m := range makers.FindAllStringSubmatch(pageText(t, "docs/architecture.md"), -1) {
		maker[m[1]] = "./" + m[2]
	}
	counted := 0
	for _, s := range standards {
		for _, m := range regexp.MustCompile(`\]\(([a-z-]+\.md)\)`).FindAllStringSubmatch(s.where, -1) {
			counted++
			if !slices.Contains(first, maker[m[1]]) {
				t.Errorf("docs/%s is counted, and %q does not make it before", m[1], maker[m[1]])
			}
		}
	}
	if counted < 4 || len(first) != counted {
		t.Errorf("%d pages are counted, made by %v", counted, first)
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	exist := map[string]bool{}
	for _, file := range sourceFiles(t) {
		if file.test {
			for name := range declarations(file.syntax) {
				exist[name] = true
			}
		}
	}
	return exist
}

func conformancePage(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("# Conformance\n\nMade by `go generate .` from the pages and data that the tests themselves " +
		"read and write; a test fails when it is stale.\nEach section says what is shown, by which test, and " +
		"what is **not claimed**. Nothing here is a certification.\n")
	for _, s := range standards {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n- tests: %s\n- in full: %s\n- not claimed: %s\n",
			s.title, s.counts(t), s.tests, s.where, s.not)
	}
	return b.Bytes()
}

func pageText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rowsUnder counts the rows of the tables below a heading, without their heads.
func rowsUnder(t *testing.T, text, heading string) int {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("no heading %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rowsOf(rest)
}

func rowsOf(text string) int {
	return strings.Count("\n"+text, "\n| ") - 2*strings.Count(text, "\n| --- |")
}

func openIDModules(t *testing.T) string {
	t.Helper()
	text := pageText(t, "docs/openid-conformance.md")
	m := regexp.MustCompile(`\| Module \((\d+)\)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("no modules")
	}
	return fmt.Sprintf("%s modules of the OpenID Foundation's plans for clients run as tests, %d that cannot "+
		"apply are "+
		"listed with the reason;\nbesides %d bad ID tokens, %d bad answers of the token endpoint, and %d faults "+
		"of the "+
		"network at each endpoint.", m[1], rowsUnder(t, text, "Modules that cannot apply"),
		rowsUnder(t, text, "Bad ID tokens"), rowsUnder(t, text, "Bad answers of the token endpoint"),
		rowsUnder(t, text, "Faults of the network"))
}

func serviceModules(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`\| Module \((\d+)\)`).FindStringSubmatch(pageText(t, "docs/service-conformance.md"))
	if m == nil {
		t.Fatal("no modules")
	}
	return m[1] + " modules of the plan for servers run as tests against the simulated service."
}

func cardRows(t *testing.T) string {
	t.Helper()
	text := pageText(t, "docs/card-conformance.md")
	return fmt.Sprintf("%d files, commands and sequences, each row a test; %d of them hold an assumption, %d a "+
		"correction by "+
		"a measurement.", rowsOf(text), strings.Count(text, "**assumed**"), strings.Count(text, "**measured**"))
}

func pkitsCases(t *testing.T) string {
	t.Helper()
	archive := tar.NewReader(unzipped(t, "jpki/certpath/testdata/pkits.tar.gz"))
	for {
		header, err := archive.Next()
		if err != nil {
			t.Fatal(err)
		}
		if path.Base(header.Name) != "vectors.json" {
			continue
		}
		var vectors []json.RawMessage
		if err := json.NewDecoder(archive).Decode(&vectors); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("All %d cases of the suite's document, with the official lists and revocation "+
			"required; a case "+
			"that has to fail must fail for\nthe reason that it is about.", len(vectors))
	}
}

func limboAgreement(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^Agreement: .*$`).FindString(pageText(t, "jpki/certpath/testdata/limbo.md"))
	if m == "" {
		t.Fatal("limbo.md has no agreement")
	}
	return "The cases about paths, path lengths and revocation lists. " + m
}

func wycheproofVectors(t *testing.T) string {
	t.Helper()
	var files []struct {
		Groups []struct{ Tests []struct{ Result string } }
	}
	if err := json.NewDecoder(unzipped(t, "jpki/certpath/testdata/wycheproof.json.gz")).Decode(&files); err != nil {
		t.Fatal(err)
	}
	results := map[string]int{}
	for _, file := range files {
		for _, group := range file.Groups {
			for _, test := range group.Tests {
				results[test.Result]++
			}
		}
	}
	return fmt.Sprintf("%d files for RSASSA-PKCS1-v1_5 and ECDSA: %d valid, %d invalid and %d acceptable "+
		"signatures, through "+
		"the function that verifies\ncertificates.", len(files), results["valid"], results["invalid"],
		results["acceptable"])
}

func ocspCases(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`len\(cases\) != (\d+)`).FindStringSubmatch(
		pageText(t, "jpki/revocation/ocsp_kinds_test.go"))
	if m == nil {
		t.Fatal("no cases")
	}
	var names []string
	for _, file := range sourceFiles(t) {
		if file.dir != "jpki/revocation" || !file.test {
			continue
		}
		for _, name := range regexp.MustCompile(`(?m)^func (TestOCSP\w+|FuzzParseResponse)\(`).FindAllStringSubmatch(
			pageText(t, file.name), -1) {
			names = append(names, "`"+name[1]+"`")
		}
	}
	return fmt.Sprintf("The %s cases of OpenSSL's own suite, made anew with SHA-256: answers of an authority and of a "+
		"responder, right and with one thing wrong.\nMore: %s.", m[1], strings.Join(names, ", "))
}

func asvsItems(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("%d items that a login middleware can keep, each with the tests that show it.",
		rowsOf(pageText(t, "docs/asvs.md")))
}

func unzipped(t *testing.T, name string) io.Reader {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
