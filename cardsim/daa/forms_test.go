package daa

import (
	"regexp"
	"strings"
	"testing"
)

// The forms of parameters and secrets are those of their regular expressions.
var formsInWords = map[string]struct {
	form    form
	pattern *regexp.Regexp
}{
	"printable":        {printable, regexp.MustCompile(`^[\x20-\x7E]{1,255}$`)},
	"code challenge":   {codeChallenge, regexp.MustCompile(`^[0-9a-zA-Z_-]{1,128}$`)},
	"code verifier":    {codeVerifier, regexp.MustCompile(`^[0-9A-Za-z._~-]{43,128}$`)},
	"PIN":              {fourDigits, regexp.MustCompile(`^[0-9]{4}$`)},
	"signing password": {signingPassword, regexp.MustCompile(`^[0-9A-Za-z]{6,16}$`)},
}

func TestForms(t *testing.T) {
	for name, f := range formsInWords {
		for _, n := range []int{0, 1, 3, 4, 5, 6, 16, 17, 42, 43, 128, 129, 255, 256} {
			if s := strings.Repeat("1", n); f.form.fits(s) != f.pattern.MatchString(s) {
				t.Errorf("%s: %d digits", name, n)
			}
		}
		for c := range 256 {
			for _, s := range []string{strings.Repeat("1", f.form.least-1) + string([]byte{byte(c)}),
				string([]byte{byte(c)}) + strings.Repeat("1", f.form.least)} {
				if f.form.fits(s) != f.pattern.MatchString(s) {
					t.Errorf("%s: %q", name, s)
				}
			}
		}
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"", "1234", "12345\n", "Passw0rd", strings.Repeat("~", 128), "あ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, c := range formsInWords {
			if c.form.fits(s) != c.pattern.MatchString(s) {
				t.Errorf("%s: %q", name, s)
			}
		}
	})
}
