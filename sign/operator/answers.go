package operator

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// answerKey names a request by whom it comes from and its idempotency key; the zero key is none.
type answerKey struct {
	business string
	key      [32]byte
}

// given is an answer that was given, or is about to be.
type given struct {
	body    [32]byte
	until   time.Time
	done    chan struct{}
	answer  reply
	settled bool
}

// answers remembers verdicts for verdictAge, so that a repeated request is not verified, kept and charged again.
type answers struct {
	mu    sync.Mutex
	byKey map[answerKey]*given
	queue []answerKey // oldest first
}

// once returns the answer to a key, judging at most once at a time. A key that comes with another body is refused. Only
// verdicts are remembered: what was unavailable may be available the next time.
func (a *answers) once(
	ctx context.Context,
	key answerKey,
	body [32]byte,
	now time.Time,
	judge func() reply,
	conflict reply,
) reply {
	if key == (answerKey{}) {
		return judge()
	}
	for {
		a.mu.Lock()
		a.expire(now)
		g, again := a.byKey[key]
		if !again {
			g = &given{body: body, until: now.Add(verdictAge), done: make(chan struct{})}
			a.byKey[key] = g
			a.queue = append(a.queue, key)
			a.mu.Unlock()
			return a.settle(key, g, judge)
		}
		a.mu.Unlock()
		if g.body != body {
			return conflict
		}
		select {
		case <-g.done:
		case <-ctx.Done():
			return conflict // nobody reads it
		}
		if g.settled {
			return g.answer
		}
	}
}

func (a *answers) settle(key answerKey, g *given, judge func() reply) reply {
	defer func() { // also when judge panics
		a.mu.Lock()
		if !g.settled && a.byKey[key] == g {
			a.forget(key)
		}
		a.mu.Unlock()
		close(g.done)
	}()
	answer := judge()
	if answer.members != nil {
		a.mu.Lock()
		g.answer, g.settled = answer, true
		a.mu.Unlock()
	}
	return answer
}

// forget takes a key out whose place is near the end: what is not remembered must not push out what is.
func (a *answers) forget(key answerKey) {
	delete(a.byKey, key)
	for i, k := range slices.Backward(a.queue) {
		if k == key {
			a.queue = slices.Delete(a.queue, i, i+1)
			return
		}
	}
}

// expire drops what is too old, and the oldest when there are too many.
func (a *answers) expire(now time.Time) {
	for len(a.queue) > 0 {
		g, ok := a.byKey[a.queue[0]]
		if ok && now.Before(g.until) && len(a.queue) <= limits.OperatorAnswers {
			return
		}
		if ok {
			select {
			case <-g.done:
				delete(a.byKey, a.queue[0])
			default: // still being judged: it is forgotten when it is done
				return
			}
		}
		a.queue = a.queue[1:]
	}
}
