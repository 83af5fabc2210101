package authn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

func TestParsePendingRefuses(t *testing.T) {
	op := newOP(t)
	begun := op.begin(op.client(), Request{Scopes: Name, Sign: testTx, KeepTokens: true})
	good, err := begun.Pending.RevealBytes()
	if err != nil {
		t.Fatal(err)
	}
	octet := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[at] = value
		return b
	}
	with := func(change func(f *pendingFields)) []byte { return storedLogin(t, begun, change) }
	for name, b := range map[string][]byte{
		"empty":                nil,
		"version 1":            []byte(`{"v":1}`),
		"version 3":            octet(0, 3),
		"unknown flag":         octet(1, 2),
		"version alone":        good[:1],
		"no issuer":            with(func(f *pendingFields) { f.Issuer = "" }),
		"no client":            with(func(f *pendingFields) { f.ClientID = "" }),
		"no redirect":          with(func(f *pendingFields) { f.RedirectURL = "" }),
		"tenant too long":      with(func(f *pendingFields) { f.Tenant = strings.Repeat("w", maxTenantName+1) }),
		"redirect too long":    with(func(f *pendingFields) { f.RedirectURL = strings.Repeat("r", 256) }),
		"no scopes":            with(func(f *pendingFields) { f.Scopes = nil }),
		"an empty scope":       with(func(f *pendingFields) { f.Scopes = []string{""} }),
		"a scope with a space": with(func(f *pendingFields) { f.Scopes = []string{"a b"} }),
		"too many scopes":      with(func(f *pendingFields) { f.Scopes = strings.Fields(strings.Repeat("s ", 101)) }),
		"transaction":          with(func(f *pendingFields) { f.TransactionID = "a b" }),
		"no time":              with(func(f *pendingFields) { f.Created = 0 }),
		"before 1970":          with(func(f *pendingFields) { f.Created = -1 }),
		"one octet more":       append(bytes.Clone(good), 0),
		"a length too long":    append(bytes.Clone(good), 0, 2, 's'),
		"too large":            append(bytes.Clone(good), make([]byte, limits.PendingStored)...),
	} {
		if _, err := ParsePending(b); err == nil || kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Cut off between two scopes it is a login with fewer scopes; anywhere else it is none.
	scopes := 0
	for n := range good {
		if _, err := ParsePending(good[:n]); err == nil {
			scopes++
		}
	}
	if scopes != len(begun.Pending.fields().Scopes)-1 {
		t.Errorf("%d beginnings were accepted", scopes)
	}
	p, err := ParsePending(good)
	if err != nil || !reflect.DeepEqual(p.fields(), begun.Pending.fields()) {
		t.Errorf("%+v, %v", p.fields(), err)
	}
	if _, err := (Pending{}).RevealBytes(); err == nil {
		t.Error("the zero Pending was encoded")
	}
	if p := (Pending{}); p.State() != "" || !p.Created().IsZero() || p.TransactionID() != "" {
		t.Error("the zero Pending")
	}
}

// What could not be read again is not written.
func TestPendingIsNotStored(t *testing.T) {
	op := newOP(t)
	for name, change := range map[string]func(*pendingFields){
		"a short state":    func(f *pendingFields) { f.State = f.State[1:] },
		"a long nonce":     func(f *pendingFields) { f.Nonce += "AAAA" },
		"not base64url":    func(f *pendingFields) { f.Verifier = strings.Repeat("+", secretText) },
		"bits of no octet": func(f *pendingFields) { f.State = strings.Repeat("A", secretText-1) + "B" },
		"a line break":     func(f *pendingFields) { f.Nonce = strings.Repeat("A", secretText-1) + "\n" },
		"two that make it even": func(f *pendingFields) {
			f.State, f.Nonce = "AAAA", strings.Repeat("A", 82) // 3 and 61 octets
		},
		"too large":              func(f *pendingFields) { f.Issuer = strings.Repeat("i", limits.PendingStored) },
		"longer than its length": func(f *pendingFields) { f.Tenant = strings.Repeat("w", 1<<16) },
	} {
		f := *op.begin(op.client(), Request{Scopes: Name}).Pending.fields()
		change(&f)
		if _, err := (Pending{v: redact.Seal(&f)}).RevealBytes(); kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Sealed and encoded, a pending login with everything in it fits into a cookie beside what an application adds.
func TestPendingIsSmall(t *testing.T) {
	op := newOP(t)
	b, err := op.begin(op.client(), Request{Scopes: Attributes | UserCertificate, Sign: testTx}).Pending.RevealBytes()
	if err != nil || len(b) > 384 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func FuzzParsePending(f *testing.F) {
	op := newOP(f)
	c := op.client()
	b, err := op.begin(c, Request{Scopes: Attributes, Sign: testTx}).Pending.RevealBytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"v":1}`))
	f.Add(b[:len(b)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePending(b)
		if err != nil {
			return
		}
		again, err := p.RevealBytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x, %v", b, again, err)
		}
	})
}

func TestStoredIdentity(t *testing.T) {
	op := newOP(t)
	id, err := op.login(op.client(), Request{Scopes: Attributes, Sign: testTx})
	if err != nil {
		t.Fatal(err)
	}
	b, err := id.RevealBytes()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), testAccess) {
		t.Error("the access token is in the stored form")
	}
	var s storedIdentity
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	back, err := ParseIdentity(b)
	if err != nil {
		t.Fatal(err)
	}
	if back.Subject != id.Subject || back.Issuer != id.Issuer || back.ACR != id.ACR ||
		!back.AuthTime.Equal(id.AuthTime) || !back.IssuedAt.Equal(id.IssuedAt) ||
		!back.GrantedListed || len(back.Granted) != len(id.Granted) || len(back.Asked) != len(id.Asked) ||
		back.TransactionID != id.TransactionID ||
		back.Person.Name.Reveal() != id.Person.Name.Reveal() ||
		back.Person.Birthdate.Reveal() != id.Person.Birthdate.Reveal() {
		t.Error("something changed")
	}
	if raw, ok := back.Claim("nickname"); !ok || string(raw) != `"hana"` {
		t.Errorf("%s, %v", raw, ok)
	}
	if !back.AccessToken().IsZero() {
		t.Error("an access token came back")
	}
	for name, change := range map[string]func(*storedIdentity){
		"version":          func(s *storedIdentity) { s.Version = 0 },
		"no subject":       func(s *storedIdentity) { s.Subject = "" },
		"subject too long": func(s *storedIdentity) { s.Subject = strings.Repeat("s", 256) },
		"no issuer":        func(s *storedIdentity) { s.Issuer = "" },
		"person":           func(s *storedIdentity) { s.Person.Version = -1 },
	} {
		bad := s
		change(&bad)
		b, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseIdentity(b); kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{"cut off": b[:len(b)-1], "nothing": nil,
		"too large": append(b, bytes.Repeat([]byte(" "), limits.HTTPBody)...)} {
		if _, err := ParseIdentity(b); kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// However a value is printed, logged or encoded, alone or inside the application's own types, nothing shows.
func TestRedaction(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{Scopes: Attributes, Sign: testTx})
	id, err := c.Finish(t.Context(), begun.Pending, op.authorize(begun))
	if err != nil {
		t.Fatal(err)
	}
	id.Person = fourinfo.Person{} // redacts itself, in its own package
	key := testClientKey()
	pem, err := key.RevealPEM()
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{testSubject, testAccess, "hana", begun.Pending.fields().State, begun.Pending.fields().Nonce,
		begun.Pending.fields().Verifier, strings.Split(string(pem), "\n")[1]}
	type hidden struct {
		p Pending
		k Key
		t Token
		r RefreshToken
		d DecryptionKey
		g *KeyRing
		s Subject
		i Identity
		c Config
	}
	refresh := RefreshToken{v: redact.Seal(&refreshFields{Subject: testSubject, Token: testAccess,
		Nonce: begun.Pending.fields().Nonce})}
	decryption, ring := decryptionKeys(t)[1], ringOf(t, key)
	secrets = append(secrets, strings.Trim(strings.Split(privateECMembers(t), `"d":`)[1], `"`))
	token := id.AccessToken()
	inside := hidden{begun.Pending, key, token, refresh, decryption, ring, id.Subject, *id,
		Config{Key: key, Keys: ring, Encryption: Encryption{Keys: []DecryptionKey{decryption}}}}
	values := []any{
		id.Subject, token, begun.Pending, key, refresh, decryption, ring, *id, id, inside, &inside, []hidden{inside},
		[]any{token, id}, map[string]any{"a": id.Subject, "b": begun.Pending}, struct{ A Token }{token},
		map[Subject]int{id.Subject: 1}, map[Subject]*Identity{id.Subject: id},
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		log.Info("x", slog.Any("v", v))
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("v", v))
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		out.Write(b)
	}
	for _, s := range []fmt.Stringer{id.Subject, token, begun.Pending, key, refresh, decryption, ring, id} {
		out.WriteString(s.String())
		out.WriteString(s.(fmt.GoStringer).GoString())
	}
	for _, s := range secrets {
		if strings.Contains(out.String(), s) {
			t.Errorf("%q shows", s)
		}
		if hex := fmt.Sprintf("%x", s); strings.Contains(out.String(), hex) {
			t.Errorf("%q shows in hexadecimal", s)
		}
	}
	if !strings.Contains(out.String(), redact.Text) {
		t.Error("nothing was redacted")
	}
}

func TestZeroToken(t *testing.T) {
	var z Token
	if z.Reveal() != "" || !z.Expires().Equal(time.Time{}) || !(&Identity{}).AccessToken().IsZero() {
		t.Error("the zero Token")
	}
}
