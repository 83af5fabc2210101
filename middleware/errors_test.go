package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
)

func isReason(err error, reason Reason) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == reason
}

func TestEveryReasonIsComplete(t *testing.T) {
	names := map[string]Reason{}
	for r := ReasonUnknown; r <= ReasonSession; r++ {
		name := r.String()
		if other, taken := names[name]; taken {
			t.Errorf("reasons %d and %d are both called %q", other, r, name)
		}
		names[name] = r
		err := &Error{Reason: r}
		if err.Family() == kakunin.Unclassified {
			t.Errorf("%s has no family", name)
		}
		for _, l := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
			if kakunin.MessageFor(err, l) == "" {
				t.Errorf("%s has no message in %s", name, l)
			}
		}
		if s := StatusOf(err); s < 400 || s > 599 {
			t.Errorf("%s has status %d", name, s)
		}
	}
}

func TestErrorNeverShowsForeignText(t *testing.T) {
	cause := errors.New("redis://user:hunter2@store")
	err := &Error{Reason: ReasonSession, Err: cause}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the cause leaks: %s", err)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause cannot be reached by errors.Is")
	}
	if s := fmt.Sprintf("%v %s", err, err); strings.Contains(s, "hunter2") {
		t.Errorf("the cause leaks: %s", s)
	}
	own := &Error{Reason: ReasonDocument, Err: fmt.Errorf("secret: %w", &Error{Reason: ReasonTooYoung})}
	if s := own.Error(); strings.Contains(s, "secret") || !strings.Contains(s, "too-young") {
		t.Errorf("Error() = %q: want the classified cause only", s)
	}
}

func TestFamilyAndStatusOfWrappedErrors(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		family kakunin.Family
		status int
	}{
		{"requirement of the application", &Error{Reason: ReasonRequirement, Err: errors.New("x")}, kakunin.Account,
			http.StatusForbidden},
		{"requirement with a family", &Error{Reason: ReasonRequirement, Err: &Error{Reason: ReasonSession}},
			kakunin.Unavailable, http.StatusForbidden},
		{"document of the application", &Error{Reason: ReasonDocument, Err: errors.New("x")}, kakunin.Configuration,
			http.StatusInternalServerError},
		{"login required", &Error{Reason: ReasonLoginRequired}, kakunin.User, http.StatusUnauthorized},
		{"other person", &Error{Reason: ReasonOtherPerson}, kakunin.Account, http.StatusForbidden},
		{"tampered", &Error{Reason: ReasonTampered}, kakunin.Untrusted, http.StatusBadRequest},
		{"store", &Error{Reason: ReasonSession}, kakunin.Unavailable, http.StatusServiceUnavailable},
		{"foreign error", errors.New("x"), kakunin.Unclassified, http.StatusInternalServerError},
	}
	for _, c := range tests {
		if got := kakunin.FamilyOf(c.err); got != c.family {
			t.Errorf("%s: family %v, want %v", c.name, got, c.family)
		}
		if got := StatusOf(c.err); got != c.status {
			t.Errorf("%s: status %d, want %d", c.name, got, c.status)
		}
	}
}
