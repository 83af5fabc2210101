package timestamp_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

func TestResponses(t *testing.T) {
	t.Parallel()
	query, err := request().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good := shared().Answer(query, timestamping.Faults{})
	for bit, detail := range map[int]string{
		timestamping.BadAlgorithm: "the hash algorithm is not accepted", 2: "bad request",
		14: "the time is not available",
		15: "the policy is not accepted", 25: "system failure", 3: "",
	} {
		_, err := timestamp.ParseResponse(shared().Answer(query, timestamping.Faults{Failure: bit}))
		var refused *timestamp.Error
		if !errors.As(err, &refused) || refused.Reason != timestamp.ReasonRefused || refused.Detail != detail {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "cut": good[:len(good)-1], "a byte more": append(bytes.Clone(good), 0),
		"granted without a token": {0x30, 5, 0x30, 3, 2, 1, 0},
		"too large":               make([]byte, 1<<20), "no status": {0x30, 2, 0x30, 0},
	} {
		if _, err := timestamp.ParseResponse(bad); !errors.Is(err,
			&timestamp.Error{Reason: timestamp.ReasonMalformed}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := timestamp.Parse(good); !errors.Is(err, &timestamp.Error{Reason: timestamp.ReasonMalformed}) {
		t.Errorf("a response as a token: %v", err)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]timestamp.Request{
		"no digest":        {},
		"of another hash":  {Hash: crypto.SHA512, Digest: make([]byte, 32)},
		"SHA-1":            {Hash: crypto.SHA1, Digest: make([]byte, 20)},
		"a negative nonce": {Digest: make([]byte, 32), Nonce: big.NewInt(-1)},
		"a huge nonce":     {Digest: make([]byte, 32), Nonce: new(big.Int).Lsh(big.NewInt(1), 300)},
		"no policy":        {Digest: make([]byte, 32), Policy: asn1.ObjectIdentifier{9, 9}},
	} {
		if _, err := bad.Marshal(); !errors.Is(err, &timestamp.Error{Reason: timestamp.ReasonRequest}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRequestsAtTheirLimits: the shortest and the longest nonce are sent, and found again.
func TestRequestsAtTheirLimits(t *testing.T) {
	t.Parallel()
	longest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), limits.TimestampNonce*8), big.NewInt(1))
	for _, nonce := range []*big.Int{new(big.Int), longest} {
		r := request()
		r.Nonce = nonce
		token, err := answer(t, shared(), r, timestamping.Faults{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier(t, shared(), nil).Verify(t.Context(), token, timestamp.Expect{Request: r}); err != nil {
			t.Error(err)
		}
	}
}

// TestLongestResponse: the limit itself is read.
func TestLongestResponse(t *testing.T) {
	t.Parallel()
	s := elliptics()
	fill := 200_000
	respond := func() []byte {
		return s.respond(stamp{after: func(p *parts) {
			half := make([]byte, fill/2)
			p.status = element(0x30, encoded(0), element(0x30, element(0x0c, half)))
			p.unsigned = element(0xa1, signeddata.Attribute(oidOther, element(0x04, half, make([]byte, fill%2))))
		}})
	}
	longest := respond()
	for len(longest) != limits.TimestampResponse { // signatures of ECDSA are some bytes longer or shorter
		fill += limits.TimestampResponse - len(longest)
		longest = respond()
	}
	if _, err := s.judge(t, longest, nil); err != nil {
		t.Error(err)
	}
	fill += 9 // more than those
	if _, err := s.judge(t, respond(), nil); !errors.Is(err, &timestamp.Error{Reason: timestamp.ReasonMalformed}) {
		t.Errorf("longer: %v", err)
	}
}

// FuzzParse: what is read is written again as it was, and can be judged without a panic.
func FuzzParse(f *testing.F) {
	query, err := request().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	token, err := timestamp.ParseResponse(shared().Answer(query, timestamping.Faults{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token.Raw())
	v := verifier(f, shared(), nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := timestamp.Parse(raw)
		if err != nil {
			if !errors.Is(err, &timestamp.Error{Reason: timestamp.ReasonMalformed}) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if !bytes.Equal(token.Raw(), raw) || token.Accuracy < 0 || token.Time.IsZero() {
			t.Fatal("not what was read")
		}
		r := timestamp.Request{Hash: token.Hash, Digest: token.Digest}
		if got, err := v.Verify(t.Context(), token, timestamp.Expect{Request: r}); err == nil &&
			!slices.Equal(got.Digest, r.Digest) {
			t.Fatal("another digest")
		}
	})
}

// FuzzParseResponse: a token or a typed error.
func FuzzParseResponse(f *testing.F) {
	query, err := request().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shared().Answer(query, timestamping.Faults{}))
	f.Add(shared().Answer(query, timestamping.Faults{Failure: 15}))
	f.Add(elliptics().respond(stamp{after: func(p *parts) {
		p.content = element(0xa0, element(0x24, encoded(p.info[:9]), encoded(p.info[9:])))
	}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := timestamp.ParseResponse(raw)
		var typed *timestamp.Error
		if (token == nil) == (err == nil) || err != nil && !errors.As(err, &typed) {
			t.Fatalf("token %v, error %v", token, err)
		}
	})
}
