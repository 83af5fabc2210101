package daa_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// The client finds the real key among all that a key set may hold.
func TestKeyKnobs(t *testing.T) {
	rp := start(t)
	for name, c := range map[string]struct {
		keys    daa.KeyKnobs
		id      daa.IDTokenKnobs
		listed  int
		refused bool
	}{
		"decoys, ES256": {keys: daa.KeyKnobs{Decoys: true}, listed: 8},
		"decoys, RS256": {keys: daa.KeyKnobs{Decoys: true}, id: daa.IDTokenKnobs{Algorithm: "RS256"}, listed: 8},
		"unknown types": {keys: daa.KeyKnobs{UnknownTypes: true}, listed: 8},
		"many keys":     {keys: daa.KeyKnobs{More: 40}, listed: 42},
		"all of it":     {keys: daa.KeyKnobs{Decoys: true, UnknownTypes: true, More: 40}, listed: 54},
		"no key ids": {keys: daa.KeyKnobs{OmitKeyIDs: true}, id: daa.IDTokenKnobs{OmitKeyID: true},
			listed: 2},
		"no key ids, decoys": {keys: daa.KeyKnobs{OmitKeyIDs: true, Decoys: true},
			id: daa.IDTokenKnobs{OmitKeyID: true}, listed: 8, refused: true},
		"key id, but unlisted": {keys: daa.KeyKnobs{OmitKeyIDs: true}, listed: 2, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			rp.svc.SetKnobs(daa.Knobs{Keys: c.keys, Token: daa.TokenKnobs{IDToken: c.id}})
			var doc struct{ Keys []json.RawMessage }
			if err := json.Unmarshal(rp.do(http.MethodGet, rp.svc.Environment().JWKSEndpoint, "", "", "").body,
				&doc); err != nil || len(doc.Keys) != c.listed {
				t.Errorf("%d keys, %v", len(doc.Keys), err)
			}
			if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{}); (err != nil) != c.refused {
				t.Error(err)
			}
		})
	}
}

// Rotation under a new key id and under the old one.
func TestRotationKeepsKeyID(t *testing.T) {
	rp := start(t)
	kid := func() string {
		set, err := jose.ParseKeySet(rp.do(http.MethodGet, rp.svc.Environment().JWKSEndpoint, "", "", "").body)
		if err != nil || len(set.Keys) != 2 {
			t.Fatalf("%d keys, %v", len(set.Keys), err)
		}
		return set.Keys[1].KeyID
	}
	c := rp.client()
	for _, keep := range []bool{true, false, true} {
		before := kid()
		rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{RotationKeepsKeyID: keep}}})
		if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); err != nil {
			t.Fatal(err)
		}
		if err := rp.svc.RotateKeys(); err != nil {
			t.Fatal(err)
		}
		if (kid() == before) != keep {
			t.Errorf("keep %v: the key id changed: %v", keep, kid() != before)
		}
		if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); err != nil {
			t.Errorf("keep %v: %v", keep, err)
		}
	}
}
