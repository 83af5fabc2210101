package main

import (
	"flag"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

var subjectOnPage = regexp.MustCompile(`<dd id="subject">([^<]+)</dd>`)

// byHost turns the flag on.
func byHost(e stage.Example) stage.Example {
	f := flag.NewFlagSet("saas", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	e.Flags(f)
	_ = f.Parse([]string{"-hosts"})
	return e
}

// A whole visit of two libraries in one browser, by path and by host.
func TestVisit(t *testing.T) {
	for name, e := range map[string]stage.Example{"path": example(), "host": byHost(example())} {
		t.Run(name, func(t *testing.T) {
			site := stagetest.Open(t, e)
			kumo, mori := site.URL+"/kumo", site.URL+"/mori"
			if name == "host" {
				kumo = strings.Replace(site.URL, "127.0.0.1", "kumo.localhost", 1)
				mori = strings.Replace(site.URL, "127.0.0.1", "mori.localhost", 1)
			}
			hanako := site.Guest(person.Hanako)
			stagetest.Expect(t, hanako.Open("/"), http.StatusOK, kumo+"/", mori+"/")
			stagetest.Expect(t, hanako.Open(kumo+"/"), http.StatusOK, `id="login"`, "雲の図書館")
			page := hanako.Open(kumo + "/card")
			stagetest.Expect(t, page, http.StatusOK, "花子", `<dd id="visits">1</dd>`, "雲の図書館")
			atKumo := subjectOnPage.FindStringSubmatch(page.Body)[1]

			// Logged in to one is not logged in to the other; and the same person is somebody else there.
			if got := hanako.Ask(stagetest.Request{Path: mori + "/card"}); got.Status != http.StatusSeeOther {
				t.Errorf("the other library lets the person in: %d", got.Status)
			}
			page = hanako.Open(mori + "/card")
			stagetest.Expect(t, page, http.StatusOK, `<dd id="visits">1</dd>`, "森の図書館")
			if subjectOnPage.FindStringSubmatch(page.Body)[1] == atKumo {
				t.Error("the same subject in two libraries")
			}
			stagetest.Expect(t, hanako.Open(kumo+"/card"), http.StatusOK, `<dd id="visits">1</dd>`)

			// Logging out of one library ends that browser's session there.
			stagetest.Expect(t, hanako.Submit(kumo+"/auth/logout", nil), http.StatusOK)
			if got := hanako.Ask(stagetest.Request{Path: kumo + "/card"}); got.Status != http.StatusSeeOther {
				t.Errorf("still logged in: %d", got.Status)
			}
			// A callback that one library began is nothing to the other.
			stagetest.Expect(t, hanako.Open(mori+"/auth/callback?state=of-another&code=x"), http.StatusBadRequest)
		})
	}
}

func TestTenantsComeWhileItRuns(t *testing.T) {
	site := stagetest.Open(t, example())
	staff, taro := site.Staff(), site.Guest(person.Taro)
	stagetest.Expect(t, taro.Open("/tenants"), http.StatusUnauthorized)
	stagetest.Expect(t, taro.Open("/umi/card"), http.StatusNotFound)
	for _, refused := range []url.Values{
		nil, {"name": {"kumo"}, "title": {"x"}}, {"name": {"../x"}, "title": {"x"}}, {"name": {"umi"}},
		{"name": {"tenants"}, "title": {"x"}},
	} {
		stagetest.Expect(t, staff.Submit("/tenants", refused), http.StatusBadRequest, `id="refused"`)
	}
	umi := url.Values{"name": {"umi"}, "title": {"海の図書館"}}
	stagetest.Expect(t, staff.Submit("/tenants", umi), http.StatusOK, "海の図書館")
	stagetest.Expect(t, taro.Open("/umi/card"), http.StatusOK, `<dd id="visits">1</dd>`)
	taro.Submit("/umi/auth/logout", nil)
	stagetest.Expect(t, taro.Open("/umi/card"), http.StatusOK, `<dd id="visits">2</dd>`)
}
