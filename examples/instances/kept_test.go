//go:build servers

package instances

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/examples/internal/signaturestore"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// newKeeper makes an instance's Keeper: all instances have the store and the keys.
func newKeeper(rp *authn.Client, s settings, now func() time.Time) (*signapi.Keeper, error) {
	client, err := signapi.New(signapi.Config{Client: rp, Now: now})
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(s.SealKeys)
	if err != nil {
		return nil, err
	}
	keys, err := evidence.NewLocalKeys(secret)
	if err != nil {
		return nil, err
	}
	store, err := signaturestore.Open(context.Background(), s.Kept)
	if err != nil {
		return nil, err
	}
	return signapi.NewKeeper(signapi.KeeperConfig{Client: client, Store: telling{store, s.Gate}, Keys: keys})
}

// telling tells the test when a result is kept, and waits: the test kills some instances just then.
type telling struct {
	signapi.Store
	gate string
}

const (
	keptPath       = "/the-test/kept"
	resultsPerKill = 4
)

func (s telling) Replace(ctx context.Context, e signapi.Entry) error {
	err := s.Store.Replace(ctx, e)
	if err != nil || e.State != signapi.StateFetched {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.gate+keptPath, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil //nolint:nilerr // it is kept
	}
	return resp.Body.Close()
}

// nothingIsForgotten: of every result that the service gave, it is known what became of it. Some were kept by an
// instance that was killed then, and handed out by another one.
func (s *site) nothingIsForgotten(t *testing.T) {
	t.Helper()
	known := s.instances[0].settings
	key, err := authn.LoadKey(known.KeyFile)
	must(t, err)
	rp, err := authn.New(authn.Config{
		Environment: s.svc.Environment(), ClientID: clientID, Key: key, RedirectURL: s.front + "/auth/callback",
		HTTPClient: s.svc.Client(),
	})
	must(t, err)
	later := func() time.Time { return time.Now().Add(2 * time.Minute) }
	keeper, err := newKeeper(rp, known, later)
	must(t, err)
	var closed, waiting, lost int
	for _, x := range s.svc.Transactions() {
		if x.Fetched == 0 {
			continue
		}
		switch _, err := keeper.AskAgain(t.Context(), x.ID); {
		case err == nil:
			waiting++ // no browser came for it
		case errors.Is(err, &signapi.Error{Reason: signapi.ReasonConsumed}):
			closed++
		case errors.Is(err, &signapi.Error{Reason: signapi.ReasonLost}):
			lost++
		default:
			t.Errorf("a result that was given: %v", err)
		}
	}
	handed, err := s.redis.Get(t.Context(), handedOutLater).Int()
	if err != nil || handed == 0 {
		t.Errorf("no instance handed out what another one had kept: %v", err)
	}
	t.Logf("results given: %d handed out (%d by another instance than had kept them), %d kept and not fetched by a"+
		" browser, %d lost and named", closed, handed, waiting, lost)
}
