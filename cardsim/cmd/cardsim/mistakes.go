package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// decodeConfig reads the object strictly and says where it is none.
func decodeConfig(b []byte, c *serviceConfig) error {
	refuse := func(text string) error { return &usageError{"-config: " + text + "; see cardsim config"} }
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			return refuse(place(b, syntax.Offset) + err.Error())
		case errors.As(err, &kind):
			return refuse(place(b, kind.Offset) + cmp.Or(kind.Field, "the file") + " has the wrong type: " + kind.Value)
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return refuse(place(b, int64(len(b))) + "the object does not end")
		}
		return refuse(err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(place(b, d.InputOffset()) + "something follows the object")
	}
	// Of a member that is there twice encoding/json takes the last, in whatever case.
	if _, err := strictjson.Object(b); err != nil {
		return refuse(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// place says where an offset is, as editors count.
func place(b []byte, offset int64) string {
	before := b[:min(max(offset, 0), int64(len(b)))]
	return fmt.Sprintf("line %d, column %d: ", bytes.Count(before, []byte("\n"))+1,
		len(before)-bytes.LastIndexByte(before, '\n'))
}

// plainName is a host name.
var plainName = regexp.MustCompile(`^[\p{L}\p{N}._-]+$`)

// check names every mistake at once.
func (c serviceConfig) check() error {
	var wrong []string
	if len(c.Clients) == 0 {
		wrong = append(wrong, "no client is registered")
	}
	wrong = append(wrong, c.clientMistakes()...)
	for i, host := range c.Hosts {
		if net.ParseIP(host) == nil && !plainName.MatchString(host) {
			wrong = append(wrong,
				fmt.Sprintf("hosts[%d] (-host) must be a name or an address, without scheme and port", i))
		}
	}
	if err := checkAddress("listen", c.Listen); err != nil {
		wrong = append(wrong, err.Error())
	} else {
		if c.BaseURL == "" && everywhere(c.Listen) {
			wrong = append(
				wrong,
				"listening without one address needs a base URL, because browsers and clients are sent there: "+
					"-base-url or base_url",
			)
		}
		if !c.ExposeUnsafe && !onlyHere(c.Listen) {
			wrong = append(
				wrong,
				"the address can be reached by other machines, and whoever reaches it can be anybody: -expose-unsafe "+
					"or expose_unsafe if that is meant",
			)
		}
	}
	switch {
	case c.Card != "" && c.Card != "pcsc":
		wrong = append(wrong, `card must be "pcsc", or not there`)
	case c.Card != "" && len(c.Cards) > 0:
		wrong = append(wrong, "simulated cards and a reader exclude each other: -person or -card, cards or card")
	case c.Card != "" && slices.ContainsFunc(c.Clients, func(one clientFile) bool { return one.TestCards }):
		wrong = append(wrong, "test_card_substitute needs simulated cards")
	case c.Card == "" && c.Reader != "":
		wrong = append(wrong, "a reader is chosen with -card pcsc only")
	}
	if c.ResetAfter != "" {
		if d, err := time.ParseDuration(c.ResetAfter); err != nil || d <= 0 {
			wrong = append(wrong, `reset_cards_after must be a time like "10m"`)
		}
	}
	if len(wrong) > 0 {
		return &usageError{strings.Join(wrong, "; ")}
	}
	return nil
}

// clientMistakes are those that are seen without reading a key.
func (c serviceConfig) clientMistakes() []string {
	var wrong []string
	seen := map[string]int{}
	for i, one := range c.Clients {
		add := func(text string) { wrong = append(wrong, c.inClient(i, &usageError{text}).Error()) }
		keys := 0
		for _, given := range []string{one.PEMFile, one.JWKFile, one.JWKSFile, one.JWKSURL} {
			if given != "" {
				keys++
			}
		}
		if keys != 1 {
			add("one of pem_file, jwk_file, jwks_file and jwks_url is required, and only one")
		}
		if one.Algorithm != "" && (one.JWKSFile != "" || one.JWKSURL != "") {
			add("algorithm is for pem_file and jwk_file; a JWK Set says it itself")
		}
		if len(one.RedirectURLs) == 0 {
			add("redirect_urls is missing")
		}
		if cards := daa.Cards(one.Cards); cards != daa.CardsAny && cards != daa.CardsOnly && cards != daa.PhonesOnly {
			add(`cards of a client must be "card" or "phone", or not there`)
		}
		if before, known := seen[one.ID]; known && one.ID != "" {
			add(fmt.Sprintf("client_id is that of clients[%d], too", before))
		} else {
			seen[one.ID] = i
		}
	}
	return wrong
}

// inClient says which client of the file it is about; by flags there is one.
func (c serviceConfig) inClient(i int, err error) error {
	if c.file == "" {
		return err
	}
	label := fmt.Sprintf("clients[%d] (%.40q): ", i, c.Clients[i].ID)
	var usage *usageError
	if errors.As(err, &usage) {
		return &usageError{label + usage.message}
	}
	return fmt.Errorf("%s%w", label, err)
}

// newService registers the clients one by one, so that a mistake is said of the one that has it.
func (c serviceConfig) newService(config daa.Config) (*daa.Service, error) {
	clients := config.Clients
	config.Clients = nil
	s, err := daa.New(config)
	if err != nil {
		return nil, c.asUsage(err)
	}
	for i, one := range clients {
		if err := s.Register(one); err != nil {
			return nil, c.inClient(i, c.asUsage(err))
		}
	}
	return s, nil
}

// refusals are what package daa refuses, by the flag and by the member of the file.
var refusals = map[string]struct{ flag, member, must string }{
	"client-id": {"-client-id", "client_id", "must be 1 to 255 letters and digits"},
	"client-key": {"-client-key", "the key", "must be an RSA key of 2048 bits or more, or an EC key on P-256; " +
		"a client has one of pem_file, jwk_file, jwks_file and jwks_url"},
	"client-algorithm": {"the algorithm", "algorithm", "must fit the client's key: ES256, or RS256 or PS256"},
	"jwks":             {"jwks_file", "jwks_file", "must have a key that can be used"},
	"jwks-url":         {"jwks_url", "jwks_url", "must be an http or https URL"},
	"redirect-url": {"-redirect-url", "redirect_urls",
		"must be an http or https URL of at most 255 characters, without a fragment"},
	"base-url": {"-base-url", "base_url", "must be http or https with a host and nothing after it, e.g. " +
		"https://daa.example"},
}

// asUsage names the flag, or the member of the file, behind what package daa refuses.
func (c serviceConfig) asUsage(err error) error {
	var refused *daa.Error
	if !errors.As(err, &refused) {
		return err
	}
	row, ok := refusals[refused.Step]
	switch {
	case !ok:
		return err
	case c.file != "":
		return &usageError{row.member + " " + row.must}
	}
	return &usageError{row.flag + " " + row.must}
}
