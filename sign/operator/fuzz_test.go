package operator

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/webcall"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
)

// FuzzAnswer: whatever an operator answers, there is a good verdict without an error or no good verdict.
func FuzzAnswer(f *testing.F) {
	at := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	tx := &sign.Transaction{ID: "tx", Mode: sign.ModeBareHash}
	digest := base64.StdEncoding.EncodeToString(tx.Digest[:])
	echo := `,"transaction_id":"tx","digest":"` + digest + `"}`
	f.Add(200, []byte(`{"result_code":"RESULT_OK","verification_id":"v","verified_at":"2026-11-21T03:00:00Z"`+echo))
	f.Add(200, []byte(`{"result_code":"RESULT_CERTIFICATE_REVOKED","verification_id":"v","verified_at":"2026-11-21T03:00:00Z"`+echo))
	f.Add(422, []byte(`{"error":"ERROR_SEALED"}`))
	f.Add(200, []byte(`[]`))
	c, err := New(Config{URL: "https://operator.example/", Authorize: func(*http.Request) error { return nil },
		Now: func() time.Time { return at }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		v, err := c.read(webcall.Answer{Status: status, Body: body}, tx)
		e, typed := errors.AsType[*Error](err)
		switch {
		case (err == nil) != (v != nil && v.Status == jpki.Good):
			t.Fatalf("%+v, %v", v, err)
		case err != nil && (!typed || e.Reason == ReasonUnknown):
			t.Fatalf("untyped error %v", err)
		case v != nil && (v.VerificationID == "" || v.VerifiedAt.IsZero()):
			t.Fatalf("incomplete verdict %+v", v)
		}
	})
}

// FuzzRequest: what the handler reads has a digest, a mode, and one signature or sealed result.
func FuzzRequest(f *testing.F) {
	digest := base64.StdEncoding.EncodeToString(make([]byte, 32))
	head := `{"hash_algorithm":"SHA-256","digest":"` + digest + `","signature_mode":"bare-hash","transaction_id":"tx",`
	f.Add([]byte(head + `"sign_certificate_jwe":"a.b.c.d.e","identify_user":true}`))
	f.Add([]byte(head + `"signature":"AQ==","certificate":"MA=="}`))
	f.Add([]byte(`{}`))
	h := &Handler{wire: DefaultWire()}
	f.Fuzz(func(t *testing.T, body []byte) {
		asked, ok := h.read(body)
		if ok && ((asked.sealed == nil) == (asked.opened == nil) || !asked.tx.Mode.Valid() ||
			!sign.ValidTransactionID(asked.tx.ID)) {
			t.Fatalf("read %+v", asked)
		}
	})
}
