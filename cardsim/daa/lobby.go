package daa

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// lobby knows the visits with which nobody went on after their first page. Anybody can begin as many as they like by
// following a link; when there are too many, the oldest of the same remote address is given up, and only when the whole
// house is full the oldest of all. So a flood of requests costs its sender, and not the person who is typing a PIN.
type lobby struct {
	most, mostPerAddress int
	giveUp               func(*visit)

	mu        sync.Mutex
	all       *list.List // of *visit, the oldest in front
	byAddress map[string]*list.List
}

// seat is a visit's place in the lobby.
type seat struct {
	address      string
	inAll, inOwn *list.Element
	empty        bool
}

func newLobby(most, mostPerAddress int, giveUp func(*visit)) *lobby {
	return &lobby{
		most:           most,
		mostPerAddress: mostPerAddress,
		giveUp:         giveUp,
		all:            list.New(),
		byAddress:      make(map[string]*list.List),
	}
}

// enter gives the visit a seat.
func (l *lobby) enter(v *visit, address string) {
	var given []*visit
	l.mu.Lock()
	own := l.byAddress[address]
	if own == nil {
		own = list.New()
		l.byAddress[address] = own
	}
	v.seat = seat{address: address, inAll: l.all.PushBack(v), inOwn: own.PushBack(v)}
	for own.Len() > l.mostPerAddress {
		given = append(given, l.remove(own.Front()))
	}
	for l.all.Len() > l.most {
		given = append(given, l.remove(l.all.Front()))
	}
	l.mu.Unlock()
	for _, v := range given {
		l.giveUp(v)
	}
}

func (l *lobby) remove(e *list.Element) *visit {
	v, _ := e.Value.(*visit)
	l.all.Remove(v.seat.inAll)
	own := l.byAddress[v.seat.address]
	own.Remove(v.seat.inOwn)
	if own.Len() == 0 {
		delete(l.byAddress, v.seat.address)
	}
	v.seat.empty = true
	return v
}

// leave is for the visit whose person went on, or that ended.
func (l *lobby) leave(v *visit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.seat.inAll != nil && !v.seat.empty {
		l.remove(v.seat.inAll)
	}
}

// clear shows everybody out without giving their visits up.
func (l *lobby) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.all.Len() > 0 {
		l.remove(l.all.Front())
	}
}

// remoteAddress is the host that sent the request.
func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
