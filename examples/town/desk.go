package main

import (
	"crypto/rand"
	"errors"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/authn"
)

// resident is a person who lives here, and nothing else of them: neither name nor address.
type resident struct {
	issuer  string
	subject authn.Subject
}

func residentOf(id *authn.Identity) resident { return resident{id.Issuer, id.Subject} }

// slot is one hour of the hall.
type slot struct {
	From        time.Time
	Taken, Mine bool
}

// Unix is the slot's value in the form.
func (s slot) Unix() int64 { return s.From.Unix() }

type coupon struct {
	Number string
	Used   bool
}

// desk keeps bookings and coupons. In a database, the hour is the primary key of the bookings and the resident a unique
// key; the resident is the primary key of the coupons.
type desk struct {
	now func() time.Time

	mu       sync.Mutex
	bookings map[int64]resident
	coupons  map[resident]*coupon
	numbers  map[string]*coupon
}

func newDesk(now func() time.Time) *desk {
	return &desk{
		now: now, bookings: map[int64]resident{}, coupons: map[resident]*coupon{}, numbers: map[string]*coupon{},
	}
}

var errTaken = errors.New("taken, or no such hour")

// hours are tomorrow's, from nine to three in Japan.
func (d *desk) hours() (hours []time.Time) {
	year, month, day := d.now().In(time.FixedZone("JST", 9*60*60)).Date()
	first := time.Date(year, month, day+1, 9, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	for i := range 6 {
		hours = append(hours, first.Add(time.Duration(i)*time.Hour))
	}
	return hours
}

func (d *desk) slots(who resident) (slots []slot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, hour := range d.hours() {
		by, taken := d.bookings[hour.Unix()]
		slots = append(slots, slot{From: hour, Taken: taken, Mine: taken && by == who})
	}
	return slots
}

// book takes an hour that is on the page, for somebody who has none yet.
func (d *desk) book(who resident, from time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, by := range d.bookings {
		if by == who {
			return errTaken
		}
	}
	for _, hour := range d.hours() {
		if _, taken := d.bookings[hour.Unix()]; hour.Equal(from) && !taken {
			d.bookings[hour.Unix()] = who
			return nil
		}
	}
	return errTaken
}

func (d *desk) cancel(who resident) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for hour, by := range d.bookings {
		if by == who {
			delete(d.bookings, hour)
		}
	}
}

// coupon is the person's: the same one, however often the page is opened.
func (d *desk) coupon(who resident) coupon {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.coupons[who]
	if c == nil {
		c = &coupon{Number: number()}
		d.coupons[who], d.numbers[c.Number] = c, c
	}
	return *c
}

// number has twelve digits, for the keypad of a till. It is drawn at random: nobody guesses one or learns whose it is.
func number() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return strings.Repeat("0", 12-len(n.String())) + n.String()
}

var errNoCoupon = errors.New("no such coupon, or used")

func (d *desk) redeem(number string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.numbers[strings.Join(strings.Fields(number), "")]
	if c == nil || c.Used {
		return errNoCoupon
	}
	c.Used = true
	return nil
}
