package certpath

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// An ECDSA signature verifies with two keys, of which the second can be computed from the first. A certificate for it,
// signed by nobody, must not spoil the list: neither in the call that it came with nor in later ones.
func TestSecondKeyOfListSignature(t *testing.T) {
	list := newList("Lists", "lists").with(idp(fullName(directory("Lists")), flag(der.Tag4)))
	raw := list.der()
	testKeyOf(t, "second", secondKey(t, "lists", raw))
	unverified, err := crl.Parse(raw, crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fake := caSpec("Lists", "second", "A", "stranger").without(oidSubjectKeyID).
		with(extDER(oidSubjectKeyID, false, wrap(cbasn1.OCTET_STRING, keyIDOf("lists")))).cert(t)
	lists, err := revocation.NewLists(unverified)
	if err != nil {
		t.Fatal(err)
	}
	named := pointsExt(seq(wrap(der.Tag2C, directory("Lists"))))
	signer := caSpec("Lists", "lists", "A", "A").without(oidBasicConstraints).without(oidKeyUsage).
		with(extDER(oidKeyUsage, true, []byte{3, 2, 1, 2}), named).cert(t)
	c := testConfig([]*Certificate{rootOf(t, "A")})
	c.Revocation = revocation.Require(lists)
	leaf := leafSpec("EE", "A", "A").with(named).cert(t)
	_, err = validate(t, c, leaf, With(fake, signer))
	wantReason(t, err, ReasonUnknown)
	_, err = validate(t, c, leaf, With(signer))
	wantReason(t, err, ReasonUnknown)
	// The second key really verifies the list.
	again, err := crl.Parse(raw, crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Verify(t.Context(), fake.key.Key); err != nil {
		t.Error(err)
	}
}

func testKeyOf(t *testing.T, label string, key *ecdsa.PrivateKey) {
	t.Helper()
	keysMutex.Lock()
	defer keysMutex.Unlock()
	keys[label] = key
}

// secondKey is –d – 2z/r, whose public half needs no d: –Q – (2z/r)G.
func secondKey(t *testing.T, label string, list cryptobyte.String) *ecdsa.PrivateKey {
	t.Helper()
	var outer, tbs, signature cryptobyte.String
	var octets []byte
	r, s := new(big.Int), new(big.Int)
	if !list.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!outer.SkipASN1(cbasn1.SEQUENCE) || !outer.ReadASN1BitStringAsBytes(&octets) {
		t.Fatal("not a list")
	}
	values := cryptobyte.String(octets)
	if !values.ReadASN1(&signature, cbasn1.SEQUENCE) || !signature.ReadASN1Integer(r) || !signature.ReadASN1Integer(s) {
		t.Fatal("not a signature")
	}
	n := elliptic.P256().Params().N
	first, err := testKey(label).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(tbs)
	d := new(big.Int).SetBytes(sum[:])
	d.Mul(d.Lsh(d, 1), new(big.Int).ModInverse(r, n))
	d.Add(d, new(big.Int).SetBytes(first))
	d.Mod(d.Neg(d), n)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Two authorities of one name, each with a key and a list of its own: what the list of the other one does not say is no
// answer, however high its number is.
func TestListsOfGenerationsOfOneName(t *testing.T) {
	number := func(l *listSpec, n int64) *listSpec {
		l.extensions[1] = extDER(oidCRLNumberTest, false, integer(n))
		return l
	}
	other := caSpec("Sub", "gen2", "A", "A")
	other.serial = []byte{2}
	pool := []*spec{caSpec("Sub", "gen1", "A", "A"), other}
	revoked := entry(leafSerial, noon().Add(-day), 4)
	for name, c := range map[string]struct {
		first, second *listSpec
		want          Reason
	}{
		"on no list":            {number(newList("Sub", "gen1"), 9), newList("Sub", "gen2"), ReasonUnknown},
		"on that of its issuer": {number(newList("Sub", "gen1"), 9), newList("Sub", "gen2", revoked), ReasonRevoked},
		"lower number":          {number(newList("Sub", "gen1"), 5), newList("Sub", "gen2", revoked), ReasonRevoked},
		// Nothing tells it from an authority that has a new key and signs its only list with it.
		"on that of the other": {number(newList("Sub", "gen1", revoked), 5), newList("Sub", "gen2"), ReasonRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&revocationCase{leaf: leafSpec("EE", "Sub", "gen2"), pool: pool,
				lists: []*listSpec{newList("A", "A"), c.first, c.second}}).run(t)
			wantReason(t, err, c.want)
		})
	}
}

// Whoever fills the pool can use up the signatures of a call. The delta list that shows the revocation must not go
// unread for that, whether data may be absent or not.
func TestSignatureLimitHidesNoRevocation(t *testing.T) {
	delta := newList("Sub", "sub", entry(leafSerial, noon().Add(-day), 4)).with(extDER(oidDelta, true, integer(7)))
	delta.extensions[1] = extDER(oidCRLNumberTest, false, integer(8))
	lists := listsOf(t, []*listSpec{newList("A", "A"), newList("Sub", "sub"), delta})
	anchor, sub := rootOf(t, "A"), caSpec("Sub", "sub", "A", "A").cert(t)
	leaf := leafSpec("EE", "Sub", "sub").without(oidAuthorityKeyID).cert(t)
	var impostors []*Certificate
	for i := range limits.PathSignatures {
		s := caSpec("Sub", fmt.Sprintf("impostor%d", i), "A", "A")
		s.serial = []byte{1, byte(i >> 8), byte(i)}
		impostors = append(impostors, s.cert(t))
	}
	refused := map[Reason]bool{}
	for n := limits.PathSignatures - 8; n <= limits.PathSignatures; n++ {
		for _, mode := range []revocation.Mode{revocation.Required, revocation.WhenPresent} {
			c := testConfig([]*Certificate{anchor}, append(impostors[:n:n], sub)...)
			c.Revocation = policyOf(mode, lists)
			_, err := validate(t, c, leaf)
			if err == nil {
				t.Errorf("%d impostors, mode %d: the revoked certificate is valid", n, mode)
			}
			refused[reasonOf(err)] = true
		}
	}
	if !refused[ReasonRevoked] || !refused[ReasonLimit] || len(refused) != 2 {
		t.Errorf("refused for %v", refused)
	}
}

// Anybody can make certificates of a list's signer whose signatures this package would not even look at. Many of them
// must neither cost much nor keep the list of the real one from being read.
func TestImpostorsOfListSignerHideNoRevocation(t *testing.T) {
	named := pointsExt(seq(wrap(der.Tag2C, directory("Lists"))))
	issuerOf := extDER(oidCertIssuer, true, seq(directory("A")))
	indirect := newList("Lists", "lists", entry(leafSerial, noon().Add(-day), 4, issuerOf)).with(
		idp(fullName(directory("Lists")), flag(der.Tag4)))
	signer := caSpec("Lists", "lists", "A", "A").with(named).cert(t)
	leaf := leafSpec("EE", "A", "A").with(named).cert(t)
	var impostors []*Certificate
	for i := range 4 * limits.PathSignatures {
		s := caSpec("Lists", "lists", "A", "stranger")
		s.serial, s.algorithm = []byte{1, byte(i >> 8), byte(i)}, seq(oidDER(1, 2, 840, 10045, 4, 1))
		impostors = append(impostors, s.cert(t))
	}
	for n, want := range map[int]Reason{0: ReasonRevoked, 10: ReasonRevoked, limits.PathCandidates: ReasonLimit,
		len(impostors): ReasonLimit} {
		for _, mode := range []revocation.Mode{revocation.Required, revocation.WhenPresent} {
			c := testConfig([]*Certificate{rootOf(t, "A")}, append(impostors[:n:n], signer)...)
			c.Revocation = policyOf(mode, listsOf(t, []*listSpec{indirect}))
			v, err := NewVerifier(c)
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.Verify(t.Context(), leaf)
			wantReason(t, err, want)
			r := &run{verifier: v, ctx: t.Context(), at: noon(), index: v.index, verified: map[signedEdge]bool{}}
			_ = r.validate(&Result{Path: []*Certificate{v.config.Anchors[0], leaf}})
			if len(r.signers) > limits.PathSignatures || r.signatures > limits.PathSignatures+1 {
				t.Errorf("%d impostors: %d searches, %d signatures", n, len(r.signers), r.signatures)
			}
		}
	}
}

// A call that ends while the sources are asked is no reason to go on without them.
func TestEndedContextIsNoAbsentData(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := testConfig([]*Certificate{rootOf(t, "A")})
	c.Revocation = revocation.IfPresent(cancelling(cancel))
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	result, err := v.Verify(ctx, leafSpec("EE", "A", "A").cert(t))
	wantReason(t, err, ReasonLimit)
	if result.Valid {
		t.Error("valid")
	}
}

type cancelling context.CancelFunc

// Check implements revocation.Source.
func (c cancelling) Check(context.Context, revocation.Query) (revocation.Answer, error) {
	c()
	return revocation.Answer{}, nil
}

// The first call for a list makes its index. When that call is given up the list still serves the others.
func TestGivenUpCallSpoilsNoList(t *testing.T) {
	c := testConfig([]*Certificate{rootOf(t, "A")})
	c.Revocation = revocation.Require(listsOf(t, []*listSpec{newList("A", "A", entry(0x55, noon().Add(-day), 4))}))
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	leaf := leafSpec("EE", "A", "A").cert(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(ended, leaf); err == nil {
		t.Error("an ended call found an answer")
	}
	_, err = v.Verify(t.Context(), leaf)
	wantReason(t, err, ReasonUnknown)
}

// Comparisons with name constraints are counted for the call, not for each of the many paths that a pool may offer.
func TestNameComparisonsOfOneCall(t *testing.T) {
	constraints := extDER(oidNameConstraints, true, seq(wrap(der.Tag0C, seq(general(names.FormDNS, "example.com")))))
	sub := caSpec("Sub", "sub", "A", "A").with(constraints).cert(t)
	leaf := leafSpec("EE", "Sub", "sub").with(extDER(oidSubjectAltName, false,
		seq(general(names.FormDNS, "www.example.com")))).cert(t)
	v, err := NewVerifier(testConfig([]*Certificate{rootOf(t, "A")}))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{verifier: v, ctx: t.Context(), at: noon(), index: v.index, verified: map[signedEdge]bool{},
		comparisons: 2}
	for i, want := range []Reason{ReasonUnknown, ReasonUnknown, ReasonNameConstraints} {
		if err := r.validate(&Result{Path: []*Certificate{v.config.Anchors[0], sub, leaf}}); reasonOf(err) != want {
			t.Errorf("path %d: %v", i, err)
		}
	}
}
