package middleware

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestReturnPathStaysOnThisOrigin(t *testing.T) {
	for _, ok := range []string{
		"/", "/account", "/account?tab=1&x=%2F", "/a/b/", "/%E5%95%86%E5%93%81", "/a?u=https://evil.example/", "/a#b",
		"/authors", "/a//b", "/a//evil.example", "/a//b//?c=//d#//e", "/a/%2fb", "/a///", "/web/https://example.com/x",
		"/x//auth/login",
	} {
		if got := safeReturn("/auth", ok); got != ok {
			t.Errorf("safeReturn(%q) = %q, want it unchanged", ok, got)
		}
	}
	for wanted, encoded := range map[string]string{
		"/商品/1":                  "/%E5%95%86%E5%93%81/1",
		"/検索?q=日本 語&x=1+2#結果":    "/%E6%A4%9C%E7%B4%A2?q=%E6%97%A5%E6%9C%AC%20%E8%AA%9E&x=1+2#%E7%B5%90%E6%9E%9C",
		"/a b":                   "/a%20b",
		"/a+b?c=d?e":             "/a+b?c=d?e",
		"/／evil.example":         "/%EF%BC%8Fevil.example", // a character of a path, for every browser
		"/𠮷/é":                   "/%F0%A0%AE%B7/%C3%A9",
		`/a?b=\c#\d`:             "/a?b=%5Cc#%5Cd",
		"/caf\u0065\u0301?a=%E3": "/cafe%CC%81?a=%E3",
	} {
		if got := safeReturn("/auth", wanted); got != encoded {
			t.Errorf("safeReturn(%q) = %q, want %q", wanted, got, encoded)
		}
		if again := safeReturn("/auth", encoded); again != encoded {
			t.Errorf("%q is encoded twice: %q", encoded, again)
		}
	}
	for name, bad := range map[string]string{
		"empty":                            "",
		"absolute":                         "https://evil.example/",
		"scheme without slashes":           "https:evil.example",
		"javascript":                       "javascript:alert(1)",
		"data":                             "data:text/html,x",
		"network path":                     "//evil.example/",
		"three slashes":                    "///evil.example/",
		"backslash":                        `/\evil.example/`,
		"two backslashes":                  `\\evil.example/`,
		"backslash later":                  `/a\..\..\evil`,
		"tab, dropped by browser":          "/\t/evil.example",
		"newline":                          "/\n/evil.example",
		"CR LF header injection":           "/a\r\nSet-Cookie: a=b",
		"nul":                              "/\x00/evil.example",
		"leading space":                    " //evil.example",
		"leading tab":                      "\t//evil.example",
		"delete character":                 "/\x7f",
		"relative":                         "account",
		"dot":                              "./account",
		"query only":                       "?a=b",
		"fragment only":                    "#a",
		"user info":                        "//user@evil.example",
		"dot segments":                     "/..//evil.example",
		"single dot segment":               "/.//evil.example",
		"encoded dot segments":             "/%2e%2e//evil.example",
		"encoded slash and slash":          "/%2f/evil.example",
		"encoded slash in capitals":        "/%2F%2Fevil.example",
		"dot segments behind an empty one": "/a//../../evil.example",
		"backslash behind an empty one":    `/a//\evil.example`,
		"the login behind an empty one":    "/auth//login",
		"the prefix with an empty one":     "/auth//",
		"encoded empty segment":            "/auth/%2flogin",
		"encoded slash":                    "/%2fevil.example",
		"encoded backslash":                "/%5cevil.example",
		"bad escape":                       "/%zz",
		"not UTF-8":                        "/\xff\xfe",
		"into the login":                   "/auth/login",
		"into the callback":                "/auth/callback?code=x",
		"into the logout":                  "/auth/logout",
		"the prefix":                       "/auth",
		"encoded prefix":                   "/%61uth/login",
		"too long":                         "/" + strings.Repeat("a", 2000),
		"too long once encoded":            "/" + strings.Repeat("商", 340),
	} {
		if got := safeReturn("/auth", bad); got != "/" {
			t.Errorf("%s: safeReturn(%q) = %q, want /", name, bad, got)
		}
	}
}

// FuzzReturnPath checks the answer the way a browser reads it (WHATWG URL: tabs and newlines dropped, backslash is a
// slash), not the way the code under test does.
func FuzzReturnPath(f *testing.F) {
	for _, s := range []string{"/", "/a?b#c", "//x", `/\x`, "/\t/x", "/%2f%2fx", "https://x", "/auth/login",
		"/a/../..//x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, wanted string) {
		got := safeReturn("/auth", wanted)
		if got != "/" {
			// Encoded or not, it is the same address.
			a, err := url.Parse(strings.ReplaceAll(wanted, " ", "%20"))
			if err != nil {
				t.Fatalf("%q became %q, and is no address", wanted, got)
			}
			if b, err := url.Parse(got); err != nil || a.Path != b.Path || a.Query().Encode() != b.Query().Encode() ||
				a.Fragment != b.Fragment {
				t.Fatalf("%q became %q", wanted, got)
			}
		}
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`,
			"/").Replace(strings.TrimFunc(got, func(r rune) bool { return r <= ' ' }))
		if !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") {
			t.Fatalf("%q leaves the origin as %q", wanted, seen)
		}
		base, err := url.Parse("https://shop.example/auth/callback?code=x")
		if err != nil {
			t.Fatal(err)
		}
		to, err := base.Parse(seen)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || strings.HasPrefix(to.Path, "/auth/") {
			t.Fatalf("%q leads to %v, %v", wanted, to, err)
		}
	})
}

func TestPathsOfRequests(t *testing.T) {
	l := &Login{prefix: "/auth", outside: outside{origin: "https://shop.example", host: "shop.example"}}
	for referer, want := range map[string]string{
		"https://shop.example/contract?id=7": "/contract?id=7",
		"https://shop.example":               "/",
		"https://evil.example/contract":      "/",
		"https://shop.example//evil.example": "/",
		"https://shop.example/auth/logout":   "/",
		"":                                   "/",
		"%zz":                                "/",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://shop.example/sign", http.NoBody)
		r.Header.Set("Referer", referer)
		if got := l.refererPath(r); got != want {
			t.Errorf("Referer %q: %q, want %q", referer, got, want)
		}
	}
	// Behind http.StripPrefix the browser's address is what counts.
	var got string
	h := http.StripPrefix("/shop", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = l.requestPath(r)
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/shop/account?x=1",
		http.NoBody))
	if got != "/shop/account?x=1" {
		t.Errorf("requestPath = %q", got)
	}
}

func TestPathOf(t *testing.T) {
	for address, want := range map[string]string{"/a": "/a", "/a?b#c": "/a", "/a#b?c": "/a", "?a": "", "": ""} {
		if path := pathOf(address); path != want {
			t.Errorf("%q: %q", address, path)
		}
	}
}
