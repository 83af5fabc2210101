package middleware_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

//go:generate go test -run ^TestASVS$ -update .

// asvs maps items of OWASP ASVS 5.0 that are this package's to keep to the tests that show it, in our own words.
var asvs = []struct{ item, what, tests string }{
	{"3.3.1", "Session and login cookies are Secure and have a prefix.", "TestLogin TestManagerIsChecked"},
	{"3.3.2", "Their SameSite fits their purpose: Lax, since the callback comes from another site.",
		"TestLogin TestManagerIsChecked"},
	{"3.3.3", "They have the __Host- prefix unless sharing is asked for by name; several of one name count as none.",
		"TestManagerIsChecked TestSeveralCookiesCountAsNone"},
	{"3.3.4", "Scripts cannot read them.", "TestLogin TestManagerIsChecked"},
	{"3.3.5", "Name and value together stay within 4096 bytes.",
		"TestLargestPendingLoginFitsIntoACookie TestLongestReferenceFits TestHeaderOfLoginIsBounded"},
	{"3.4.6", "Error pages and the terms of a consent cannot be framed, and a login does not begin in a frame.",
		"TestErrorPage TestConsentScreen TestNotNavigations"},
	{"3.5.1", "What changes something is refused when another site causes it.",
		"TestLogout TestSignRefusals TestConsentIsNotGiven TestBehindAProxy"},
	{"3.7.2", "Redirects lead to this origin only.",
		"TestReturnOnlyToThisOrigin TestReturnPathStaysOnThisOrigin FuzzReturnPath"},
	{"7.2.4", "A login gets a new session token, and the old one is worth nothing.",
		"TestSessionTokenIsRenewed TestOwnSessionManager"},
	{"7.3.1", "Sessions end when they are not used.", "TestSessionTimeouts"},
	{"7.3.2", "Sessions end after a time in any case.", "TestSessionTimeouts TestLoginEndsAtTheAbsoluteTimeout"},
	{"7.4.1", "Logging out ends the session on the server; a request that is still running does not bring it back.",
		"TestLogout TestMemoryStoreKeepsDeletedDeleted"},
	{"7.4.5", "An administrator ends the sessions of a person.", "TestEndSessions TestEndWhere"},
	{"7.5.3", "Before what matters the card can be asked for again.", "TestRequireFresh TestSignFlow"},
	{"7.6.2", "No session begins without the person doing something.", "TestLoginCSRF TestLoadingAheadUsesNothingUp"},
	{"10.1.2", "A callback belongs to the browser and the login that began it.",
		"TestRefusals TestStateFromAnotherTab TestLoginCSRF TestCallbackWorksOnce TestSlowClients " +
			"TestResultOfAnAbortedNavigationIsForItsBrowser"},
	{"16.3.1", "Logins that succeed and that fail are logged.", "TestLogin TestRefusals"},
	{"16.5.1", "Errors show nothing of the inside.",
		"TestErrorPage TestErrorNeverShowsForeignText TestSharedStoreDown"},
}

// TestASVS compares docs/asvs.md with the list above, and the list with the tests that there are.
func TestASVS(t *testing.T) {
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, dir := range []string{".", "scssession", "middlewaretest"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range declared.FindAllSubmatch(source, -1) {
				there[string(m[1])] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString("# OWASP ASVS 5.0: what package middleware keeps\n\nMade by `go generate ./middleware` from " +
		"`middleware/asvs_test.go`; " +
		"a test fails when a test that is named here is gone.\n\n| item | what it means here | shown by |\n| --- | " +
		"--- | --- |\n")
	for _, row := range asvs {
		tests := strings.Fields(row.tests)
		for i, name := range tests {
			if !there[name] {
				t.Errorf("%s: there is no %s", row.item, name)
			}
			tests[i] = "`" + name + "`"
		}
		b.WriteString("| " + row.item + " | " + row.what + " | " + strings.Join(tests, ", ") + " |\n")
	}
	golden.File(t, "../docs/asvs.md", b.String())
}
