package revocation

import (
	"errors"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// TestListsWithoutNumber: RFC 5280, 5.2.3 – a list without cRLNumber, or with a critical one, decides nothing, unless
// it is said to come from an archive.
func TestListsWithoutNumber(t *testing.T) {
	a := signingAuthority(t, "ca")
	q := Query{Certificate: a.signingLeaf(t), Issuer: a.asked(), At: now}
	for name, c := range map[string]struct {
		change   func(*listSpec)
		want     Status
		archived Status
	}{
		"with one": {func(*listSpec) {}, Good, Good},
		"without": {func(s *listSpec) { s.Extensions = append(s.Extensions[:1:1], s.Extensions[2]) }, Unknown,
			Good},
		"a critical one": {func(s *listSpec) { s.Extensions[1] = ext(oidCRLNumber, true, integer(1)) }, Unknown, Good},
		"of 21 octets": {func(s *listSpec) {
			s.Extensions[1] = ext(oidCRLNumber, false, wrap(cbasn1.INTEGER, make([]byte, 0),
				append([]byte{1}, make([]byte, 20)...)))
		}, Unknown, Unknown},
		"of another scope": {func(s *listSpec) { s.Extensions[2] = idp("Hino-shi", userOnly) }, Unknown, Unknown},
	} {
		spec := a.List(1)
		c.change(&spec)
		u, err := crl.Parse(spec.Sign(a.Key), crl.Options{})
		if err != nil {
			if c.archived != Unknown {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for archived, want := range map[bool]Status{false: c.want, true: c.archived} {
			lists, err := newLists([]*crl.Unverified{u}, archived)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := lists.Check(t.Context(), q)
			if answer.Status != want || (err == nil) != (want != Unknown) {
				t.Errorf("%s, archived %v: %v, %v", name, archived, answer, err)
			}
		}
		store, err := OpenStore(t.Context(), StoreConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.take(t.Context(), u); (err == nil) != (name == "with one" || name == "of another scope") ||
			err != nil && !errors.Is(err, &Error{Reason: ReasonList, Step: "crl.number"}) {
			t.Errorf("%s, in a store: %v", name, err)
		}
	}
}

// TestInvalidityDate: an invalidityDate before the time makes a later revocation count, in every kind of list:
// complete, partitioned, indirect, delta; in a store and in a set of lists.
func TestInvalidityDate(t *testing.T) {
	a := signingAuthority(t, "ca")
	leaf := a.signingLeaf(t)
	invalid := func(at time.Time, extra ...[]byte) []byte {
		return revoked(leaf, now.Add(time.Hour), append([][]byte{reasonExt(4),
			ext(oidInvalidityDate, false, generalizedTime(at))}, extra...)...)
	}
	issuer := ext(oidCertificateIssuer, true, sequence(wrap(tag4c, a.Name)))
	kinds := map[string]func(entry func(extra ...[]byte) []byte) [][]byte{
		"complete": func(entry func(extra ...[]byte) []byte) [][]byte {
			s := a.List(1, entry())
			s.Extensions = s.Extensions[:2]
			return [][]byte{s.Sign(a.Key)}
		},
		"partitioned": func(entry func(extra ...[]byte) []byte) [][]byte {
			s := a.List(1, entry())
			return [][]byte{s.Sign(a.Key)}
		},
		"indirect": func(entry func(extra ...[]byte) []byte) [][]byte {
			s := a.List(1, entry(issuer))
			s.Extensions[2] = idp("Kiyose-shi", userOnly, []byte{0x84, 1, 0xff})
			return [][]byte{s.Sign(a.Key)}
		},
		"delta": func(entry func(extra ...[]byte) []byte) [][]byte {
			s, d := a.List(1), a.delta(2, 1, entry())
			return [][]byte{s.Sign(a.Key), d.Sign(a.Key)}
		},
	}
	q := Query{Certificate: leaf, Issuer: a.asked(), At: now}
	for name, lists := range kinds {
		for at, want := range map[time.Duration]Status{-time.Second: Revoked, 0: Revoked, time.Second: Good} {
			encoded := lists(func(extra ...[]byte) []byte { return invalid(now.Add(at), extra...) })
			var unverified []*crl.Unverified
			for _, der := range encoded {
				unverified = append(unverified, mustParse(t, der))
			}
			set, err := NewLists(unverified...)
			if err != nil {
				t.Fatal(err)
			}
			for kind, source := range map[string]Source{"store": a.trusting(t, encoded...), "set": set} {
				answer, err := source.Check(t.Context(), q)
				if err != nil || answer.Status != want || answer.Reason != 4 {
					t.Errorf("%s, %s, invalid from %v: %v, %v", name, kind, at, answer, err)
				}
			}
		}
	}
}

// TestOneEngine: a store and a set of the same lists answer the same.
func TestOneEngine(t *testing.T) {
	a := signingAuthority(t, "ca")
	leaf := a.signingLeaf(t)
	gone := revoked(leaf, now.Add(-2*time.Hour), reasonExt(4))
	then := a.List(1)
	then.ThisUpdate, then.NextUpdate = utcTime(now.Add(-10*day)), utcTime(now.Add(-9*day))
	today, delta := a.List(5), a.delta(7, 5, gone)
	held := a.List(6, revoked(leaf, now.Add(-2*day), reasonExt(6)))
	held.ThisUpdate = utcTime(now.Add(-5 * time.Hour))
	for name, specs := range map[string][]listSpec{
		"none": {}, "one": {today}, "revoked": {a.List(5, gone)}, "delta": {today, delta},
		"then and today": {then, a.List(5, gone)},
		"held":           {today, held}, "held and revoked": {today, held, delta},
	} {
		var encoded [][]byte
		var unverified []*crl.Unverified
		for _, s := range specs {
			encoded = append(encoded, s.Sign(a.Key))
			unverified = append(unverified, mustParse(t, encoded[len(encoded)-1]))
		}
		set, err := NewLists(unverified...)
		if err != nil {
			t.Fatal(err)
		}
		store := a.trusting(t, encoded...)
		for _, at := range []time.Time{now.Add(-10*day + time.Hour), now.Add(-3 * time.Hour), now,
			now.Add(20 * time.Hour)} {
			q := Query{Certificate: leaf, Issuer: a.asked(), At: at}
			one, errOne := store.Check(t.Context(), q)
			two, errTwo := set.Check(t.Context(), q)
			if one.Status != two.Status || one.Reason != two.Reason || !one.RevokedAt.Equal(two.RevokedAt) ||
				!one.ThisUpdate.Equal(two.ThisUpdate) ||
				!one.NextUpdate.Equal(two.NextUpdate) || (errOne == nil) != (errTwo == nil) ||
				string(one.Evidence) != string(two.Evidence) {
				t.Errorf("%s at %v: store %v (%v), set %v (%v)", name, at.Sub(now), one, errOne, two, errTwo)
			}
		}
	}
}
