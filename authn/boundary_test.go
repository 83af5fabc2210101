package authn

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// Every octet, for itself, in what is made of certain octets only.
func TestEveryOctet(t *testing.T) {
	const digits, letters = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	printable := ""
	for b := byte(0x21); b <= 0x7e; b++ {
		printable += string(rune(b))
	}
	secret := strings.Repeat("x", secretText-1)
	for name, c := range map[string]struct {
		allowed string
		fits    func(one string) bool
	}{
		"UUID": {digits + "abcdefABCDEF", func(one string) bool {
			return isUUIDShape(one + "7a52ac8-b232-ebac-a454-04d68916489f")
		}},
		"secret":    {digits + letters + "-_", func(one string) bool { return isSecret(secret + one) }},
		"parameter": {printable, isPlain},
		"scope":     {strings.NewReplacer(`"`, "", `\`, "").Replace(printable), isScopeToken},
	} {
		for b := range 256 {
			one := string([]byte{byte(b)})
			if got, want := c.fits(one), strings.Contains(c.allowed, one); got != want {
				t.Errorf("%s: octet %02X: %v", name, b, got)
			}
		}
	}
}

// What was stored of a refresh token is read up to its limits and refused one beyond.
func TestStoredRefreshTokenLimits(t *testing.T) {
	whole := func(change func(m map[string]any)) []byte {
		m := map[string]any{
			"v": refreshVersion, "i": "https://op.example", "c": "RP1", "sub": "s",
			"nonce": strings.Repeat("n", secretText),
			"iat":   1, "g": []string{"openid"}, "t": "token",
		}
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var names map[string]any // of the members, as they are written
	token, err := ParseRefreshToken(whole(func(map[string]any) {}))
	if err != nil {
		t.Fatal(err)
	}
	f := *token.fields()
	f.Tenant, f.AuthTime, f.Expires = "tenant", 1, 1
	written, err := json.Marshal(f)
	if err != nil || json.Unmarshal(written, &names) != nil {
		t.Fatal(err)
	}
	memberOf := func(value any, plain map[string]any) (out string) {
		for name, v := range plain {
			if v == value {
				out = name
			}
		}
		return out
	}
	for what, c := range map[string]struct {
		member        string
		limit, beyond any
	}{
		"subject": {"sub", strings.Repeat("s", limits.Subject), strings.Repeat("s", limits.Subject+1)},
		"token":   {"t", strings.Repeat("t", limits.Token), strings.Repeat("t", limits.Token+1)},
		"tenant": {memberOf("tenant", names), strings.Repeat("n", maxTenantName),
			strings.Repeat("n", maxTenantName+1)},
		"issued at":     {"iat", int64(maxUnixTime - 1), int64(maxUnixTime)},
		"issued ere":    {"iat", 1, 0},
		"authenticated": {"at", int64(maxUnixTime - 1), int64(maxUnixTime)},
		"ends":          {"exp", int64(maxUnixTime - 1), int64(maxUnixTime)},
	} {
		for value, want := range map[any]bool{c.limit: true, c.beyond: false} {
			_, err := ParseRefreshToken(whole(func(m map[string]any) { m[c.member] = value }))
			if (err == nil) != want {
				t.Errorf("%s: %.20v: %v", what, value, err)
			}
		}
	}
	padded := whole(func(map[string]any) {})
	for size, want := range map[int]bool{limits.IdentityStored: true, limits.IdentityStored + 1: false} {
		if _, err := ParseRefreshToken(append(padded[:len(padded):len(padded)],
			[]byte(strings.Repeat(" ", size-len(padded)))...)); (err == nil) != want {
			t.Errorf("%d octets: %v", size, err)
		}
	}
}

// What has a longest or a largest form is accepted in it, and refused when it has one more.
func TestSizesAtTheirLimits(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{Scopes: Name, Sign: testTx})
	id := &Identity{Subject: NewSubject(testSubject), Issuer: op.env.Issuer}
	for name, tc := range map[string]struct {
		limit int
		try   func(n int) error
	}{
		"id of a decryption key": {limits.KeyID, func(n int) error {
			_, err := NewDecryptionKey(testDecryptEC(), strings.Repeat("k", n))
			return err
		}},
		"keys of a ring": {limits.RingKeys, func(n int) error {
			_, err := NewKeyRing(testECKey(), manyKeys(t, n-1)...)
			return err
		}},
		"stored identity": {limits.HTTPBody, func(n int) error {
			_, err := ParseIdentity(padded(t, id.RevealBytes, n))
			return err
		}},
		"subject of a stored identity": {limits.Subject, func(n int) error {
			own := Identity{Subject: NewSubject(strings.Repeat("s", n)), Issuer: op.env.Issuer}
			b, err := own.RevealBytes()
			if err == nil {
				_, err = ParseIdentity(b)
			}
			return err
		}},
		"stored login": {limits.PendingStored, func(n int) error {
			b := storedLogin(t, begun, func(*pendingFields) {})
			_, err := ParsePending(appendText(b, strings.Repeat("s", n-len(b)-2))) // one more scope
			return err
		}},
		"tenant of a stored login": {maxTenantName, func(n int) error {
			_, err := ParsePending(storedLogin(t, begun, func(f *pendingFields) {
				f.Tenant = strings.Repeat("w", n)
			}))
			return err
		}},
		"redirect of a stored login": {limits.AuthorizationParameter, func(n int) error {
			_, err := ParsePending(storedLogin(t, begun, func(f *pendingFields) {
				f.RedirectURL = strings.Repeat("r", n)
			}))
			return err
		}},
		"scopes of a stored login": {2 * maxScopes, func(n int) error {
			scopes := strings.Fields(strings.Repeat("s ", n))
			_, err := ParsePending(storedLogin(t, begun, func(f *pendingFields) {
				f.Scopes = scopes
			}))
			return err
		}},
		"transaction of a stored login": {limits.AuthorizationParameter, func(n int) error {
			_, err := ParsePending(storedLogin(t, begun, func(f *pendingFields) {
				f.TransactionID = strings.Repeat("t", n)
			}))
			return err
		}},
		"scope": {limits.ScopeParameter, func(n int) error {
			_, err := c.Begin(t.Context(), Request{ExtraScopes: []string{strings.Repeat("s", n-len("openid "))}})
			return err
		}},
		"acr_values": {limits.ScopeParameter, func(n int) error {
			_, err := c.Begin(t.Context(), Request{ACRValues: []string{strings.Repeat("a", n)}})
			return err
		}},
		"extra scopes": {maxScopes, func(n int) error {
			_, err := c.Begin(t.Context(), Request{ExtraScopes: strings.Fields(strings.Repeat("s ", n))})
			return err
		}},
		"callback": {limits.CallbackQuery, func(n int) error {
			login := op.begin(c, Request{})
			q := op.authorize(login)
			for name, values := range q {
				n -= len(name) + len(values[0]) + 2
			}
			q.Set("x", strings.Repeat("x", n-len("x")-2))
			_, err := c.checkCallback(login.Pending.fields(), q)
			return err
		}},
		"name of a tenant": {maxTenantName, func(n int) error {
			_, err := twoTenants(t, op).Add(Tenant{Name: strings.Repeat("n", n), ClientID: "RP00000003",
				Key: testOtherEC(), RedirectURL: "https://third.example/cb"})
			return err
		}},
		"access token": {limits.Token, func(n int) error {
			_, err := tokenAnswerWith("access_token", strings.Repeat("a", n))
			return err
		}},
	} {
		if err := tc.try(tc.limit); err != nil {
			t.Errorf("%s, %d: %v", name, tc.limit, err)
		}
		if tc.try(tc.limit+1) == nil {
			t.Errorf("%s, %d: accepted", name, tc.limit+1)
		}
	}
}

// manyKeys are one key under many ids.
func manyKeys(t *testing.T, n int) (list []Key) {
	t.Helper()
	for i := range n {
		k, err := testECKey().WithKeyID(strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, k)
	}
	return list
}

// padded is a stored form with as much white space behind it as makes n octets.
func padded(t *testing.T, reveal func() ([]byte, error), n int) []byte {
	t.Helper()
	b, err := reveal()
	if err != nil {
		t.Fatal(err)
	}
	return append(b, strings.Repeat(" ", n-len(b))...)
}

// storedLogin is the stored form of a login in which something is changed.
func storedLogin(t *testing.T, begun Begun, change func(*pendingFields)) []byte {
	t.Helper()
	f := *begun.Pending.fields()
	change(&f)
	b, ok := f.stored()
	if !ok {
		t.Fatal("not stored")
	}
	return b
}

// tokenAnswerWith reads a good answer of the token endpoint in which one member has another value.
func tokenAnswerWith(name string, value any) (tokenAnswer, error) {
	b, err := json.Marshal(with(claimsMap{"access_token": testAccess, "token_type": "Bearer"}, name, value))
	if err != nil {
		return tokenAnswer{}, err
	}
	return readTokenAnswer(webcall.Answer{Status: http.StatusOK, MediaType: jsonType, Body: b}, time.Time{})
}

// A refresh token that is too long is one that cannot be read, and the login goes on without it.
func TestRefreshTokenAtItsLimit(t *testing.T) {
	w := wire.Default()
	for n, kept := range map[int]bool{limits.Token: true, limits.Token + 1: false} {
		answer, err := tokenAnswerWith("refresh_token", strings.Repeat("r", n))
		if err != nil {
			t.Fatal(err)
		}
		got, err := answer.tokens(time.Time{}, &w)
		if err != nil || (len(got.refresh) == n) != kept || (len(got.problems) == 0) != kept {
			t.Errorf("%d octets: %d kept, %d problems, %v", n, len(got.refresh), len(got.problems), err)
		}
	}
}

// The octets of a subject are those that can be printed, the space and the tilde among them.
func TestOctetsOfASubject(t *testing.T) {
	c := newOP(t).client()
	for b := range 0x80 {
		one := string([]byte{byte(b)})
		m := map[string]json.RawMessage{}
		for name, value := range map[string]any{
			"iss": c.env.Issuer, "aud": testClientID, "sub": one,
			"iat": c.now().Unix(), "exp": c.now().Add(time.Minute).Unix(),
		} {
			raw, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			m[name] = raw
		}
		_, check := c.checkClaims(m, func(map[string]json.RawMessage, *idClaims) string { return "" })
		if want := b >= 0x20 && b <= 0x7e; (check == "") != want {
			t.Errorf("octet %02X: %q", b, check)
		}
	}
}

// Every status has its meaning up to the last of its hundred.
func TestStatusesAtTheirBorders(t *testing.T) {
	c := newOP(t).client()
	for status, want := range map[int]struct{ token, userinfo string }{
		299: {"status", "userinfo: status"}, 300: {"redirect", "redirect"}, 399: {"redirect", "redirect"},
		400: {"status", "userinfo: status"}, 499: {"status", "userinfo: status"}, 500: {"status", "userinfo: status"},
	} {
		_, err := readTokenAnswer(webcall.Answer{Status: status, Header: http.Header{}}, c.now())
		if e := (*Error)(nil); !errors.As(err, &e) || e.Step != want.token {
			t.Errorf("token endpoint, %d: %v", status, err)
		}
		_, err = c.readUserinfo(t.Context(), webcall.Answer{Status: status, Header: http.Header{}}, testSubject)
		if e := (*Error)(nil); !errors.As(err, &e) || e.Step != want.userinfo {
			t.Errorf("userinfo, %d: %v", status, err)
		}
	}
}

// The name of a tenant may have spaces; what has nothing in it is not kept; the active key may be activated again;
// what is said of a key is what package jose says, without where.
func TestSmallDecisions(t *testing.T) {
	if _, err := twoTenants(t, newOP(t)).Add(Tenant{Name: "a b", ClientID: "RP00000003", Key: testOtherEC(),
		RedirectURL: "https://third.example/cb"}); err != nil {
		t.Error(err)
	}
	var p Problem
	if p.keep(json.RawMessage{}); p.RevealRaw() != nil {
		t.Error("nothing was kept")
	}
	ring := ringOf(t, testECKey(), testOtherEC())
	if err := ring.Activate(testECKey().KeyID()); err != nil || ring.Active().KeyID() != testECKey().KeyID() {
		t.Errorf("activated again: %v", err)
	}
	for detail, want := range map[string]string{"too short": "too short", "": "jose: key"} {
		e := (*Error)(nil)
		if err := keyError(&jose.Error{Check: "key", Detail: detail}); !errors.As(err, &e) || e.Detail != want {
			t.Errorf("%q: %v", detail, err)
		}
	}
}

func TestNamesOfProfiles(t *testing.T) {
	for p, want := range map[Profile]string{PrivateSector: "private sector", Government: "government", -1: "unknown",
		Government + 1: "unknown"} {
		if got := p.String(); got != want {
			t.Errorf("%d: %q, want %q", int(p), got, want)
		}
	}
}
