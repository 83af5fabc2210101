package signapi

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign"
)

// TestNothingInTheClear: neither an answer nor a token is in the store; the digest and the reference are.
func TestNothingInTheClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.begin()
	res, err := w.fetch(t.Context(), tx, "user-token")
	wantPlain(t, "fetch", res, err)
	e, err := w.store.Get(t.Context(), tx.ID)
	if err != nil {
		t.Fatal(err)
	}
	all := append(bytes.Clone(e.Record), e.Answer...)
	for _, secret := range []string{plainSecret, "user-token", base64.StdEncoding.EncodeToString([]byte(plainSecret)),
		base64.StdEncoding.EncodeToString([]byte("user-token"))} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("%q is in the store", secret)
		}
	}
	if !bytes.Contains(e.Record, []byte("契約 7")) {
		t.Error("the reference is not in the record")
	}
}

// TestUnreadableIsKept: an answer under other names than the wire profile's is kept as it came, and read when the
// profile is put right.
func TestUnreadableIsKept(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]*http.Response{
		"other names":    respond(298, strings.ReplaceAll(plainResult(), `"sig"`, `"signature"`)),
		"another status": respond(200, strings.ReplaceAll(plainResult(), `"sig"`, `"signature"`)),
		"a member that looks like an error": respond(298,
			strings.Replace(strings.ReplaceAll(plainResult(), `"sig"`, `"signature"`), "{", `{"why":"",`, 1)),
	} {
		w := newWorld(t)
		tx := w.begin()
		w.svc.result = func(*http.Request, int) (*http.Response, error) { return answered, nil }
		if res, err := w.fetch(t.Context(), tx, "user-token"); res != nil || reasonOf(err) != ReasonResponse {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		if w.state(tx) != StateFetched {
			t.Errorf("%s: %v", name, w.state(tx))
		}
		if _, err := w.fetch(t.Context(), tx, "user-token"); reasonOf(err) != ReasonResponse {
			t.Errorf("%s, again: %v", name, err)
		}
		right := w.instance(nil)
		right.client.wire.ResultSignatureField = "signature"
		right.client.wire.ResultStatuses = []int{298, 200}
		right.client.wire.ErrorField = "error"
		res, err := right.Result(t.Context(), tx.ID)
		wantPlain(t, name, res, err)
		if _, asked := w.svc.requests(); asked != 1 {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
}

// TestTransactionsOfBefore: one that was started without a Keeper is taken in; one that is kept must be the same.
func TestTransactionsOfBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx, err := w.client.Start(t.Context(), sign.Text(agreement), sign.ModeBareHash)
	if err != nil {
		t.Fatal(err)
	}
	other := *tx
	other.Mode = sign.ModeDigestInfo
	res, err := w.fetch(t.Context(), tx, "user-token")
	wantPlain(t, "taken in", res, err)
	if _, err := w.fetch(t.Context(), &other, "user-token"); reasonOf(err) != ReasonRequest {
		t.Errorf("another mode: %v", err)
	}
	for _, err := range []error{errOf(w.Result(t.Context(), testID)), w.Close(t.Context(), testID),
		errOf(nil, func() error { _, err := w.HandOver(t.Context(), testID); return err }())} {
		if reasonOf(err) != ReasonNotFound || !errors.Is(err, ErrAbsent) {
			t.Errorf("%v", err)
		}
	}
	if _, err := w.fetch(t.Context(), tx, ""); reasonOf(err) != ReasonUserToken {
		t.Errorf("no token: %v", err)
	}
}

// TestAltered: what somebody changed in the store, or put in another's place, is refused.
func TestAltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx, other := w.begin(), w.begin()
	for _, x := range []*sign.Transaction{tx, other} {
		res, err := w.fetch(t.Context(), x, "user-token")
		wantPlain(t, "fetch", res, err)
	}
	good, err := w.store.Get(t.Context(), tx.ID)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := w.store.Get(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	inRecord := func(from, to string) func(*Entry) {
		return func(e *Entry) {
			if !bytes.Contains(e.Record, []byte(from)) {
				t.Fatalf("no %s in %s", from, e.Record)
			}
			e.Record = bytes.Replace(e.Record, []byte(from), []byte(to), 1)
		}
	}
	digest := fmt.Sprintf("%x", tx.Digest)
	for name, change := range map[string]func(*Entry){
		"answer":             func(e *Entry) { e.Answer[20] ^= 1 },
		"no answer":          func(e *Entry) { e.Answer = nil },
		"short answer":       func(e *Entry) { e.Answer = e.Answer[:10] },
		"another's answer":   func(e *Entry) { e.Answer = foreign.Answer },
		"another's record":   func(e *Entry) { e.Record = foreign.Record },
		"record of nothing":  func(e *Entry) { e.Record = []byte("{}") },
		"no record":          func(e *Entry) { e.Record = nil },
		"two records":        func(e *Entry) { e.Record = append(bytes.Clone(e.Record), "{}"...) },
		"long record":        func(e *Entry) { e.Record = append(bytes.Clone(e.Record), make([]byte, 16<<10)...) },
		"later version":      inRecord(`"version":1`, `"version":2`),
		"mode":               inRecord("bare-hash", "digest-info"),
		"digest":             inRecord(digest, strings.Repeat("0", 64)),
		"no key":             inRecord(`"wrapped"`, `"unwrapped"`),
		"state of the store": func(e *Entry) { e.State = StateOver },
		"state that is none": func(e *Entry) { e.State = 9 },
		"claim without one":  func(e *Entry) { e.State = StateFetching },
	} {
		e := copied(good)
		change(&e)
		if err := w.store.Replace(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		good.Version++
		res, err := w.Result(t.Context(), tx.ID)
		family := kakunin.FamilyOf(err)
		// A key service may call what it cannot unwrap by its own name.
		if res != nil || err == nil || reasonOf(err) != ReasonTampered && reasonOf(err) != ReasonKeys ||
			family != kakunin.Untrusted && family != kakunin.Unavailable {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		if err := w.store.Replace(t.Context(), good); err != nil {
			t.Fatal(err)
		}
		good.Version++
	}
	res, err := w.Result(t.Context(), tx.ID)
	wantPlain(t, "the good one", res, err)
	// One that cannot be read stops neither the others nor a purge.
	bad := copied(good)
	bad.Record = []byte("x")
	if err := w.store.Replace(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	var errs, ok int
	for _, err := range w.Unfinished(t.Context()) {
		if err != nil {
			errs++
		} else {
			ok++
		}
	}
	if errs != 1 || ok != 1 {
		t.Errorf("%d errors, %d others", errs, ok)
	}
	if p, err := w.Purge(t.Context(), time.Now().Add(time.Hour)); err != nil || p.Deleted != 0 || p.Waiting != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestKeysAway: without the key service nothing is asked, and what is kept is still there when it is back.
func TestKeysAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := errors.New("the key service at 10.0.0.1 does not answer")
	keys := &failingKeys{KeyWrapper: w.keys, wrap: away}
	w.keys = keys
	w.Keeper = w.instance(nil)
	tx := w.begin()
	_, err := w.fetch(t.Context(), tx, "user-token")
	if reasonOf(err) != ReasonKeys || !errors.Is(err, away) || strings.Contains(err.Error(), "10.0.0.1") {
		t.Errorf("%v", err)
	}
	if _, asked := w.svc.requests(); asked != 0 || w.state(tx) != StateHandedOver {
		t.Errorf("asked %d times, %v", asked, w.state(tx))
	}
	keys.wrap, keys.unwrap = nil, away
	res, err := w.fetch(t.Context(), tx, "user-token")
	wantPlain(t, "what came needs no key service", res, err)
	if _, err := w.Result(t.Context(), tx.ID); reasonOf(err) != ReasonKeys {
		t.Errorf("%v", err)
	}
	keys.unwrap, keys.short = nil, true
	if _, err := w.Result(t.Context(), tx.ID); reasonOf(err) != ReasonKeys {
		t.Errorf("half a key: %v", err)
	}
	keys.short = false
	res, err = w.Result(t.Context(), tx.ID)
	wantPlain(t, "back", res, err)
}

// FuzzRecord feeds records to the reader: what it takes is written and read again the same.
func FuzzRecord(f *testing.F) {
	tx := sign.Transaction{
		ID: testID, Mode: sign.ModeBareHash, MediaType: "text/plain", Started: testNow, Expires: testNow,
	}
	for _, r := range []record{
		{Transaction: &tx, Since: testNow},
		{Transaction: &tx, Claim: &claim{By: "x", Until: testNow}, Wrapped: []byte{1}},
		{Transaction: &tx, Claim: &claim{By: "x", Until: testNow}, Wrapped: []byte{1}, Token: []byte{2}},
		{Transaction: &tx, Wrapped: []byte{1}, Reference: "契約", Note: "\x00"},
		{Transaction: &tx, Reason: "result lost"},
	} {
		b, err := r.encode()
		if err != nil {
			f.Fatal(err)
		}
		for s := StateUnknown; s <= StateOver+1; s++ {
			f.Add(b, int(s))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, state int) {
		e := Entry{ID: testID, State: State(state), Record: b}
		r, err := decodeRecord(e)
		if err != nil {
			if reasonOf(err) != ReasonTampered {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if k := r.kept(e.State, testNow); k.Transaction.ID != testID || (k.Reason != 0) != (e.State == StateOver) {
			t.Fatalf("%+v", k)
		}
		again, err := r.encode()
		if err != nil { // longer by the escapes of JSON, at most
			return
		}
		e.Record = again
		if _, err := decodeRecord(e); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
