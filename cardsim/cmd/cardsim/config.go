package main

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// serviceConfig is the file of "cardsim service -config FILE", in JSON. Paths in it start from its own directory.
type serviceConfig struct {
	Listen string `json:"listen"` // host:port; default 127.0.0.1:9000
	// scheme and host under which browsers reach it; default from listen
	BaseURL string   `json:"base_url"`
	Hosts   []string `json:"hosts"` // further host names under which it is reached
	// directory of a CA that is made when it is not there; "" = plain http
	HTTPS        string `json:"https"`
	ExposeUnsafe bool   `json:"expose_unsafe"` // listen on addresses that other machines reach
	// file with the token of the control API, made when it is not there; "" = no control API
	Control string       `json:"control"`
	Clients []clientFile `json:"clients"`
	Cards   []cardFile   `json:"cards"` // in the phone's hand; default: hanako
	// "pcsc": whatever test card is in a reader of this machine, instead of simulated ones
	Card       string `json:"card"`
	Reader     string `json:"reader"`      // part of the reader's name; "" = any
	FreshCards bool   `json:"fresh_cards"` // a card of its own for every visit
	// e.g. "10m": a card that nobody used for so long is whole again
	ResetAfter string    `json:"reset_cards_after"`
	HidePINs   bool      `json:"hide_pins"` // do not print the synthetic PINs on the pages
	Log        bool      `json:"log"`       // to standard error; without personal data and PINs
	Knobs      daa.Knobs `json:"knobs"`     // what the control API calls knobs

	file string // where this was read; "" = from flags
}

// clientFile is a registered relying party. One of the four key members is required.
type clientFile struct {
	ID           string   `json:"client_id"`
	Name         string   `json:"name"`
	RedirectURLs []string `json:"redirect_urls"`
	PEMFile      string   `json:"pem_file"`  // a public key, registered as PEM: see key_form in the documentation
	JWKFile      string   `json:"jwk_file"`  // one public key
	JWKSFile     string   `json:"jwks_file"` // a JWK Set
	JWKSURL      string   `json:"jwks_url"`  // fetched when needed
	Algorithm    string   `json:"algorithm"` // of the key in pem_file or jwk_file: ES256, RS256 or PS256
	Government   bool     `json:"government"`
	OptionalPKCE bool     `json:"optional_pkce"`
	Cards        string   `json:"cards"` // "" = any, "card" or "phone"
	// OperatorKeyFile is the public key (JWK or PEM) of the platform operator that results are sealed to; "" = the
	// simulated one
	OperatorKeyFile string `json:"operator_key_file"`
	// TestCards shows the page that stands for the app and a card (テストカード代替機能) instead of the phone screen.
	TestCards bool `json:"test_card_substitute"`
}

// cardFile is one card.
type cardFile struct {
	Person string `json:"person"` // a ready person
	Kind   string `json:"kind"`   // plastic, child, android, iphone, expired-card, …; default: what fits the person
}

// exampleConfig is what "cardsim config -example" prints. A test starts a service with it.
const exampleConfig = `{
  "listen": "127.0.0.1:9000",
  "control": "control.token",
  "clients": [
    {
      "client_id": "RP00000001",
      "name": "Example shop",
      "redirect_urls": ["http://127.0.0.1:8080/callback"],
      "jwk_file": "client-key.pub.jwk"
    },
    {
      "client_id": "RP00000002",
      "name": "Example bank",
      "redirect_urls": ["http://127.0.0.1:8081/callback"],
      "jwks_url": "http://127.0.0.1:8081/jwks.json",
      "cards": "card"
    }
  ],
  "cards": [
    {"person": "hanako"},
    {"person": "taro"},
    {"person": "hanako", "kind": "iphone"}
  ],
  "reset_cards_after": "10m",
  "knobs": {
    "token": {"assertion": {"profile": "keycloak-26.0"}},
    "lifetimes": {"code": "60s"}
  }
}
`

// configHelp describes the file for "cardsim config".
const configHelp = `cardsim service -config FILE reads one JSON object. Unknown members are refused; paths start
from the file's directory.

  listen             host:port; default 127.0.0.1:9000; port 0 takes a free one
  base_url           scheme and host under which browsers reach it; default from listen
  hosts              further host names under which it is reached, e.g. of a container
  https              directory of a CA that is made when it is not there; trust DIRECTORY/ca.pem
  expose_unsafe      true: listen where other machines reach it. Whoever does can be anybody in it
  control            file with the token of the control API, made when it is not there; see GET /control/openapi.json
  clients            list of relying parties:
    client_id            1 to 255 letters and digits
    name                 shown on the pages
    redirect_urls        compared exactly
    pem_file             public key registered as PEM: RSA only, and assertions without kid, or with
                         base64url(SHA-256(SubjectPublicKeyInfo)), as at Keycloak
    jwk_file             public key registered as JWK
    jwks_file, jwks_url  JWK Set, in a file or fetched when needed; one of these four is required
    algorithm            ES256, RS256 or PS256, with pem_file and jwk_file; default by the key
    government           true: results are plain JSON instead of a JWE
    optional_pkce        true: an authorization request without code_challenge is accepted
    cards                "card" or "phone": the only ones accepted
    operator_key_file    public key (JWK or PEM) of the platform operator to which results are sealed; default: the
                         simulated operator's, which opens and verifies them at /simulator/operator/v1/verifications
    test_card_substitute true: the page that stands for app and card, instead of the phone screen
  card               "pcsc": the phone reads a test card in a reader of this machine, instead of simulated cards.
                     The PIN is typed on the page. Real cards are refused before a PIN is sent
  reader             part of the name of the reader for that; default any
  cards              list of cards in the phone's hand, the first is the default: person, and kind, e.g. iphone
  fresh_cards        true: every visit has a card of its own
  reset_cards_after  e.g. "10m": a card that nobody used for so long has all its tries again
  hide_pins          true: the pages do not show the synthetic PINs
  log                true: log to standard error, without personal data and PINs
  knobs              faults and lifetimes, as in PATCH /control/knobs

cardsim config -example prints a file to begin with, and cardsim config -schema the JSON Schema of such files.
`

// runConfig is "cardsim config".
func runConfig(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("config", "Describes the file of cardsim service -config.", stderr)
	example := flags.Bool("example", false, "print an example")
	schema := flags.Bool("schema", false, "print the JSON Schema")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *schema {
		return writeSchema(stdout)
	}
	text := configHelp
	if *example {
		text = exampleConfig
	}
	_, err := io.WriteString(stdout, text)
	return err
}

// readConfig reads the file strictly and makes its paths absolute.
func readConfig(path string) (serviceConfig, error) {
	c := serviceConfig{file: path}
	b, err := readSmall(path)
	if err != nil {
		return c, fmt.Errorf("-config: %w", err)
	}
	if err := decodeConfig(bytes.TrimPrefix(b, []byte("\ufeff")), &c); err != nil {
		return c, err
	}
	dir := filepath.Dir(path)
	within := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	within(&c.HTTPS)
	within(&c.Control)
	for i := range c.Clients {
		within(&c.Clients[i].PEMFile)
		within(&c.Clients[i].JWKFile)
		within(&c.Clients[i].JWKSFile)
		within(&c.Clients[i].OperatorKeyFile)
	}
	return c, nil
}

// world makes the service's configuration: JPKI, cards and clients, all by one clock.
func (c serviceConfig) world(now func() time.Time) (daa.Config, error) {
	w := daa.Config{
		BaseURL: c.BaseURL, Hosts: c.Hosts, Now: now, ShowPINs: !c.HidePINs, FreshCards: c.FreshCards, Knobs: c.Knobs,
	}
	if c.ResetAfter != "" {
		w.ResetCardsAfter, _ = time.ParseDuration(c.ResetAfter) // check has seen it
	}
	var err error
	for i, one := range c.Clients {
		r, rerr := one.registration()
		if rerr != nil {
			err = errors.Join(err, c.inClient(i, rerr))
		}
		w.Clients = append(w.Clients, r)
	}
	if err != nil {
		return w, err
	}
	if w.JPKI, err = issuer.New(issuer.Config{Now: now}); err != nil {
		return w, err
	}
	if len(c.Cards) == 0 && c.Card == "" {
		c.Cards = []cardFile{{Person: string(person.Hanako)}}
	}
	for i, one := range c.Cards {
		holder, err := person.Lookup(person.Persona(one.Person), now())
		if err != nil {
			return w, &usageError{fmt.Sprintf("cards[%d]: person must be one of %s", i, personNames())}
		}
		kind := cardsim.DefaultKind
		if one.Kind != "" {
			if kind, err = cardsim.ParseKind(one.Kind); err != nil {
				return w, &usageError{fmt.Sprintf("cards[%d]: kind must be one of %s", i, kindNames())}
			}
		}
		card, err := cardsim.NewCard(cardsim.Config{Person: holder, Kind: kind, JPKI: w.JPKI, Now: now})
		if err != nil {
			return w, err
		}
		w.Cards = append(w.Cards, card)
	}
	return w, nil
}

// registration reads the client's keys.
func (c clientFile) registration() (daa.ClientRegistration, error) {
	r := daa.ClientRegistration{
		ID: c.ID, Name: c.Name, RedirectURLs: c.RedirectURLs, Government: c.Government, OptionalPKCE: c.OptionalPKCE,
		JWKSURL: c.JWKSURL, Algorithm: c.Algorithm, Cards: daa.Cards(c.Cards), TestCards: c.TestCards,
	}
	file := c.JWKFile
	if c.PEMFile != "" {
		file, r.KeyForm = c.PEMFile, daa.KeyFormPEM
	}
	if file != "" {
		b, err := readSmall(file)
		if err != nil {
			return r, fmt.Errorf("client key: %w", err)
		}
		key, err := jose.ParsePublicKey(b)
		if err != nil {
			return r, fmt.Errorf("client key: %s: %w", file, err)
		}
		r.Key, r.KeyID = key.Key, key.KeyID
		if r.Algorithm == "" {
			r.Algorithm = key.Algorithm
		}
	}
	if c.OperatorKeyFile != "" {
		b, err := readSmall(c.OperatorKeyFile)
		if err != nil {
			return r, fmt.Errorf("operator key: %w", err)
		}
		key, err := jose.ParsePublicKey(b)
		if err != nil {
			return r, fmt.Errorf("operator key: %s: %w", c.OperatorKeyFile, err)
		}
		public, ok := key.Key.(*rsa.PublicKey)
		if !ok {
			return r, &usageError{"operator_key_file must have an RSA key: results are sealed with RSA-OAEP-256"}
		}
		r.OperatorKey = public
	}
	if c.JWKSFile != "" {
		var err error
		if r.JWKS, err = readSmall(c.JWKSFile); err != nil {
			return r, fmt.Errorf("client keys: %w", err)
		}
	}
	return r, nil
}

// readSmall reads a file that the user names, within the limit for keys and configurations.
func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(file, limits.JWKS+1))
	if err == nil && len(b) > limits.JWKS {
		err = errors.New("the file is too large")
	}
	return b, err
}
