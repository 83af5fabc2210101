package revocation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

func certs(a *authority) []*x509.Certificate {
	if a == nil {
		return []*x509.Certificate{nil}
	}
	return []*x509.Certificate{a.Cert}
}

// TestCRLDirectory: lists survive a restart as index files, and a file that is not usable is passed over and logged.
func TestCRLDirectory(t *testing.T) {
	a := signingAuthority(t, "ca")
	s := a.signer(t, a.Name)
	c := a.signingLeaf(t)
	directory := t.TempDir()
	var log bytes.Buffer
	var progress []crl.Progress
	open := func(signers ...*x509.Certificate) *Store {
		t.Helper()
		store, err := OpenStore(t.Context(), StoreConfig{
			Authorities: []*x509.Certificate{a.Cert}, Signers: signers, Directory: directory,
			Log:      slog.New(slog.NewTextHandler(&log, nil)),
			Progress: func(p crl.Progress) { progress = append(progress, p) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	files := func() []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(directory, "*"+indexEnding))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	store := open(s.Cert)
	yesterday := a.List(1)
	yesterday.ThisUpdate, yesterday.NextUpdate = utcTime(now.Add(-2*day)), utcTime(now.Add(-day))
	today := a.List(2, revoked(c, now.Add(-7*time.Hour), reasonExt(4)))
	path := filepath.Join(t.TempDir(), "today.crl")
	if err := os.WriteFile(path, today.Sign(a.Key), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := store.Add(t.Context(), bytes.NewReader(yesterday.Sign(a.Key))); err != nil {
		t.Fatal(err)
	}
	if err := store.Add(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	theirs := s.List(1)
	theirs.Extensions[2] = idp("Hino-shi", userOnly)
	if err := store.Add(t.Context(), bytes.NewReader(theirs.Sign(s.Key))); err != nil {
		t.Fatal(err)
	}
	if len(files()) != 3 || len(progress) == 0 {
		t.Errorf("%v, progress %v", files(), progress)
	}
	a.answer(t, store, c, now, Revoked)
	a.answer(t, store, c, now.Add(-2*day), Good)

	again := open(s.Cert)
	if again.Len() != 3 || log.Len() != 0 {
		t.Errorf("%d lists, %s", again.Len(), &log)
	}
	answer := a.answer(t, again, c, now, Revoked)
	if lists := evidenceLists(t, answer); len(lists) != 1 || len(lists[0].Entry) == 0 || lists[0].Number != "02" {
		t.Errorf("%+v", lists)
	}
	// The guard against a rollback is back, too.
	if err := again.Add(t.Context(), bytes.NewReader(yesterday.Sign(a.Key))); err == nil {
		t.Error("yesterday's list was accepted again")
	}
	// It is still in the store, so that its file must stay for the next start.
	if len(files()) != 3 || open(s.Cert).Len() != 3 {
		t.Errorf("%v", files())
	}
	t.Run("prune", func(t *testing.T) {
		if n := again.Prune(now); n != 1 || len(files()) != 2 {
			t.Errorf("%d pruned, %v", n, files())
		}
	})
	t.Run("without the signer", func(t *testing.T) {
		log.Reset()
		if store := open(); store.Len() != 1 || !strings.Contains(log.String(), "passed over") {
			t.Errorf("%d lists, %s", store.Len(), &log)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		log.Reset()
		for _, name := range files() {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.Remove(name); err != nil { // the old file may still be mapped
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		config := StoreConfig{
			Authorities: []*x509.Certificate{a.Cert}, Signers: []*x509.Certificate{s.Cert}, Directory: directory,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		}
		if _, err := OpenStore(t.Context(), config); !errors.Is(err, &Error{Reason: ReasonListIncomplete}) ||
			strings.Count(log.String(), "passed over") != 2 {
			t.Errorf("%v, %s", err, &log)
		}
		config.OpenIncomplete = true
		store, err := OpenStore(t.Context(), config)
		if err != nil || store.Len() != 0 || len(store.Incomplete()) != 2 {
			t.Fatalf("%v, %d lists", err, store.Len())
		}
		if err := store.Add(t.Context(), bytes.NewReader(today.Sign(a.Key))); err != nil {
			t.Errorf("the list cannot be added again: %v", err)
		}
		a.answer(t, store, c, now, Revoked)
	})
}

// TestCRLSwapWhileAsked: a new list takes the place of the old one between two look-ups.
func TestCRLSwapWhileAsked(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	for _, directory := range []string{"", t.TempDir()} {
		store, err := OpenStore(t.Context(), StoreConfig{Authorities: []*x509.Certificate{a.Cert},
			Directory: directory})
		if err != nil {
			t.Fatal(err)
		}
		list := func(n int) []byte {
			var entries [][]byte
			if n >= 8 {
				entries = append(entries, revoked(c, now.Add(-7*time.Hour), reasonExt(4)))
			}
			spec := a.List(int64(n), entries...)
			spec.ThisUpdate = utcTime(now.Add(time.Duration(n-100) * time.Minute))
			return spec.Sign(a.Key)
		}
		if err := store.Add(t.Context(), bytes.NewReader(list(1))); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				was := Good
				for range 200 {
					answer, err := store.Check(t.Context(), Query{Certificate: c, Issuer: a.asked(), At: now})
					if err != nil || answer.Status != Good && answer.Status != Revoked || was == Revoked &&
						answer.Status != Revoked {
						t.Errorf("%v after %v, %v", answer, was, err)
						return
					}
					was = answer.Status
				}
			})
		}
		for n := 2; n <= 16; n++ {
			if err := store.Add(t.Context(), bytes.NewReader(list(n))); err != nil {
				t.Error(err)
			}
			if n%4 == 0 {
				store.Prune(now)
			}
		}
		group.Wait()
		a.answer(t, store, c, now, Revoked)
	}
}
