package control

import (
	"math"
	"sync"
	"time"
)

// Clock is a clock that can be moved. Give its Now to everything of the simulated world: service, authorities and
// cards. It is safe for concurrent use; the zero value shows the time of the machine.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
	base  func() time.Time
}

// NewClock makes a clock that goes with base.
func NewClock(base func() time.Time) *Clock { return &Clock{base: base} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	base := c.base
	if base == nil {
		base = time.Now
	}
	return base().Add(c.ahead)
}

// Advance moves the clock; time never goes back by more than it was moved before.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 && c.ahead > math.MaxInt64-d { // as far as a time.Duration goes, some 292 years
		c.ahead = math.MaxInt64
		return
	}
	c.ahead = max(0, c.ahead+d)
}

// Reset shows the time of the base again.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = 0
}
