//go:build browser

package accessibility_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/examples/internal/accessibility"
	"github.com/kakunin-go/kakunin/examples/internal/stamping"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/report"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// reports are those of a verification that held, with all that can be in one; of one that failed; of an operator's.
func reports(t *testing.T) map[string]*report.Report {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const document = "利用規約に同意します。"
	who, err := person.Lookup(person.Hanako, time.Now())
	must(err)
	j, err := issuer.New(issuer.Config{})
	must(err)
	key := j.Key("a report")
	cert, err := j.SigningCA().Issue(issuer.Request{
		Key: &key.PublicKey, Holder: who.Reveal().Subject, IssuedAt: time.Now().AddDate(-1, 0, 0),
	})
	must(err)
	leaf, err := x509.ParseCertificate(cert)
	must(err)
	digest := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	must(err)
	verify := func() (*sign.Report, error) {
		list, err := j.SigningCA().CRL(leaf)
		must(err)
		crls := new(revocation.Store)
		must(crls.Add(t.Context(), bytes.NewReader(list)))
		v, err := sign.NewVerifier(sign.VerifierConfig{
			Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(crls),
		})
		must(err)
		return v.Verify(t.Context(), sign.NewOpened(signature, cert), sign.Expect{
			Document: strings.NewReader(document), Mode: sign.ModeDigestInfo, Accept: sign.NormalisedPerson,
			Person: &fourinfo.Person{Address: fourinfo.NewAddress(
				strings.NewReplacer("１", "1", "２", "2", "３", "3", "－", "-").Replace(who.Reveal().Subject.Address))},
		})
	}
	tx := &sign.Transaction{
		ID: "37a52ac8-b232-ebac-a454-04d68916489f", Mode: sign.ModeDigestInfo, Digest: digest,
		MediaType: "text/plain; charset=utf-8",
	}
	held, err := verify()
	must(err)
	good, err := report.Of(sign.Outcome{Report: held}, report.Options{
		Reveal: true, Timestamps: []*timestamp.Timestamp{stamped(t, signature)},
	})
	must(err)
	must(j.SigningCA().Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.AffiliationChanged,
		At: time.Now().Add(-time.Hour)}))
	_, failure := verify()
	if !errors.Is(failure, &jpki.Error{Reason: jpki.ReasonRevoked}) {
		t.Fatal(failure)
	}
	bad, err := report.Of(sign.Outcome{Err: failure}, report.Options{Transaction: tx})
	must(err)
	defect, err := report.Of(sign.Outcome{Err: errors.New("a defect")}, report.Options{})
	must(err)
	operator := *good
	operator.Certificate, operator.Revocation, operator.Steps, operator.Revealed = nil, nil, nil, nil
	operator.Operator = &report.Operator{VerificationID: "Z5QJ3X7A2KDM4VBNR6TWEH8YLC", Method: "CRL"}
	b, err := good.Marshal()
	must(err)
	turned, err := report.Parse(bytes.Replace(b, []byte(who.Reveal().Subject.Name), []byte("確認\u202e 花子 שלום"), 1))
	must(err)
	return map[string]*report.Report{
		"good": good, "bad": bad, "defect": defect, "operator": &operator, "turned": turned,
	}
}

// stamped is a timestamp of a signature value.
func stamped(t *testing.T, signature []byte) *timestamp.Timestamp {
	t.Helper()
	a, err := timestamping.New(timestamping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(a)
	defer site.Close()
	client, err := stamping.New(stamping.Authority{URL: site.URL, Root: a.Root()}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	stamp, err := client.Stamp(t.Context(), signature)
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

// TestReportIsAccessible looks at the printable page of a report, which is in both languages at once: on a phone, on a
// PC, and as it is printed on A4 with the margins of its style. The pictures are meant to be looked at.
func TestReportIsAccessible(t *testing.T) {
	folder := os.Getenv("KAKUNIN_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx := chromium(t)
	var page bytes.Buffer
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", report.Policy())
		_, _ = w.Write(page.Bytes())
	}))
	defer site.Close()
	for name, r := range reports(t) {
		page.Reset()
		if err := r.Render(&page); err != nil {
			t.Fatal(err)
		}
		for device, s := range map[string]accessibility.Screen{
			"phone": {Lang: "ja", Width: 390, Height: 844, Scale: 2, Mobile: true},
			"pc":    {Lang: "ja", Width: 1280, Height: 900, Scale: 1},
			"paper": {Lang: "ja", Width: 673, Height: 950, Scale: 1, Print: true},
		} {
			var faults, empty []string
			var picture []byte
			media := ""
			if s.Print {
				media = "print"
			}
			err := chromedp.Run(ctx,
				emulation.SetDeviceMetricsOverride(s.Width, s.Height, s.Scale, s.Mobile),
				chromedp.Navigate(site.URL),
				chromedp.ActionFunc(func(ctx context.Context) (err error) {
					faults, err = accessibility.Look(ctx, s)
					return err
				}),
				chromedp.Evaluate(`[...document.querySelectorAll('dl, dd, dt, section')].filter(e => !e.innerText.trim())`+
					`.map(e => e.previousElementSibling?.innerText ?? e.tagName)`, &empty),
				emulation.SetEmulatedMedia().WithMedia(media),
				chromedp.ActionFunc(func(ctx context.Context) (err error) {
					picture, err = cdppage.CaptureScreenshot().WithCaptureBeyondViewport(true).Do(ctx)
					return err
				}),
				emulation.SetEmulatedMedia(),
			)
			if err != nil {
				t.Fatalf("%s on %s: %v", name, device, err)
			}
			for _, fault := range append(faults, empty...) {
				t.Errorf("%s on %s: %s", name, device, fault)
			}
			file := filepath.Join(folder, "report-look-"+name+"-"+device+".png")
			if err := os.WriteFile(file, picture, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
