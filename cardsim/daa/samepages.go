package daa

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
)

// samePages keeps pages of the phone screen that differ from visit to visit in nothing but the visit's address, which
// most pages of most visits are: an execution of their templates costs more than everything else about them. A page
// that shows something about a person, or says something about the last input, is never kept. It is safe for
// concurrent use.
type samePages struct {
	// anyPhone stands in the views, and so in the pages, where a visit's phone address belongs. Like one it is letters
	// and digits, which nothing escapes, and nobody can guess it.
	anyPhone []byte

	mu   sync.Mutex
	kept atomic.Pointer[[]samePage] // replaced as a whole
}

// samePage is a page between the places where the address stands, and the view that it was made from.
type samePage struct {
	view  phoneView
	parts [][]byte
}

// mostSamePages is more than the pages of a visit in both languages, for a handful of relying parties.
const mostSamePages = 64

func newSamePages() *samePages {
	p := &samePages{anyPhone: []byte(rand.Text())}
	p.kept.Store(new([]samePage))
	return p
}

// find returns a page that was made from the same view.
func (p *samePages) find(view *phoneView) ([][]byte, bool) {
	kept := *p.kept.Load()
	for i := range kept {
		if reflect.DeepEqual(&kept[i].view, view) {
			return kept[i].parts, true
		}
	}
	return nil, false
}

// keep remembers a page, unless it is about one person.
func (p *samePages) keep(view phoneView, parts [][]byte) {
	if view.isPersonal() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := *p.kept.Load()
	if len(old) >= mostSamePages {
		old = nil
	}
	list := make([]samePage, len(old), len(old)+1)
	copy(list, old)
	list = append(list, samePage{view, parts})
	p.kept.Store(&list)
}

// isPersonal reports whether the page is for one visit alone. An address with a query that is not ours is of the
// visitor's own making, too.
func (v *phoneView) isPersonal() bool {
	return v.Attributes != nil || v.Number != "" || v.Alert != "" ||
		v.SwitchURL != "?lang=ja" && v.SwitchURL != "?lang=en"
}

// renderPhone writes a page of the phone screen, whose view has anyPhone in the place of the address.
func (s *Service) renderPhone(w http.ResponseWriter, view phoneView, phoneID string) {
	body, _ := s.pages.buffers.Get().(*bytes.Buffer)
	defer s.pages.buffers.Put(body)
	body.Reset()
	parts, ok := s.pages.same.find(&view)
	if !ok {
		if err := s.pages.execute(body, view.frame, view); err != nil {
			s.fail(w, "page "+string(view.Page), err)
			return
		}
		parts = bytes.Split(bytes.Clone(body.Bytes()), s.pages.same.anyPhone)
		s.pages.same.keep(view, parts)
		body.Reset()
	}
	for i, part := range parts {
		if i > 0 {
			body.WriteString(phoneID)
		}
		body.Write(part)
	}
	s.pages.write(w, http.StatusOK, view.frame, body.Bytes())
}
