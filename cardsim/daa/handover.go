package daa

import (
	"html/template"
	"net/http"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// handoverView is the page for visitors on a PC.
type handoverView struct {
	frame
	Base       string
	QR         template.URL
	PhoneURL   string
	QRExpired  bool
	InvalidNum bool
}

// handoverVisit finds the visit of the PC page; only the browser that began it is served.
func (s *Service) handoverVisit(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	v, ok := s.visits.get(r.PathValue("visit"))
	if !ok {
		v, ok = s.departed.get(r.PathValue("visit"))
	}
	switch {
	case !ok:
		s.errorPage(w, r, http.StatusGone, page.RefusedGone)
	case !sameBrowser(r, v):
		s.errorPage(w, r, http.StatusForbidden, page.RefusedCookie)
	default:
		return v, true
	}
	return nil, false
}

// handoverPage shows the QR code and waits for the six-digit number.
func (s *Service) handoverPage(w http.ResponseWriter, r *http.Request) {
	v, ok := s.handoverVisit(w, r)
	if !ok {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stage == stageEnded { // it ended on the phone; this tab carries the answer back
		s.sendBack(w, r, v)
		return
	}
	f := newFrame(r, page.Handover, v.req.client, v.req.redirectURI)
	f.Alert = noticeText(f, v.pcNotice, v.stage, 0)
	view := handoverView{
		frame: f, Base: "/phone/handover/" + v.id, PhoneURL: s.base.String() + "/phone/screen/" + v.phoneID,
		QRExpired:  !v.opened && !s.now().Before(v.phoneExpires),
		InvalidNum: v.pcNotice == noticeNumberWrong || v.pcNotice == noticeMalformed,
	}
	if !view.QRExpired {
		var err error
		if view.QR, err = qrImage(view.PhoneURL); err != nil {
			s.fail(w, "QR code", err)
			return
		}
	}
	s.render(w, http.StatusOK, f, view)
}

// handoverAction takes the PC page's forms.
func (s *Service) handoverAction(w http.ResponseWriter, r *http.Request) {
	if !s.acceptForm(w, r) {
		return
	}
	v, ok := s.handoverVisit(w, r)
	if !ok {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s.lobby.leave(v)
	action := r.PathValue("action")
	if v.released || v.stage == stageEnded && action != "refresh" {
		s.sendBack(w, r, v)
		return
	}
	v.pcNotice = noticeNone
	switch action {
	case "cancel":
		v.end(page.Cancelled)
		s.sendBack(w, r, v)
		return
	case "refresh":
		if !s.newPhoneAddress(v) {
			s.errorPage(w, r, http.StatusServiceUnavailable, page.RefusedInternal)
			return
		}
	case "here":
		if !v.opened && !s.now().Before(v.phoneExpires) && !s.newPhoneAddress(v) {
			s.errorPage(w, r, http.StatusServiceUnavailable, page.RefusedInternal)
			return
		}
		redirectTo(w, "/phone/screen/"+v.phoneID+languageQuery(r))
		return
	case "number":
		typed := r.PostForm.Get("number")
		if v.pcNotice = s.takeNumber(v, typed); v.pcNotice == noticeNone {
			v.outcome, v.stage = page.Approved, stageEnded
			s.sendBack(w, r, v)
			return
		}
	default:
		s.notFound(w, r)
		return
	}
	redirectTo(w, "/phone/handover/"+v.id+languageQuery(r))
}

// sendBack releases the answer to the browser that began the visit, with 303 so that no form is repeated at the relying
// party (RFC 9700, section 4.12).
func (s *Service) sendBack(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.location != "" && r.Method == http.MethodPost {
		redirectTo(w, v.location)
		return
	}
	location, perr := s.release(v)
	if perr != nil {
		s.errorPage(w, r, http.StatusGone, page.RefusedGone)
		return
	}
	s.setCookie(w, v, v.secret, int(repeatWindow.Seconds()))
	redirectTo(w, location)
}

// acceptForm refuses forms of other sites and forms that cannot be read.
func (s *Service) acceptForm(w http.ResponseWriter, r *http.Request) bool {
	check := r
	if r.Header.Get("Origin") == "null" && r.Header.Get("Sec-Fetch-Site") == "" {
		// With Referrer-Policy no-referrer a browser sends "Origin: null", and over plain http to another machine it
		// sends no Sec-Fetch-Site. There the unguessable address of the page alone has to do.
		check = r.Clone(r.Context())
		check.Header.Del("Origin")
	}
	if s.csrf.Check(check) != nil {
		s.errorPage(w, r, http.StatusForbidden, page.RefusedForeign)
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, limits.FormBody)
	if r.ParseForm() != nil {
		s.errorPage(w, r, http.StatusBadRequest, page.RefusedForm)
		return false
	}
	return true
}
