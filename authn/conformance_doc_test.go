package authn

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

// TestConformanceDocument: the document says what the tests check, no more and no less.
func TestConformanceDocument(t *testing.T) {
	path := filepath.Join("..", "docs", "conformance.md")
	want := conformanceDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Error("docs/conformance.md is stale: go test ./authn -run TestConformanceDocument -update")
	}
}

func conformanceDocument() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	modules := conformanceModules()
	line("# Conformance of authn")
	line("")
	line("Generated from the tests of package authn (`go test ./authn -run TestConformanceDocument -update`); a test fails when")
	line("it is stale. It records what this project's own tests show. It is not a certification: the OpenID Foundation's suite")
	line("has not been run, because it has no profile of this service.")
	line("")
	line("Each row of the first table is a subtest of `TestConformance` with the name of a module of the OpenID Foundation's")
	line("conformance suite (version 5.2.3), against a test provider that does what that module's provider does. For every")
	line("request the provider checks besides: `openid` among the scopes, the exact redirect URI, PKCE with S256, state and nonce")
	line("of 256 bits, the access token in the header and never in the query, and every rule for `private_key_jwt` (key, `iss`,")
	line("`sub`, `aud` as one string, `exp`, `iat`, a `jti` that is never used again, nothing beside it). Endpoints must use https")
	line("unless they are on the same machine. After a refused redirect there is no token request, after a refused ID token no")
	line("userinfo request.")
	line("")
	line("\"rejects (reason: check)\" names the error that a caller gets: `Error.Reason` and `Error.Check`.")
	line("")
	line("## Modules that apply")
	line("")
	line("| Plan | Name in the suite |")
	line("| --- | --- |")
	for _, p := range conformancePlans() {
		name, more, _ := strings.Cut(p.name, " ")
		line("%s", strings.TrimRight(fmt.Sprintf("| %s | `%s` %s", p.short, name, more), " ")+" |")
	}
	line("")
	line("| Module (%d) | Plans | The provider | The client |", len(modules))
	line("| --- | --- | --- | --- |")
	for _, m := range modules {
		line("| `%s` | %s | %s | %s |", m.name, plansOf(m.name), m.does, m.want)
	}
	line("")
	line("The plans leave two of them open: with several keys that fit and no `kid` this client refuses instead of trying each,")
	line("and it refuses `alg` none in the code flow, too. FAPI 2.0 also demands pushed authorization requests and sender-constrained")
	line("tokens, which the service does not document; the rows above are the rest of that plan.")
	line("")
	line("## Modules that cannot apply")
	line("")
	line("| Module | Plans | Why |")
	line("| --- | --- | --- |")
	seen := map[string]bool{}
	for _, p := range conformancePlans() {
		for _, m := range p.modules {
			if why := inapplicable(m); why != "" && !seen[m] {
				seen[m] = true
				line("| `%s` | %s | %s |", m, plansOf(m), why)
			}
		}
	}
	line("")
	line("## Bad ID tokens")
	line("")
	line("Correctly signed unless the row is about the signature; each is accepted by at least one widely used library, or close")
	line("to one that is. Subtests of `TestBadTokens`.")
	line("")
	line("| ID token | The client |")
	line("| --- | --- |")
	for _, r := range badTokens() {
		line("| %s | %s |", r.name, r.want)
	}
	line("")
	line("A string of the configuration never becomes a member of header or claims (`TestConfiguredStringsBecomeNoMembers`), and")
	line("nothing is inflated (`TestZipBombIsNotInflated`).")
	line("")
	line("## Bad answers of the token endpoint")
	line("")
	line("Code and assertion are sent once, to one host. Subtests of `TestBadAnswers`.")
	line("")
	line("| Answer | The client |")
	line("| --- | --- |")
	for _, r := range badAnswers() {
		line("| %s | %s |", r.name, r.want)
	}
	line("")
	line("## Faults of the network")
	line("")
	line("Each cell is a subtest of `TestFaultMatrix`: one endpoint has the fault during a login (the last three columns: during")
	line("the request for a service token, a refresh, and discovery). No call takes longer than the timeout of 10 s, code and assertion are")
	line("sent once, no word of the answer gets into the error, and the same client works as soon as the fault is gone.")
	line("")
	targets, verdicts := faultTargets(), faultVerdicts()
	b.WriteString("| Fault |")
	for _, target := range targets {
		b.WriteString(" " + target.name + " |")
	}
	line("\n|%s", strings.Repeat(" --- |", len(targets)+1))
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		b.WriteString("| " + name + " |")
		for _, target := range targets {
			short := strings.TrimSuffix(strings.TrimPrefix(verdicts[name][target.name], "rejects ("), ")")
			b.WriteString(" " + short + " |")
		}
		line("")
	}
	line("")
	line("Besides: answers that TLS cut off (`TestTruncatedTLS`), 10,000 bad tokens with at most one request for keys in each")
	line("cooldown of 30 s (`TestTenThousandBadTokens`), a service that is down for minutes (`TestServiceDownForMinutesThenBack`), keys")
	line("that cannot be had for hours (`TestKeysDownForHours`), keys that change just before they are used")
	line("(`TestKeyRotationJustBeforeSigning`), sandbox and production mixed up (`TestSandboxAndProductionDoNotMix`), a code from another")
	line("browser (`TestCodeInjectionAcrossBrowsers`), a callback delivered many times at once (`TestReplayedCallbackAtTheSameTime`), and")
	line("a state from another tab (`TestStateFromAnotherTab`, here and in package middleware).")
	return b.String()
}
