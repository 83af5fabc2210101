package sign

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tests"
)

func TestTransactionJSON(t *testing.T) {
	t.Parallel()
	tx := Transaction{ID: testID, Mode: ModeDigestInfo, Digest: [32]byte{1, 2}, MediaType: "text/plain",
		Started: testNow, Expires: testNow.Add(time.Minute)}
	b, err := json.Marshal(tx)
	if err != nil {
		t.Fatal(err)
	}
	var back Transaction
	if err := json.Unmarshal(b, &back); err != nil || back != tx {
		t.Errorf("%s came back as %+v, %v", b, back, err)
	}
	for _, s := range []string{
		`{}`, `[]`, `"x"`,
		strings.Replace(string(b), "digest-info", "none", 1),
		strings.Replace(string(b), `"0102`, `"02`, 1),
		strings.Replace(string(b), testID, "", 1),
		strings.Replace(string(b), `"id"`, `"extra":1,"id"`, 1),
	} {
		var tx Transaction
		if err := json.Unmarshal([]byte(s), &tx); err == nil || tx != (Transaction{}) {
			t.Errorf("%s accepted: %+v", s, tx)
		}
	}
}

func TestTransactionIDsAreOneSegment(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ".", "..", "a b", "a\x00", "é",
		strings.Repeat("a", limits.AuthorizationParameter+1)} {
		if ValidTransactionID(id) {
			t.Errorf("%q accepted", id)
		}
	}
	if !ValidTransactionID(testID) || !ValidTransactionID("a/../b?c") {
		t.Error("refused")
	}
}

// TestPrepare: what the card will pad is made here and nowhere else.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for mode, padded := range map[Mode]string{
		ModeBareHash:   "XIh3yqL9yiAUQkuovXqx+xKZOwameHZx7OCoTRdlJrQ=",
		ModeDigestInfo: "MDEwDQYJYIZIAWUDBAIBBQAEIFyId8qi/cogFEJLqL16sfsSmTsGpnh2cezgqE0XZSa0",
	} {
		tx, err := Prepare(t.Context(), Text(agreement), mode)
		if err != nil || base64.StdEncoding.EncodeToString(tx.Padded()) != padded || tx.ID != "" ||
			tx.MediaType != "text/plain; charset=utf-8" {
			t.Errorf("%s: %+v, %v", mode, tx, err)
		}
	}
	for name, f := range map[string]func() (*Transaction, error){
		"no mode":     func() (*Transaction, error) { return Prepare(t.Context(), Text("a"), ModeUnknown) },
		"no document": func() (*Transaction, error) { return Prepare(t.Context(), Document{}, ModeBareHash) },
		"bad media type": func() (*Transaction, error) {
			return Prepare(t.Context(), Document{strings.NewReader("a"), "text"}, ModeBareHash)
		},
	} {
		if tx, err := f(); tx != nil || reasonOf(err) != ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := mediaTypeOf("text/ plain; x"); ok {
		t.Error("malformed media type accepted")
	}
	if _, ok := mediaTypeOf("text/plain; a=" + strings.Repeat("b", limits.MediaType)); ok {
		t.Error("long media type accepted")
	}
}

func TestNothingLeaksWhenPrinted(t *testing.T) {
	t.Parallel()
	sealed, err := ParseSealed(testJWE)
	if err != nil {
		t.Fatal(err)
	}
	opened := NewOpened([]byte("SIGNATURE"), []byte("CERTIFICATE"))
	report := &Report{Mode: ModeBareHash, Opened: opened}
	type inside struct {
		v any
		r Report
		o *Opened
		s Sealed
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	var out strings.Builder
	for _, v := range []any{sealed, opened, report, inside{opened, *report, opened, *sealed}, &inside{v: *report},
		[]*Opened{opened}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			_, _ = fmt.Fprintf(&out, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		out.Write(b)
		logger.Info("x", slog.Any("v", v))
	}
	out.Write(log.Bytes())
	for _, secret := range []string{
		"SIGNATURE", "CERTIFICATE", "Y2lwaGVy", fmt.Sprintf("%x", "SIGNATURE"),
		base64.StdEncoding.EncodeToString([]byte("SIGNATURE")),
		fmt.Sprintf("%d", []byte("SIGNATURE")), fmt.Sprintf("%d", []byte("CERTIFICATE")), fmt.Sprintf("%x", "Y2lwaGVy"),
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s leaks", secret)
		}
	}
}

func TestEveryReasonIsClassified(t *testing.T) {
	t.Parallel()
	tests.Reasons(t, ReasonPersonReview, func(r Reason) error { return &Error{Reason: r} })
}
