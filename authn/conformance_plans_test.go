package authn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

// conformancePlan is one of the OpenID Foundation's plans for relying parties with its modules in order, of version
// 5.2.3 of the suite.
type conformancePlan struct {
	short, name string
	modules     []string
}

func prefixed(prefix string, names ...string) []string {
	for i, n := range names {
		names[i] = prefix + n
	}
	return names
}

func conformancePlans() []conformancePlan {
	const core, secure = "oidcc-client-test", "fapi2-security-profile-final-client-test-"
	return []conformancePlan{
		{"Basic", "oidcc-client-basic-certification-test-plan",
			prefixed(core, "", "-invalid-iss", "-missing-sub", "-invalid-aud",
				"-missing-iat", "-kid-absent-single-jwks", "-kid-absent-multiple-jwks", "-idtoken-sig-rs256",
				"-idtoken-sig-none",
				"-invalid-sig-rs256", "-userinfo-invalid-sub", "-nonce-invalid", "-scope-userinfo-claims",
				"-client-secret-basic")},
		{"Config", "oidcc-client-config-certification-test-plan", prefixed(core, "-discovery-openid-config",
			"-discovery-jwks-uri-keys", "-discovery-issuer-mismatch", "-idtoken-sig-none",
			"-signing-key-rotation-just-before-signing", "-signing-key-rotation")},
		{"Comprehensive", "oidcc-client-test-plan", prefixed(core, "", "-nonce-invalid", "-client-secret-basic",
			"-scope-userinfo-claims", "-kid-absent-single-jwks", "-kid-absent-multiple-jwks", "-missing-iat",
			"-missing-aud",
			"-invalid-aud", "-idtoken-sig-none", "-idtoken-sig-rs256", "-missing-sub", "-invalid-sig-rs256",
			"-invalid-iss",
			"-userinfo-invalid-sub", "-userinfo-bearer-header", "-userinfo-bearer-body", "-nonce-unless-code-flow",
			"-missing-chash", "-invalid-chash", "-invalid-athash", "-missing-athash", "-form-post-error",
			"-invalid-sig-hs256",
			"-invalid-sig-es256", "-aggregated-claims", "-distributed-claims", "-mtls-endpoint-aliases",
			"-discovery-openid-config", "-discovery-jwks-uri-keys", "-discovery-issuer-mismatch",
			"-signing-key-rotation-just-before-signing", "-signing-key-rotation", "-discovery-webfinger-acct",
			"-discovery-webfinger-url", "-dynamic-registration", "-request-uri-signed-rs256",
			"-request-uri-signed-none",
			"-userinfo-signed")},
		{"Refresh", "oidcc-client-refreshtoken-test-plan", prefixed(core, "-refresh-token",
			"-refresh-token-invalid-issuer",
			"-refresh-token-invalid-sub")},
		{"FAPI 2.0", "fapi2-security-profile-final-client-test-plan", append(prefixed(secure, "happy-path",
			"discovery-issuer-mismatch", "invalid-iss", "invalid-aud", "invalid-secondary-aud", "invalid-null-alg",
			"invalid-alternate-alg", "invalid-expired-exp", "invalid-missing-exp", "invalid-missing-aud",
			"invalid-missing-iss",
			"valid-aud-as-array", "invalid-nonce", "invalid-missing-nonce", "invalid-authorization-response-iss",
			"remove-authorization-response-iss", "ensure-authorization-response-with-invalid-state-fails",
			"ensure-authorization-response-with-invalid-missing-state-fails",
			"token-endpoint-response-without-expires_in",
			"token-type-case-insensitivity", "rs-dpop-auth-scheme-case-insensitivity", "happy-path-no-dpop-nonce",
			"invalid-openbanking-intent-id"), "fapi2-security-profile-final-client-refresh-token-test")},
		{"Message signing", "fapi2-message-signing-final-client-test-plan (what it has beyond FAPI 2.0)",
			prefixed(secure,
				"ensure-jarm-without-iss-fails", "ensure-jarm-with-invalid-iss-fails", "ensure-jarm-without-aud-fails",
				"ensure-jarm-with-invalid-aud-fails", "ensure-jarm-without-exp-fails",
				"ensure-jarm-with-expired-exp-fails",
				"ensure-jarm-with-invalid-sig-fails", "ensure-jarm-signature-is-not-none")},
		{"Third-party login", "oidcc-client-test-3rd-party-init-login-test-plan",
			prefixed(core, "-3rd-party-init-login")},
		{"Logout", "oidcc-client-logout-test-plan (with the profiles of the four kinds of logout)",
			prefixed(core, "-rp-init-logout",
				"-rp-init-logout-no-state", "-rp-init-logout-other-state", "-rp-backchannel-rpinitlogout",
				"-rp-backchannel-rpinitlogout-alg-none", "-rp-backchannel-rpinitlogout-wrong-alg",
				"-rp-backchannel-rpinitlogout-no-event", "-rp-backchannel-rpinitlogout-wrong-event",
				"-rp-backchannel-rpinitlogout-with-nonce", "-rp-backchannel-rpinitlogout-wrong-aud",
				"-rp-backchannel-rpinitlogout-wrong-iss", "-rp-frontchannel-rpinitlogout",
				"-rp-frontchannel-opinitlogout",
				"-session-management")},
	}
}

// inapplicable says why a module cannot apply; empty for one that does.
func inapplicable(module string) string {
	const core = "oidcc-client-test-"
	name, _ := strings.CutPrefix(module, core)
	switch {
	case name == "client-secret-basic":
		return "the service takes private_key_jwt only; there is no client secret"
	case name == "userinfo-bearer-body":
		return "tokens are sent in the header only, which every userinfo endpoint must take"
	case strings.HasSuffix(name, "-chash"):
		return "c_hash belongs to the hybrid flow; the service has the code flow only"
	case name == "aggregated-claims" || name == "distributed-claims":
		return "the service sends the attributes itself"
	case name == "mtls-endpoint-aliases":
		return "for clients that authenticate by TLS certificate"
	case strings.HasPrefix(name, "discovery-webfinger-"):
		return "one issuer, known beforehand"
	case name == "dynamic-registration":
		return "clients are registered by contract"
	case strings.HasPrefix(name, "request-uri-"):
		return "the service documents no request objects"
	case name == "3rd-party-init-login":
		return "logins begin at the relying party"
	case strings.HasPrefix(name, "rp-") || name == "session-management":
		return "the service documents no logout; the session is the application's own"
	case strings.HasSuffix(module, "rs-dpop-auth-scheme-case-insensitivity"):
		return "the service issues bearer tokens, without DPoP"
	case strings.Contains(module, "-ensure-jarm-"):
		return "the service documents no signed authorization responses (JARM)"
	case strings.HasSuffix(module, "invalid-openbanking-intent-id"):
		return "for Open Banking UK only"
	}
	return ""
}

// suiteSays is what the suite itself says of a module that this project runs all the same; empty for most. The variants
// of the run were the code flow and the default response mode.
func suiteSays(module string) string {
	switch strings.TrimPrefix(module, "oidcc-client-test-") {
	case "invalid-athash", "missing-athash", "nonce-unless-code-flow":
		return "not applicable to the code flow"
	case "form-post-error":
		return "not applicable without the response mode form_post"
	case "idtoken-sig-none":
		return "skipped when the client refuses"
	}
	return ""
}

// What the page says of the suite's own run fits its tables: the rows that the suite does not call inapplicable are as
// many as it ran, and what it skipped is one of them.
func TestConformanceFitsTheSuite(t *testing.T) {
	ran, skipped := map[string]int{}, map[string]int{}
	for _, p := range conformancePlans() {
		for _, m := range p.modules {
			switch said := suiteSays(m); {
			case inapplicable(m) != "" || strings.HasPrefix(said, "not applicable"):
			case said != "":
				skipped[p.short]++
			default:
				ran[p.short]++
			}
		}
	}
	for plan, passed := range map[string]int{"Comprehensive": 22, "Config": 5} {
		if ran[plan] != passed || skipped[plan] != 1 {
			t.Errorf("%s: %d rows of modules that ran, %d skipped", plan, ran[plan], skipped[plan])
		}
	}
}

// Every module of every plan is run or has a reason why not, and nothing is run that no plan has.
func TestConformancePlansAreCovered(t *testing.T) {
	run := map[string]bool{}
	for _, m := range conformanceModules() {
		if run[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		run[m.name] = true
	}
	planned := map[string]bool{}
	for _, p := range conformancePlans() {
		for _, m := range p.modules {
			planned[m] = true
			if why := inapplicable(m); run[m] == (why != "") {
				t.Errorf("%s: run %v, inapplicable %q", m, run[m], why)
			}
		}
	}
	for name := range run {
		if !planned[name] {
			t.Errorf("%s is in no plan", name)
		}
	}
}

// plansOf lists the short names of the plans that have a module.
func plansOf(module string) string {
	var list []string
	for _, p := range conformancePlans() {
		if slices.Contains(p.modules, module) {
			list = append(list, p.short)
		}
	}
	return strings.Join(list, ", ")
}

//go:generate go test -run ^TestConformanceDocument$ -update .

// TestConformanceDocument: the document says what the tests check, no more and no less.
func TestConformanceDocument(t *testing.T) {
	golden.File(t, "../docs/openid-conformance.md", conformanceDocument())
}

func conformanceDocument() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	modules := conformanceModules()
	line("# Conformance of authn")
	line("")
	line("Generated from the tests of package authn (`go test ./authn -run TestConformanceDocument -update`); a test " +
		"fails when")
	line("it is stale. It records what this project's own tests show, and what the OpenID Foundation's suite said of " +
		"it. It is not")
	line("a certification.")
	line("")
	line("## What the suite said")
	line("")
	line("The suite itself (release-v5.2.3) was run against this client, outside of this repository:")
	line("")
	line("| Plan | Result |")
	line("| --- | --- |")
	line("| Comprehensive | 22 passed, 1 skipped |")
	line("| Config | 5 passed, 1 skipped |")
	line("| Refresh | 3 of 3 passed |")
	line("| FAPI 2.0 | 20 of 20 passed |")
	line("| Basic | cannot be started by a client that authenticates with `private_key_jwt` and nothing else |")
	line("")
	line("What was skipped is the module with `alg` none, which the suite skips when a client refuses such tokens. " +
		"What the suite itself")
	line("calls not applicable to a client of the code flow is marked in the first table below: this project's tests " +
		"run it all the")
	line("same. What cannot apply to the service at all is in a table of its own, with the reason.")
	line("")
	line("## How to read the tables")
	line("")
	line("Each row of the first table is a subtest of `TestConformance` with the name of a module of the OpenID " +
		"Foundation's")
	line("conformance suite (version 5.2.3), against a test provider that does what that module's provider does. For " +
		"every")
	line("request the provider checks besides: `openid` among the scopes, the exact redirect URI, PKCE with S256, " +
		"state and nonce")
	line("of 256 bits, the access token in the header and never in the query, and every rule for `private_key_jwt` " +
		"(key, `iss`,")
	line("`sub`, `aud` as one string, `exp`, `iat`, a `jti` that is never used again, nothing beside it). Endpoints " +
		"must use https")
	line("unless they are on the same machine. After a refused redirect there is no token request, after a refused " +
		"ID token no")
	line("userinfo request.")
	line("")
	line("\"rejects (reason: step)\" names the error that a caller gets: `Error.Reason` and `Error.Step`.")
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
	line("| Module (%d) | Plans | The provider | The client | The suite |", len(modules))
	line("| --- | --- | --- | --- | --- |")
	for _, m := range modules {
		line("| `%s` | %s | %s | %s | %s |", m.name, plansOf(m.name), m.does, m.want, suiteSays(m.name))
	}
	line("")
	line("The plans leave two of them open: with several keys that fit and no `kid` this client refuses instead of " +
		"trying each,")
	line("and it refuses `alg` none in the code flow, too. FAPI 2.0 also demands pushed authorization requests and " +
		"sender-constrained")
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
	line("Correctly signed unless the row is about the signature; each is accepted by at least one widely used " +
		"library, or close")
	line("to one that is. Subtests of `TestBadTokens`.")
	line("")
	line("| ID token | The client |")
	line("| --- | --- |")
	for _, r := range badTokens() {
		line("| %s | %s |", r.name, r.want)
	}
	line("")
	line("A string of the configuration never becomes a member of header or claims " +
		"(`TestConfiguredStringsBecomeNoMembers`), and")
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
	line("Each cell is a subtest of `TestFaultMatrix`: one endpoint has the fault during a login (the last three " +
		"columns: during")
	line("the request for a service token, a refresh, and discovery). No call takes longer than the timeout of 10 s, " +
		"code and assertion are")
	line("sent once, no word of the answer gets into the error, and the same client works as soon as the fault is " +
		"gone.")
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
	line("Besides: answers that TLS cut off (`TestTruncatedTLS`), 10,000 bad tokens with at most one request for " +
		"keys in each")
	line("cooldown of 30 s (`TestTenThousandBadTokens`), a service that is down for minutes " +
		"(`TestServiceDownForMinutesThenBack`), keys")
	line("that cannot be had for hours (`TestKeysDownForHours`), keys that change just before they are used")
	line("(`TestKeyRotationJustBeforeSigning`), sandbox and production mixed up " +
		"(`TestSandboxAndProductionDoNotMix`), a code from another")
	line("browser (`TestCodeInjectionAcrossBrowsers`), a callback delivered many times at once " +
		"(`TestReplayedCallbackAtTheSameTime`), and")
	line("a state from another tab (`TestStateFromAnotherTab`, here and in package middleware).")
	return b.String()
}
