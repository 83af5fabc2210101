package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"rsc.io/qr"
)

// codeLife is how long an entry code is good for: long enough for the last steps to the door, too short to be sold.
const codeLife = 2 * time.Minute

// holder is who has a ticket: the subject is somebody only together with its issuer.
type holder struct {
	issuer  string
	subject authn.Subject
}

func holderOf(id *authn.Identity) holder {
	if id == nil {
		return holder{} // nobody
	}
	return holder{id.Issuer, id.Subject}
}

type ticket struct {
	Number int
	Check  bool // somebody of the same name and birthdate has another one: look at the card
	Used   bool
}

type entryCode struct {
	holder holder
	until  time.Time
}

// boxOffice knows who has which ticket. In a database, tickets is a table whose unique key is (issuer, subject), and
// selling is one transaction.
type boxOffice struct {
	now    func() time.Time
	secret []byte // of the hashes; from where a program keeps its secrets

	mu      sync.Mutex
	left    int
	number  int
	tickets map[holder]*ticket
	people  map[[32]byte]holder // by hash of name and birthdate
	codes   map[string]entryCode
}

func newBoxOffice(stock int, now func() time.Time) *boxOffice {
	return &boxOffice{
		now: now, secret: []byte(rand.Text()), left: stock,
		tickets: map[holder]*ticket{}, people: map[[32]byte]holder{}, codes: map[string]entryCode{},
	}
}

var (
	errSoldOut   = errors.New("sold out")
	errHasTicket = errors.New("has a ticket")
)

// look returns the holder's ticket, the zero ticket for none, and how many are left.
func (o *boxOffice) look(h holder) (t ticket, left int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known := o.tickets[h]; known != nil {
		t = *known
	}
	return t, o.left
}

// sell looks and takes in one step, so that two taps, or two phones, get one ticket.
func (o *boxOffice) sell(h holder, p fourinfo.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.tickets[h] != nil:
		return errHasTicket
	case o.left == 0:
		return errSoldOut
	}
	hash := o.hash(p)
	_, known := o.people[hash]
	if !known {
		o.people[hash] = h
	}
	o.left--
	o.number++
	o.tickets[h] = &ticket{Number: o.number, Check: known}
	return nil
}

// hash compares people without keeping who they are. Without the secret one could try all names and birthdates.
func (o *boxOffice) hash(p fourinfo.Person) (sum [32]byte) {
	mac := hmac.New(sha256.New, o.secret)
	// Spaces between the names come and go between sources; nothing else does between two logins.
	mac.Write([]byte(strings.Join(strings.Fields(p.Name.Reveal()), "") + "\x00" + p.Birthdate.RevealRaw()))
	mac.Sum(sum[:0])
	return sum
}

// takeBack puts an unused ticket back into the stock.
func (o *boxOffice) takeBack(h holder) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.tickets[h]; t == nil || t.Used {
		return
	}
	o.left++
	delete(o.tickets, h)
	for hash, known := range o.people {
		if known == h {
			delete(o.people, hash)
		}
	}
}

// entryCode makes the code that opens the door once. The codes before it are worth nothing any more.
func (o *boxOffice) entryCode(h holder) (code string, until time.Time, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.tickets[h]; t == nil || t.Used {
		return "", time.Time{}, false
	}
	for code, c := range o.codes {
		if c.holder == h || o.now().After(c.until) {
			delete(o.codes, code)
		}
	}
	code = rand.Text()[:8]
	until = o.now().Add(codeLife)
	o.codes[code] = entryCode{h, until}
	return code, until, true
}

// admit uses the code and the ticket up.
func (o *boxOffice) admit(code string) (t ticket, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	code = strings.ToUpper(strings.Join(strings.Fields(code), ""))
	c := o.codes[code]
	delete(o.codes, code)
	known := o.tickets[c.holder]
	if known == nil || known.Used || o.now().After(c.until) {
		return ticket{}, false
	}
	known.Used = true
	return *known, true
}

// qrCode draws the code as the address of a picture.
func qrCode(text string) (template.URL, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	code.Scale = 8
	picture := "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
	return template.URL(picture), nil //nolint:gosec // a picture that was drawn here
}
