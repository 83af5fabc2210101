package responder_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

// What answers and how it fails is tried by package revocation, with whole OCSP responses.
func TestNewRefuses(t *testing.T) {
	for name, u := range map[string]string{
		"no URL": "", "http to the world": "http://ocsp.example/",
		"http to a name like loopback": "http://localhost.example/",
		"credentials":                  "https://user:secret@ocsp.example/", "fragment": "https://ocsp.example/#x",
		"file":    "file:///x",
		"no host": "https:///x", "not a URL": "://",
	} {
		h, err := responder.New(responder.Config{URL: u})
		if h != nil || !errors.Is(err, &responder.Error{Reason: responder.ReasonConfiguration, Step: "url"}) ||
			kakunin.FamilyOf(err) != kakunin.Configuration || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, u := range []string{"https://ocsp.example/path", "http://127.0.0.1:8080/", "http://[::1]/",
		"http://localhost/"} {
		if _, err := responder.New(responder.Config{URL: u}); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestAnErrorWithoutAReasonIsNotTrusted(t *testing.T) {
	if e := (&responder.Error{}); e.Family() != kakunin.Untrusted || e.Error() != "responder: unknown" {
		t.Errorf("%v, %v", e, e.Family())
	}
}
