// Package stage is what every example needs around it and none is about: the simulated service with its cards, the
// flags that choose another service, a server, and pages in two languages. An application of your own has its own.
package stage

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// Example is one of the examples.
type Example struct {
	Name  string // as in go run ./examples/NAME
	About string // one sentence for -help
	// Cards are in the simulated phone's hand, the first on top. Default: Hanako's.
	Cards []person.Persona
	// Flags adds flags of the example's own; it may be nil.
	Flags func(*flag.FlagSet)
	// Now is the clock of the example and of the simulated world; default time.Now.
	Now func() time.Time
	// New makes the application.
	New func(*Stage) (http.Handler, error)
}

// Stage is where an example runs.
type Stage struct {
	URL    string           // where browsers find the example, without a slash at its end
	Now    func() time.Time // the clock
	Logger *slog.Logger
	// HTTPClient reaches the service; nil is authn's own.
	HTTPClient *http.Client
	// Service is the simulated service of this process; nil when another one is used.
	Service *daa.Service

	env       authn.Environment // of the other service
	key       authn.Key
	clientIDs []string
	clients   int // how many were made
	notes     []string
	atEnd     []func(context.Context) error
}

// Client is authn.New where what it needs is not known before: at the simulated service it makes a key and registers
// the redirect URL of c under the name; at another service it takes the key and the client ids of the flags, in order.
func (s *Stage) Client(name string, c authn.Config) (*authn.Client, error) {
	c.Now, c.Logger = s.Now, s.Logger
	if c.HTTPClient == nil {
		c.HTTPClient = s.HTTPClient
	}
	if s.Service == nil {
		if s.clients >= len(s.clientIDs) {
			return nil, errors.New("-client-id needs a further client id, behind a comma, for " + name)
		}
		c.Environment, c.Key, c.ClientID = s.env, s.key, s.clientIDs[s.clients]
		s.clients++
		return authn.New(c)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if c.Key, err = authn.NewKey(private, "example"); err != nil {
		return nil, err
	}
	s.clients++
	c.Environment, c.ClientID = s.Service.Environment(), fmt.Sprintf("RP%08d", s.clients)
	if err := s.Service.Register(daa.ClientRegistration{
		ID: c.ClientID, Name: name, Key: private.Public(), KeyID: "example", RedirectURLs: []string{c.RedirectURL},
	}); err != nil {
		return nil, err
	}
	return authn.New(c)
}

// Transport is what reaches the service, for an example that has something to put around it; nil is the default of
// net/http.
func (s *Stage) Transport() http.RoundTripper {
	if s.HTTPClient == nil {
		return nil
	}
	return s.HTTPClient.Transport
}

// AtEnd has f called when the example ends.
func (s *Stage) AtEnd(f func(context.Context) error) { s.atEnd = append(s.atEnd, f) }

// End calls what AtEnd was given, once.
func (s *Stage) End(ctx context.Context) error {
	var errs []error
	for _, f := range s.atEnd {
		errs = append(errs, f(ctx))
	}
	s.atEnd = nil
	return errors.Join(errs...)
}

// Note prints a line when the example has started, e.g. what else can be opened.
func (s *Stage) Note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// Staff lets only those through who know the password that is printed when the example starts. It stands for however
// the staff of a real service logs in.
func (s *Stage) Staff(path string, next http.Handler) http.Handler {
	password := strings.ToLower(rand.Text()[:12])
	s.Note("Staff  %s%s   user staff, password %s", s.URL, path, password)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(given), []byte(password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="staff", charset="UTF-8"`)
			http.Error(w, "staff only", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// StaffPassword is what Staff asks for, for tests.
func (s *Stage) StaffPassword() string {
	for _, note := range s.notes {
		if _, password, ok := strings.Cut(note, "password "); ok {
			return password
		}
	}
	return ""
}

func (s *Stage) announce(w io.Writer, cards []person.Details) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("\n  Open   %s", s.URL)
	for _, note := range s.notes {
		p("  %s", note)
	}
	if s.Service != nil {
		p("\n  The service is simulated, people and cards are fictitious. What they type:")
		for _, c := range cards {
			p("  %s", c.ID)
			p("    %-8s  利用者証明用電子証明書の暗証番号 / PIN of the authentication certificate", c.AuthPIN)
			p("    %-8s  券面事項入力補助用の暗証番号 / PIN for the four attributes", c.TextPIN)
			p("    %-8s  署名用電子証明書の暗証番号 / password of the signing certificate", c.SigningPassword)
		}
	}
	p("\n  Press Ctrl+C to stop.")
}
