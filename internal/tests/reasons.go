package tests

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin"
)

// Reasons looks at the errors of a package, which of makes, for every reason up to the last one: each has a name of its
// own, a family that tells what to do and words in both languages, and is found by its reason, wrapped or not, and by
// no other. An error without a reason must not look harmless.
func Reasons[R interface {
	~int
	String() string
}](t *testing.T, last R, of func(R) error) {
	t.Helper()
	names := map[string]R{}
	for r := R(1); r <= last; r++ {
		e, name := of(r), r.String()
		if other, taken := names[name]; taken || name == "" || name == "unknown" || name == R(0).String() {
			t.Errorf("reason %d is called %q, as %d is", int(r), name, int(other))
		}
		names[name] = r
		if kakunin.FamilyOf(e) == kakunin.Unclassified {
			t.Errorf("%s has no family", name)
		}
		ja, en := kakunin.MessageFor(e, kakunin.Japanese), kakunin.MessageFor(e, kakunin.English)
		if ja == "" || en == "" || ja == en {
			t.Errorf("%s: messages %q, %q", name, ja, en)
		}
		if own, ok := e.(interface{ UserMessage() kakunin.Message }); ok { //nolint:errorlint // the error itself
			if m := own.UserMessage(); (m.JA == "") != (m.EN == "") {
				t.Errorf("%s: a message in one language only", name)
			}
		}
		if !errors.Is(fmt.Errorf("wrapped: %w", e), of(r)) || errors.Is(e, of(r+1)) || errors.Is(of(r+1), e) {
			t.Errorf("%s is not told from other reasons", name)
		}
	}
	if name := (last + 1).String(); name != R(0).String() {
		t.Errorf("%q comes after the last reason", name)
	}
	if f := kakunin.FamilyOf(of(0)); f != kakunin.Untrusted && f != kakunin.Configuration {
		t.Errorf("an error without a reason is of the family %v", f)
	}
}
