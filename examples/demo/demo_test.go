package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/sign"
)

// bring starts a demo on free ports.
func bring(t *testing.T, logger *slog.Logger, args ...string) *demo {
	t.Helper()
	o, err := parseFlags(append([]string{"-addr", "127.0.0.1:0"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	d, err := start(t.Context(), o, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

func browse(t *testing.T, d *demo) *browser {
	t.Helper()
	b, err := newBrowser(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func members(t *testing.T, v any) []string {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("not an object: %v", v)
	}
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// newKey returns a key and the file that holds it.
func newKey(t *testing.T) (private *ecdsa.PrivateKey, file string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "client-key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return private, file
}

// elsewhere is a service in a process of its own, as far as the demo can tell, with a registered relying party.
func elsewhere(t *testing.T, opts ...daa.Option) (svc *daa.Running, args []string) {
	t.Helper()
	private, file := newKey(t)
	// A proxy would serve this address; the visitor without a browser does without.
	const redirect = "https://shop.example/registered/back"
	svc = daa.Start(t, append(opts, daa.WithClient(daa.ClientRegistration{ID: "RP00000042", Key: private.Public(),
		RedirectURLs: []string{redirect}}))...)
	return svc, []string{
		"-addr", "127.0.0.1:0", "-issuer", svc.Environment().Issuer, "-client-id", "RP00000042", "-client-key", file,
		"-redirect-url", redirect,
	}
}

// reserve returns an address that nobody listens on after release. Tests that use it are not parallel, so that no other
// test is given the port in between.
func reserve(t *testing.T) (addr string, release func()) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l.Addr().String(), func() { _ = l.Close() }
}

// TestResultStaysSealed: at a service whose operator is somebody else, the relying party can only hand over.
func TestResultStaysSealed(t *testing.T) {
	_, args := elsewhere(t, func(c *daa.Config) {
		j, err := issuer.New(issuer.Config{Seed: "another authority"})
		if err != nil {
			t.Error(err)
			return
		}
		c.JPKI = j
	})
	d := bring(t, nil, args...)
	b := browse(t, d)
	if err := b.logIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.signDocument(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := b.open(t.Context(), http.MethodGet, d.base+"/result", nil)
	if err != nil || !strings.Contains(page.body, `id="sealed"`) || strings.Contains(page.body, `id="verified"`) ||
		strings.Contains(page.body, "ABC123") {
		t.Errorf("%v\n%s", err, page.body)
	}
	if _, err := b.open(t.Context(), http.MethodGet, d.base+"/evidence.json", nil); err == nil {
		t.Error("there is evidence of nothing")
	}
	rep, err := b.fetchReport(t.Context())
	if err != nil || rep.Signature.Verified || rep.Signature.Chain != nil || rep.Signature.Revocation != "unknown" {
		t.Errorf("%v, %+v", err, rep.Signature)
	}
	d.close()
	code, object, stdout, _ := once(t, args...)
	failure, _ := object["error"].(map[string]any)
	if code != exitFailed || failure["step"] != "verify" {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

func TestBusyPort(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	d := bring(t, nil, "-addr", l.Addr().String())
	var said bytes.Buffer
	d.announce(&said)
	if !d.moved || strings.Contains(d.base, l.Addr().String()) || !strings.Contains(said.String(), "in use") {
		t.Errorf("%s", said.String())
	}
	_, args := elsewhere(t)
	busy := append(slices.Clone(args), "-addr", l.Addr().String())
	if code, _, stdout, stderr := once(t, busy...); code != exitOK {
		t.Errorf("without a browser any port does: exit %d\n%s\n%s", code, stdout, stderr)
	}
	// The proxy in front sends browsers to the wanted port: moving would only fail later.
	var out, errs bytes.Buffer
	if code := run(t.Context(), busy, &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "in use") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

func TestAnnouncement(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs bytes.Buffer
	stdout := writerFunc(func(p []byte) {
		if out.Write(p); strings.Contains(out.String(), "Ctrl+C") {
			cancel() // the person presses it as soon as it is offered
		}
	})
	if code := run(ctx, []string{"-addr", "127.0.0.1:0"}, stdout, &errs); code != exitOK {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	d := bring(t, nil)
	out.Reset()
	d.announce(&out)
	for _, want := range []string{d.base, "http://localhost:", d.service, "1234", "ABC123",
		"not the official service"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// TestNothingLeaksIntoLogs does the whole visit with debug logs of every part and looks for what must not be there.
func TestNothingLeaksIntoLogs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := bring(t, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	rep, err := browse(t, d).visit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.close() // no request writes any more
	if log.Len() == 0 {
		t.Fatal("nothing was logged")
	}
	for name, secret := range map[string]string{
		"name": d.person.Reveal().Name, "family name": "確認", "given name": "花子", "address": d.person.Reveal().Address,
		"birthdate":        d.person.Reveal().Subject.Birthdate,
		"signing password": d.person.Reveal().SigningPassword, "PIN": `"` + d.person.Reveal().AuthPIN + `"`,
		"individual number": d.person.Reveal().IndividualNumber,
		"subject":           rep.Login.Subject, "token": "eyJ", "PEM": "-----BEGIN", "certificate": "MII",
	} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the logs hold the %s", name)
		}
	}
}

// TestPeopleWhoDoNotFinish: every way of not finishing ends on a page with the right family, and without a session.
func TestPeopleWhoDoNotFinish(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	begin := func(b *browser) string {
		t.Helper()
		begun, err := b.open(t.Context(), http.MethodGet, d.base+"/auth/login?return=/account", nil)
		if err != nil {
			t.Fatal(err)
		}
		return begun.location
	}
	b := browse(t, d)
	callback, err := b.visitor.Cancel(t.Context(), begin(b))
	if err != nil {
		t.Fatal(err)
	}
	expectPage(t, b, callback, http.StatusBadRequest, kakunin.User)
	// the same address again
	expectPage(t, b, callback, http.StatusBadRequest, kakunin.FamilyOf(nil), kakunin.User, kakunin.Untrusted)
	loggedOut(t, b)

	b = browse(t, d)
	callback, remaining, err := b.visitor.MistypePIN(t.Context(), begin(b), 1)
	if err != nil || remaining != 2 {
		t.Fatalf("%d tries left, %v", remaining, err)
	}
	if done, err := b.open(t.Context(), http.MethodGet, callback, nil); err != nil || done.location != "/account" {
		t.Errorf("after one wrong PIN: %v %v", done.location, err)
	}
	thief := browse(t, d) // another browser with the same callback gets nothing
	callback, err = b.visitor.Approve(t.Context(), begin(b))
	if err != nil {
		t.Fatal(err)
	}
	expectPage(t, thief, callback, http.StatusBadRequest, kakunin.User, kakunin.Untrusted)
	loggedOut(t, thief)

	b = browse(t, d)
	callback, err = b.visitor.Block(t.Context(), begin(b))
	if err != nil && callback == "" {
		t.Fatal(err)
	}
	expectPage(t, b, callback, http.StatusBadRequest, kakunin.User, kakunin.Account)
	loggedOut(t, b)
}

func loggedOut(t *testing.T, b *browser) {
	t.Helper()
	got, err := b.open(t.Context(), http.MethodGet, b.demo.base+"/account", nil)
	if err != nil || !strings.HasPrefix(got.location, "/auth/login") {
		t.Errorf("not sent to log in: %v %q", err, got.location)
	}
}

func expectPage(t *testing.T, b *browser, address string, status int, families ...kakunin.Family) {
	t.Helper()
	got, err := b.open(t.Context(), http.MethodGet, address, nil)
	page, ok := err.(*pageError) //nolint:errorlint // open returns it as it is
	if !ok {
		t.Errorf("no error page: %v, %s", err, got.location)
		return
	}
	var names []string
	for _, f := range families {
		names = append(names, f.String())
	}
	if (page.status != status && status != 0) || !slices.Contains(names, page.family) ||
		!strings.Contains(got.body, `role="alert"`) {
		t.Errorf("status %d, family %s, %s", page.status, page.family, page.message)
	}
	if u, err := url.Parse(address); err == nil {
		for _, value := range []string{u.Query().Get("code"), u.Query().Get("state")} {
			if value != "" && strings.Contains(got.body, value) {
				t.Error("the page repeats the address")
			}
		}
	}
}

// TestTamperedResults: the page says that nothing was accepted, and no evidence comes of it.
func TestTamperedResults(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	for name, knobs := range map[string]daa.SignKnobs{
		"swapped certificate": {SwapCertificate: true}, "altered signature": {AlterSignature: true},
		"not finished": {PendingResults: 3},
	} {
		d.sim.SetKnobs(daa.Knobs{Sign: knobs})
		b := browse(t, d)
		if err := b.logIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := b.signDocument(t.Context())
		page, ok := err.(*pageError) //nolint:errorlint // open returns it as it is
		want := kakunin.Untrusted.String()
		if knobs.PendingResults > 0 {
			want = kakunin.Unavailable.String()
		}
		if !ok || page.family != want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.open(t.Context(), http.MethodGet, d.base+"/evidence.json", nil); err == nil {
			t.Errorf("%s: there is evidence", name)
		}
		if rep, err := b.fetchReport(t.Context()); err != nil || rep.Signature != nil {
			t.Errorf("%s: %v, %+v", name, err, rep.Signature)
		}
	}
	if chain, err := d.app.verifyLog(t.Context()); err != nil || chain.Records != 0 {
		t.Errorf("%+v, %v", chain, err)
	}
}

func TestRevokedCard(t *testing.T) {
	t.Parallel()
	d := bring(t, nil)
	b := browse(t, d)
	if err := b.logIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The address changed: the signing certificate is revoked, the login goes on.
	leaf := signingCertificate(t, d)
	if err := d.sim.JPKI().SigningCA().Revoke(leaf.SerialNumber,
		issuer.Revocation{Reason: 3, At: d.app.now()}); err != nil {
		t.Fatal(err)
	}
	err := b.signDocument(t.Context())
	if page, ok := err.(*pageError); !ok || page.family != kakunin.Account.String() { //nolint:errorlint // as it is
		t.Errorf("%v", err)
	}
	if rep, err := b.fetchReport(t.Context()); err != nil || rep.Signature != nil {
		t.Errorf("%v, %+v", err, rep.Signature)
	}
}

func signingCertificate(t *testing.T, d *demo) *x509.Certificate {
	t.Helper()
	der, _ := d.card.Certificates()
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestModeIsTheOneAsked(t *testing.T) {
	t.Parallel()
	o, err := parseFlags([]string{"-mode", "digest-info"}, io.Discard)
	if err != nil || o.mode != sign.ModeDigestInfo {
		t.Errorf("%v %v", o.mode, err)
	}
	if o, err = parseFlags(nil, io.Discard); err != nil || o.mode != sign.ModeBareHash || o.addr != "127.0.0.1:8080" {
		t.Errorf("%+v %v", o, err)
	}
}
