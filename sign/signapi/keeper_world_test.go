package signapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// onceService gives a result once, as the real one may. It is a transport: nothing goes over a network, so the tests
// can have a clock of their own.
type onceService struct {
	mu      sync.Mutex
	started int
	asked   int
	given   map[string]bool
	// result, if set, answers instead: nil goes on as usual.
	result func(r *http.Request, asked int) (*http.Response, error)
}

const plainSecret = "the certificate of 確認花子"

func plainResult() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{"sig":%q,"cert":%q}`, b64(bytes.Repeat([]byte{7}, 256)), b64([]byte(plainSecret)))
}

func respond(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func (s *onceService) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Method == http.MethodPost {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.started++
		return respond(299, fmt.Sprintf(`{"tx":"%08x-0000-e000-0000-000000000000","ttl":600}`, s.started)), nil
	}
	s.mu.Lock()
	s.asked++
	asked := s.asked
	s.mu.Unlock()
	if s.result != nil {
		if resp, err := s.result(r, asked); resp != nil || err != nil {
			return resp, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given[r.URL.Path] {
		return respond(410, `{"why":"e-consumed"}`), nil
	}
	s.given[r.URL.Path] = true
	return respond(298, plainResult()), nil
}

func (s *onceService) requests() (started, asked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started, s.asked
}

// faulty is a store that fails when it is told to: before a write, or after it, when nobody hears of it.
type faulty struct {
	Store
	mu     sync.Mutex
	before func(op string, e Entry) error
	after  func(op string, e Entry) error
}

var errDiskFull = errors.New("no space left on device")

func (f *faulty) write(op string, e Entry, do func() error) error {
	f.mu.Lock()
	before, after := f.before, f.after
	f.mu.Unlock()
	if before != nil {
		if err := before(op, e); err != nil {
			return err
		}
	}
	err := do()
	if err == nil && after != nil {
		err = after(op, e)
	}
	return err
}

func (f *faulty) set(before, after func(string, Entry) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *faulty) Add(ctx context.Context, e Entry) error {
	return f.write("add", e, func() error { return f.Store.Add(ctx, e) })
}

func (f *faulty) Replace(ctx context.Context, e Entry) error {
	return f.write("replace", e, func() error { return f.Store.Replace(ctx, e) })
}

// world is an instance of an application at a service; more instances have the same service and store.
type world struct {
	t      *testing.T
	svc    *onceService
	store  *faulty
	keys   KeyWrapper
	client *Client
	*Keeper
}

func localKeys(t *testing.T) KeyWrapper {
	t.Helper()
	keys, err := evidence.NewLocalKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, svc: &onceService{given: map[string]bool{}}, store: &faulty{Store: NewMemory()}, keys: localKeys(t),
	}
	w.Keeper = w.instance(nil)
	w.client = w.Keeper.client
	return w
}

func (w *world) instance(now func() time.Time) *Keeper {
	w.t.Helper()
	c, err := newClient(fakeService{
		"https://service.example/t", &http.Client{Transport: w.svc, Timeout: 10 * time.Second}, nil,
	}, otherWire(), Config{Now: now})
	if err != nil {
		w.t.Fatal(err)
	}
	k, err := NewKeeper(KeeperConfig{Client: c, Store: w.store, Keys: w.keys})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func (w *world) begin() *sign.Transaction {
	w.t.Helper()
	kept, err := w.Start(w.t.Context(), Request{
		Document: sign.Text(agreement), Mode: sign.ModeBareHash, Reference: "契約 7", Note: "n",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	tx, err := w.HandOver(w.t.Context(), kept.Transaction.ID)
	if err != nil || tx.ID != kept.Transaction.ID {
		w.t.Fatal(err)
	}
	return tx
}

func (w *world) unfinished() (all []Kept) {
	w.t.Helper()
	for kept, err := range w.Unfinished(w.t.Context()) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, kept)
	}
	return all
}

func (w *world) state(tx *sign.Transaction) State {
	w.t.Helper()
	e, err := w.store.Get(w.t.Context(), tx.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.State
}

func wantPlain(t *testing.T, what string, res *Unverified, err error) {
	t.Helper()
	if err != nil || res == nil || res.Opened == nil || string(res.Opened.RevealCertificate()) != plainSecret {
		t.Errorf("%s: %v, %v, %v", what, res, err, errors.Unwrap(err))
	}
}

func errOf(_ *Unverified, err error) error { return err }

// failingKeys is a key service that is away.
type failingKeys struct {
	KeyWrapper
	wrap, unwrap error
	short        bool
}

func (f *failingKeys) WrapKey(ctx context.Context, key []byte, label string) ([]byte, error) {
	if f.wrap != nil {
		return nil, f.wrap
	}
	return f.KeyWrapper.WrapKey(ctx, key, label)
}

func (f *failingKeys) UnwrapKey(ctx context.Context, wrapped []byte, label string) ([]byte, error) {
	if f.unwrap != nil {
		return nil, f.unwrap
	}
	key, err := f.KeyWrapper.UnwrapKey(ctx, wrapped, label)
	if f.short {
		key = key[:16]
	}
	return key, err
}
