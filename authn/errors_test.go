package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
)

// Every reason has a name, a family that tells what to do, and a message in both languages.
func TestEveryReasonIsClassified(t *testing.T) {
	seen := map[string]bool{}
	for r := ReasonUserCancelled; r <= ReasonKey; r++ {
		e := &Error{Reason: r, Step: "x"}
		name := r.String()
		if name == "unknown" || seen[name] {
			t.Errorf("%d is called %q", r, name)
		}
		seen[name] = true
		if kakunin.FamilyOf(e).String() == "unclassified" {
			t.Errorf("%s has no family", name)
		}
		if ja, en := kakunin.MessageFor(e, kakunin.Japanese), kakunin.MessageFor(e, kakunin.English); ja == "" || en == "" || ja == en {
			t.Errorf("%s: %q, %q", name, ja, en)
		}
	}
	if (ReasonKey + 1).String() != "unknown" {
		t.Error("the last reason is not the last")
	}
	if kakunin.FamilyOf(&Error{}) != kakunin.Untrusted {
		t.Error("the zero Error must not look harmless")
	}
}

func TestStateMismatchMentionsPrivateBrowsing(t *testing.T) {
	e := &Error{Reason: ReasonStateMismatch}
	if !strings.Contains(kakunin.MessageFor(e, kakunin.English), "private browsing") || !strings.Contains(kakunin.MessageFor(e, kakunin.Japanese), "プライベートブラウズ") {
		t.Error("the person does not learn the usual cause")
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("secret")
	for want, e := range map[string]*Error{
		"authn: unknown":                              {},
		"authn: ID token: nonce":                      {Reason: ReasonIDToken, Step: "nonce", Err: cause},
		"authn: provider error: error (server_error)": {Reason: ReasonProviderError, Step: "error", Code: "server_error"},
		"authn: provider error: error":                {Reason: ReasonProviderError, Step: "error", Code: "<script>"},
		"authn: configuration: request: a; b":         {Reason: ReasonConfiguration, Step: "request", Detail: "a; b"},
		"authn: configuration: key file":              {Reason: ReasonConfiguration, Step: "key file", Err: cause},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
	if !errors.Is(&Error{Err: cause}, cause) {
		t.Error("the cause is lost")
	}
	if kakunin.FamilyOf(fmt.Errorf("wrapped: %w", &Error{Reason: ReasonTransport})) != kakunin.Unavailable || kakunin.FamilyOf(context.DeadlineExceeded) != kakunin.Unavailable {
		t.Error("families of wrapped errors")
	}
}
