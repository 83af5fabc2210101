package daa_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa"
)

// TestHostileNamesStayText: what a relying party calls itself, and what anybody sends, is text on every page, and leads
// nowhere that is not registered.
func TestHostileNamesStayText(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`
	key := newKey(t)
	rp := start(t, daa.WithClient(daa.ClientRegistration{
		ID: "RP2", Name: hostile, Key: key.Public(), RedirectURLs: []string{redirect}, TestCards: true,
	}), daa.WithClient(daa.ClientRegistration{
		ID: "RP3", Name: hostile, Key: key.Public(), RedirectURLs: []string{redirect},
	}))
	markup := regexp.MustCompile(`(?i)<script|<img src=x|<[^>]*\sonerror=`)
	get := func(address string) answer {
		a := rp.do(http.MethodGet, address, "", "", "")
		if markup.Match(a.body) {
			t.Errorf("%s: what was sent is markup", strings.SplitN(address, "?", 2)[0])
		}
		return a
	}
	for _, client := range []string{"RP2", "RP3"} {
		for name, pairs := range map[string][]string{
			"state": {"state", hostile}, "nonce": {"nonce", hostile}, "scope": {"scope", hostile},
			"redirect": {"redirect_uri", "https://evil.example/" + hostile}, "client": {"client_id", hostile},
			"language": {"ui_locales", hostile},
		} {
			q := with(rp.authorization(), append([]string{"client_id", client}, pairs...)...)
			a := get(rp.authorizationURL(q))
			to := a.header.Get("Location")
			switch {
			case strings.HasPrefix(to, "/phone/"), strings.HasPrefix(to, rp.svc.URL()+"/phone/"):
				get(rp.svc.URL() + strings.TrimPrefix(to, rp.svc.URL()))
			case to != "" && !strings.HasPrefix(to, redirect+"?"), strings.ContainsAny(to, "<>\r\n"):
				t.Errorf("%s, %s: leads to another place", client, name)
			}
		}
	}
	get(rp.svc.URL() + "/")
	get(rp.svc.URL() + "/simulator/inspector?personal=show")
	get(rp.svc.URL() + "/" + "%3Cscript%3E")
}
