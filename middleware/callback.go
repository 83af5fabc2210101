package middleware

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// serveCallback takes the browser back from the service. The order matters: the query is parsed and the pending login
// of this browser is found by the state, which uses nothing up; then the state is used up; and only then does anything
// go to the service. A browser that comes back once more is told apart by what it holds: the session, the cookie, or
// neither.
func (l *Login) serveCallback(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		l.failMethod(w, r, "GET")
		return
	}
	if err := notNavigation(r); err != nil {
		l.fail(w, r, err)
		return
	}
	r = withRetry(r, l.loginURL(""))
	query, err := callbackQuery(r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	// The session is loaded after another request of this browser for the same callback is answered: loaded before, it
	// would be the anonymous one, and could be saved over the one that the other request began.
	if a := l.attempts.find(query.Get("state")); a != nil {
		if _, _, err := l.findPending(r, query.Get("state")); err == nil {
			select {
			case <-a.done:
			case <-r.Context().Done():
			}
		}
	}
	l.withSession(w, r, func(w http.ResponseWriter, r *http.Request, v *visit) { l.answerCallback(w, r, v, query) })
}

func (l *Login) answerCallback(w http.ResponseWriter, r *http.Request, v *visit, query url.Values) {
	state := query.Get("state")
	if to, ok := l.finishedIn(r, v, state); ok {
		// Reload, back button, a browser that sends the request twice: this session came out of this callback.
		l.deletePending(w, pendingName(state))
		redirect(w, to)
		return
	}
	if to, ok := l.answeredIn(r, v, state); ok {
		redirect(w, to)
		return
	}
	login, p, err := l.findPending(r, state)
	if p.Sign != nil {
		r = withRetry(r, p.Return)
	} else if p.Return != "" {
		r = withRetry(r, l.loginURL(p.Return))
	}
	if err != nil {
		if e := l.whyLost(r, state, err); e != nil {
			err = e
		}
		if len(r.CookiesNamed(pendingName(state))) > 0 {
			l.deletePending(w, pendingName(state))
		}
		l.fail(w, r, err)
		return
	}
	c := callback{login: login, pending: p, query: query, state: state}
	a, mine := l.attempts.claim(state, l.now())
	first := false
	if mine {
		if first, err = l.shared.Use(r.Context(), l.sharedKey("used", state), l.ttl); err != nil {
			// Nothing is used up: the cookie stays for when the store is back.
			l.attempts.end(state, a, nil, time.Time{})
			l.fail(w, r, &Error{Reason: ReasonSession, Err: err})
			return
		}
	}
	switch {
	case first:
		l.firstCallback(w, r, v, c, a)
	case mine:
		l.attempts.end(state, a, nil, time.Time{})
		l.repeatedCallback(w, r, v, c, nil)
	default:
		l.repeatedCallback(w, r, v, c, a)
	}
}

// callback is one return of a browser that holds the pending login.
type callback struct {
	login   authn.Pending
	pending pending
	query   url.Values
	state   string
}

// finishTimeout is how long the exchange may take once the state is used up. It does not depend on the browser:
// somebody who reloads too early would otherwise burn a login that the service has already granted.
const finishTimeout = time.Minute

// answerGrace is how long after an answer the same browser's other request may come in, which left before the answer
// arrived. A request with the new session ends it: the answer has arrived.
//
// arrivedGrace is how long after that a request may still come in that left before: a browser sends the second of two
// equal requests when the first is answered, with the cookies of before, at the same moment in which it follows the
// first answer. It is refused like every replay, but the page leads on to where the browser wanted to go.
const (
	answerGrace  = 10 * time.Second
	arrivedGrace = 2 * time.Second
)

// firstCallback redeems the code. If the browser has gone away meanwhile, the result is kept for it.
func (l *Login) firstCallback(w http.ResponseWriter, r *http.Request, v *visit, c callback, a *attempt) {
	lasting := context.WithoutCancel(r.Context())
	var kept *finished
	// Whoever waits for this attempt must find the session, or the result, stored.
	defer func() { l.endAttempt(lasting, c, a, kept) }()
	if c.pending.Sign != nil {
		// OWASP ASVS 5.0, 10.1.2: what comes back must belong to the same session and transaction. For somebody else's
		// session nothing is asked of the service.
		if err := l.checkSigner(v, c.pending.Sign); err != nil {
			a.err = err
			l.failCallback(w, r, c, err)
			return
		}
	}
	ctx, cancel := context.WithTimeout(lasting, finishTimeout)
	result, err := l.finish(ctx, c)
	if err != nil {
		// An instance that is gone may have fetched it.
		if f := l.keptResult(ctx, v, c, err); f != nil {
			result, err = *f, nil
		}
	}
	cancel()
	switch {
	case err != nil:
		a.err = err
		l.failCallback(w, r, c, err)
	case r.Context().Err() != nil:
		l.log.LogAttrs(lasting, slog.LevelInfo, "browser gone, result kept")
		kept = &result
	case !l.deliver(w, r, v, c, a, result): //nolint:contextcheck // what was begun is finished under its own deadline
		kept = &result
	}
}

// failCallback is fail where the pending login is of no use any more.
func (l *Login) failCallback(w http.ResponseWriter, r *http.Request, c callback, err error) {
	l.deletePending(w, pendingName(c.state))
	if errors.Is(err, &Error{Reason: ReasonLoginRequired}) { // to sign: log in first
		r = withRetry(r, l.loginURL(RetryURL(r.Context())))
	}
	l.fail(w, r, err)
}

// repeatedCallback answers the browser that holds the cookie of a login whose state was used before: by two callbacks
// at once, or because the first answer did not arrive. The code is not redeemed again. a is nil if this process is not
// at it.
func (l *Login) repeatedCallback(w http.ResponseWriter, r *http.Request, v *visit, c callback, a *attempt) {
	if c.pending.Sign != nil {
		if err := l.checkSigner(v, c.pending.Sign); err != nil { // somebody else's session takes nothing away
			l.failCallback(w, r, c, err)
			return
		}
	}
	result, overlapped, err := l.awaitResult(r.Context(), v, c, a)
	if err == nil && result == nil {
		result = l.unhandedResult(r.Context(), v, c)
	}
	switch {
	case err != nil:
		l.failCallback(w, r, c, err)
	case result != nil:
		var kept *finished
		again, mine := l.attempts.claim(c.state, l.now())
		if mine {
			//nolint:contextcheck // what was begun is finished under its own deadline
			defer func() { l.endAttempt(context.WithoutCancel(r.Context()), c, again, kept) }()
		} else {
			again = new(attempt) // nobody waits for this one
		}
		if r.Context().Err() != nil {
			kept = result // gone again
			return
		}
		//nolint:contextcheck // what was begun is finished under its own deadline
		if !l.deliver(w, r, v, c, again, *result) {
			kept = result
		}
	case overlapped && c.pending.Sign == nil:
		// The other request of this browser got the session. This one gets none, and goes where the browser wanted to
		// go.
		l.deletePending(w, pendingName(c.state))
		redirect(w, c.pending.Return)
	case overlapped:
		// The other request handed the signature to the application. The cookie that it got says where that led.
		to := c.pending.Return
		if a != nil && a.led != "" {
			to = a.led
		}
		redirect(w, to)
	default:
		if a != nil && c.pending.Sign == nil && l.attempts.late(c.state, a, l.now()) {
			leadOn(w, c.pending.Return)
		}
		l.failCallback(w, r, c, &Error{Reason: ReasonReplayed})
	}
}

// leadOn lets a browser go on from the page that follows, at once (HTML Living Standard, "Shared declarative refresh
// steps"; the page is one of this site, because safeReturn made it so).
func leadOn(w http.ResponseWriter, to string) { w.Header().Set("Refresh", "0; url="+to) }

// endAttempt tells everybody, here and in other instances, that the callback was answered, or that its result waits.
func (l *Login) endAttempt(ctx context.Context, c callback, a *attempt, kept *finished) {
	var waits *finished // in this process
	var until time.Time
	defer func() { l.attempts.end(c.state, a, waits, until) }()
	switch {
	case kept == nil:
		if a.err == nil {
			until = l.now().Add(answerGrace)
		}
		if _, err := l.shared.Use(ctx, l.sharedKey("done", c.state), l.ttl); err != nil {
			l.log.LogAttrs(ctx, slog.LevelError, "shared store failed")
		}
	case !l.keepResult(ctx, c.state, kept):
		// The store is down, or the result does not fit into it: it waits in this process.
		waits, until = kept, l.now().Add(resultTTL)
	}
}

// finish asks the service.
func (l *Login) finish(ctx context.Context, c callback) (finished, error) {
	if c.pending.Sign != nil {
		return l.finishSign(ctx, c)
	}
	id, err := l.client.Finish(ctx, c.login, c.query)
	return finished{identity: id}, err
}

// deliver gives the result to the browser. It reports false, after an error page, if the session could not be stored:
// the pending login stays with the browser, and the result is worth keeping until the store is back.
func (l *Login) deliver(w http.ResponseWriter, r *http.Request, v *visit, c callback, a *attempt, f finished) bool {
	if f.signed != nil {
		l.deliverSigned(w, r, c, a, *f.signed)
		return true
	}
	if v.Identity != nil && v.Identity.Subject != f.identity.Subject {
		// What is in the session belongs to another person.
		if err := l.sessions.End(w, r); err != nil {
			l.fail(w, r, &Error{Reason: ReasonSession, Err: err})
			return false
		}
		v.Identity = nil
	}
	begin := func(int) error { //nolint:contextcheck // the request's
		err := l.begin(w, r, v, f.identity, visited{State: stateHash(c.state), Return: c.pending.Return})
		if err != nil {
			l.fail(w, r, err)
			return err
		}
		l.deletePending(w, pendingName(c.state))
		// Successes are logged as well as failures (OWASP ASVS 5.0, 16.3.1), without saying who.
		l.log.LogAttrs(r.Context(), slog.LevelInfo, "logged in", slog.String("acr", f.identity.ACR))
		return nil
	}
	own := &ownResponse{ResponseWriter: w, before: begin}
	if l.onLogin != nil {
		secureHeaders(w)
		err := l.onLogin(own, r, f.identity)
		switch {
		case err != nil && !own.written:
			l.failCallback(w, r, c, &Error{Reason: ReasonOnLogin, Err: err})
			return true
		case err != nil: // the session has begun, and the person has an answer
			l.log.LogAttrs(r.Context(), slog.LevelError, "OnLogin answered and failed",
				slog.String("family", kakunin.FamilyOf(err).String()))
		}
	}
	if own.written {
		return !own.failed
	}
	if begin(0) != nil {
		return false
	}
	redirect(w, c.pending.Return)
	return true
}

// otherInstance says how often and how long a repeated callback asks the shared store for what another instance is
// doing.
const (
	otherInstanceEvery = 100 * time.Millisecond
	otherInstanceTries = 100
	// otherInstanceStill is after how many questions it is looked at what that instance has kept of a signature.
	otherInstanceStill = 5
)

// awaitResult waits for the attempt that used the state up, and returns its result if nobody got it; nil if somebody
// did. overlapped says that the attempt was still running, or that its answer may not have arrived when this request
// left.
func (l *Login) awaitResult(
	ctx context.Context,
	v *visit,
	c callback,
	a *attempt,
) (result *finished, overlapped bool, err error) {
	if a != nil {
		running := a.running()
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, running, &Error{Reason: ReasonReplayed, Err: ctx.Err()}
		}
		if f := l.attempts.take(c.state, a); f != nil {
			return f, running, nil
		}
		if running && a.err != nil {
			return nil, running, a.err // nobody got anything
		}
		result, err = l.takeResult(ctx, c)
		return result, running || l.attempts.holds(c.state, a, l.now()), err
	}
	// Another instance used the state up.
	tick := time.NewTicker(otherInstanceEvery)
	defer tick.Stop()
	for try := range otherInstanceTries {
		if result, err = l.takeResult(ctx, c); result != nil || err != nil {
			return result, overlapped, err
		}
		if done, err := l.shared.Used(ctx, l.sharedKey("done", c.state)); err != nil {
			return nil, overlapped, &Error{Reason: ReasonSession, Err: err}
		} else if done {
			return nil, overlapped, nil
		}
		if try >= otherInstanceStill {
			if result = l.unhandedResult(ctx, v, c); result != nil {
				return result, false, nil
			}
		}
		overlapped = true
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, true, &Error{Reason: ReasonReplayed, Err: ctx.Err()}
		}
	}
	return nil, false, nil // that instance has ended
}

// whyLost says more about a callback without a pending login: its state may have been used.
func (l *Login) whyLost(r *http.Request, state string, err error) error {
	if !errors.Is(err, &Error{Reason: ReasonLostLogin}) {
		return nil
	}
	if used, err := l.shared.Used(r.Context(), l.sharedKey("used", state)); err != nil {
		return &Error{Reason: ReasonSession, Err: err}
	} else if used {
		return &Error{Reason: ReasonReplayed}
	}
	return nil
}

// visited is a callback that a session came out of.
type visited struct {
	State  string `json:"s"` // stateHash
	Return string `json:"r"`
}

// finishedIn reports whether the session of this browser came out of the callback with this state, and where it led.
func (l *Login) finishedIn(r *http.Request, v *visit, state string) (to string, ok bool) {
	if v.Identity == nil {
		return "", false
	}
	for _, c := range l.visitedIn(r) {
		if c.State == stateHash(state) {
			return l.pagePath(c.Return), true
		}
	}
	return "", false
}

// visitedIn lists the last callbacks that led into the session: parallel tabs make several.
func (l *Login) visitedIn(r *http.Request) (list []visited) {
	if json.Unmarshal([]byte(l.sessions.Get(r, l.key+visitedSuffix)), &list) != nil {
		return nil
	}
	return list
}

const visitedSuffix = ".callbacks"

// stateHash is as good as the state for recognising it, and not a state.
func stateHash(state string) string { return strings.TrimPrefix(pendingName(state), pendingPrefix) }

// readParameters are the parameters of the callback that this package or authn reads. Everything else is ignored,
// whatever its form (RFC 6749, section 4.1.2: "The client MUST ignore unrecognized response parameters").
var readParameters = [...]string{"state", "code", "error", "error_description", "error_uri", "iss"}

// callbackQuery parses the query of the callback. Nothing but the parameters that are read can make it malformed, and
// of these not those that only describe an error.
func callbackQuery(r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > limits.CallbackQuery {
		return nil, &Error{Reason: ReasonCallback, Detail: "query too long"}
	}
	if r.URL.RawQuery == "" { // a bookmark, or an address that somebody typed: no answer at all
		return nil, &Error{Reason: ReasonLostLogin}
	}
	query := make(url.Values)
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || !isRead(name) {
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			if isDescription(name) {
				continue
			}
			return nil, &Error{Reason: ReasonCallback, Detail: "malformed query"}
		}
		query[name] = append(query[name], value)
	}
	// RFC 6749, section 3.1: "parameters MUST NOT be included more than once".
	for name, values := range query {
		if len(values) > 1 && !isDescription(name) {
			return nil, &Error{Reason: ReasonCallback, Detail: "a parameter is there twice"}
		}
	}
	if state := query.Get("state"); state == "" || len(state) > limits.AuthorizationParameter {
		return nil, &Error{Reason: ReasonCallback, Detail: "not exactly one state"}
	}
	// "Parameters sent without a value MUST be treated as if they were omitted" (the same section).
	if query.Get("code") == "" && query.Get("error") == "" {
		return nil, &Error{Reason: ReasonCallback, Detail: "neither code nor error"}
	}
	return query, nil
}

func isRead(name string) bool { return slices.Contains(readParameters[:], name) }

// isDescription reports whether a parameter only describes an error.
func isDescription(name string) bool { return name == "error_description" || name == "error_uri" }
