package platform

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
)

// registered is a consent.
type registered struct {
	consent.Consent
	business string
	person   string
	known    string // the certificate that signed
}

// issued is a document that the operator made, and what it is for.
type issued struct {
	business, service, terms string
	withdraws                string // a consent's id
}

// keptDocuments is how many documents that nobody has signed are remembered; consents are bounded alike.
const keptDocuments = 10_000

func (p *Platform) routeConsents() {
	w := p.wire.Latest
	for path, answer := range map[string]func(string, map[string]string, *http.Request) (int, map[string]string){
		w.DocumentPath: p.document, w.ConsentPath: p.register, w.WithdrawalPath: p.withdraw, w.StatePath: p.state,
		w.AttributesPath: p.attributes,
	} {
		if path == "" || path == Path {
			continue // a profile without this side
		}
		p.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { p.consentSide(w, r, answer) })
	}
}

// consentSide authenticates and reads a request: one JSON object of texts.
func (p *Platform) consentSide(
	w http.ResponseWriter,
	r *http.Request,
	answer func(string, map[string]string, *http.Request) (int, map[string]string),
) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	send := func(status int, members map[string]string) {
		w.WriteHeader(status)
		_, _ = w.Write(encode(members))
	}
	if r.Method != http.MethodPost {
		h.Set("Allow", http.MethodPost)
		send(http.StatusMethodNotAllowed, p.refusal(p.wire.Codes.Request))
		return
	}
	business, err := p.authenticate(r)
	if err != nil {
		h.Set("WWW-Authenticate", "Bearer")
		send(http.StatusUnauthorized, p.refusal("invalid_token"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.OperatorRequest))
	if err != nil {
		send(http.StatusRequestEntityTooLarge, p.refusal(p.wire.Codes.Request))
		return
	}
	members, ok := texts(body)
	if !ok {
		send(http.StatusBadRequest, p.refusal(p.wire.Codes.Request))
		return
	}
	send(answer(business, members, r))
}

// texts reads an object whose members are all texts.
func texts(body []byte) (map[string]string, bool) {
	object, err := strictjson.Object(body)
	if err != nil {
		return nil, false
	}
	all := make(map[string]string, len(object))
	for name, raw := range object {
		text, ok := strictjson.String(raw)
		if !ok {
			return nil, false
		}
		all[name] = text
	}
	return all, true
}

func (p *Platform) refusal(code string) map[string]string {
	return map[string]string{p.wire.ErrorField: code}
}

func (p *Platform) badRequest() (int, map[string]string) {
	return http.StatusBadRequest, p.refusal(p.wire.Codes.Request)
}

// only reports whether the request has exactly these members.
func only(members map[string]string, names ...string) bool {
	for name := range members {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return len(members) == len(names)
}

// document makes one. What a real operator's holds is not public; its root element is.
func (p *Platform) document(business string, m map[string]string, _ *http.Request) (int, map[string]string) {
	w := p.wire.Latest
	of := issued{business: business, service: m[w.ServiceField], terms: m[w.TermsField], withdraws: m[w.ConsentField]}
	root := "利用者同意申請情報"
	switch {
	case only(m, w.ConsentField):
		c, ok := p.consentOf(business, of.withdraws)
		if !ok || !c.WithdrawnAt.IsZero() {
			return http.StatusConflict, p.refusal(w.NoConsentCode)
		}
		root, of.service, of.terms = "利用者同意取消情報", c.Service, c.TermsVersion
	case !only(m, w.ServiceField, w.TermsField) || of.service == "" || of.terms == "":
		return p.badRequest()
	}
	escape := func(s string) string {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(s)) // into memory
		return b.String()
	}
	document := []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n<" + root + ">\r\n" +
		"  <注意>これは模擬の文書です。 This is a simulation.</注意>\r\n" +
		"  <番号>" + rand.Text() + "</番号>\r\n" +
		"  <事業者>" + escape(business) + "</事業者>\r\n" +
		"  <サービス>" + escape(of.service) + "</サービス>\r\n" +
		"  <同意事項の版>" + escape(of.terms) + "</同意事項の版>\r\n" +
		"  <同意番号>" + escape(of.withdraws) + "</同意番号>\r\n" +
		"  <作成日時>" + p.config.Now().UTC().Format(time.RFC3339) + "</作成日時>\r\n" +
		"</" + root + ">\r\n")
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.documents) >= keptDocuments {
		clear(p.documents)
	}
	p.documents[sha256.Sum256(document)] = of
	return http.StatusOK, map[string]string{w.DocumentField: base64.StdEncoding.EncodeToString(document)}
}

func (p *Platform) consentOf(business, id string) (registered, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.consents[id]
	if !ok || c.business != business {
		return registered{}, false
	}
	return *c, true
}

// verifySigned has the verification's own handler judge a signed document of ours. The second result is nil when that
// is no good verdict, which the first then is.
func (p *Platform) verifySigned(
	business string,
	m map[string]string,
	r *http.Request,
) (status int, members map[string]string, of issued, v *Verification) {
	document, err := base64.StdEncoding.Strict().DecodeString(m[p.wire.Latest.DocumentField])
	if err != nil {
		status, members = p.badRequest()
		return status, members, of, nil
	}
	digest := sha256.Sum256(document)
	p.mu.Lock()
	of, ours := p.documents[digest]
	p.mu.Unlock()
	if !ours || of.business != business {
		return http.StatusConflict, p.refusal(p.wire.Latest.DocumentCode), of, nil
	}
	request := map[string]any{
		p.wire.SealedField: m[p.wire.SealedField], p.wire.HashAlgorithmField: "SHA-256",
		p.wire.DigestField:      base64.StdEncoding.EncodeToString(digest[:]),
		p.wire.ModeField:        sign.ModeDigestInfo.String(),
		p.wire.TransactionField: m[p.wire.TransactionField], p.wire.IdentifyField: true,
	}
	delete(request, "") // what the profile does not have
	body, err := json.Marshal(request)
	if err != nil {
		status, members = p.badRequest()
		return status, members, of, nil
	}
	asked := r.Clone(r.Context())
	asked.Method, asked.Body, asked.ContentLength = http.MethodPost, io.NopCloser(bytes.NewReader(body)),
		int64(len(body))
	out := &answer{header: make(http.Header), status: http.StatusOK}
	p.verify.ServeHTTP(out, asked)
	status, spoiled := out.status, out.body.Bytes()
	if status == http.StatusOK {
		status, spoiled = p.spoil(p.config.Knobs().Answer, spoiled)
	}
	members, _ = texts(spoiled)
	if status != http.StatusOK || members[p.wire.CodeField] != p.wire.Codes.OK {
		return status, members, of, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.verified) - 1; i >= 0; i-- {
		if p.verified[i].ID == members[p.wire.VerificationIDField] {
			return status, members, of, new(p.verified[i])
		}
	}
	return http.StatusServiceUnavailable, p.refusal(p.wire.Codes.Unavailable), of, nil
}

// register keeps a signed consent. The same document again, with the same transaction, is the same consent.
func (p *Platform) register(business string, m map[string]string, r *http.Request) (int, map[string]string) {
	w := p.wire.Latest
	if !only(m, w.DocumentField, p.wire.SealedField, p.wire.TransactionField) {
		return p.badRequest()
	}
	status, members, of, v := p.verifySigned(business, m, r)
	if v == nil {
		return status, members
	}
	if of.withdraws != "" {
		return http.StatusConflict, p.refusal(w.DocumentCode)
	}
	id := p.config.Derive("consent", business, v.TransactionID)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.consents[id] == nil {
		if len(p.consents) >= keptDocuments {
			clear(p.consents)
		}
		p.consents[id] = &registered{
			Consent: consent.Consent{
				Service: of.service, TermsVersion: of.terms, TransactionID: v.TransactionID,
				Base: consent.BaseReceived, ReceivedAt: v.At, ReflectedAt: v.At,
			},
			business: business, person: v.person, known: p.known(v.certificate),
		}
	}
	members[w.ConsentField] = id
	return http.StatusOK, members
}

func (p *Platform) known(certificate [sha256.Size]byte) string {
	return p.config.Derive("known", string(certificate[:]))
}

// withdraw ends a consent of the same person.
func (p *Platform) withdraw(business string, m map[string]string, r *http.Request) (int, map[string]string) {
	w := p.wire.Latest
	if !only(m, w.ConsentField, w.DocumentField, p.wire.SealedField, p.wire.TransactionField) {
		return p.badRequest()
	}
	if _, ok := p.consentOf(business, m[w.ConsentField]); !ok {
		return http.StatusConflict, p.refusal(w.NoConsentCode)
	}
	status, members, of, v := p.verifySigned(business, m, r)
	if v == nil {
		return status, members
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.consents[m[w.ConsentField]]
	if c == nil || of.withdraws != m[w.ConsentField] || c.person != v.person {
		return http.StatusConflict, p.refusal(w.DocumentCode)
	}
	if c.WithdrawnAt.IsZero() {
		c.WithdrawnAt = v.At
	}
	return http.StatusOK, members
}

// state says what became of a consent.
func (p *Platform) state(business string, m map[string]string, _ *http.Request) (int, map[string]string) {
	w := p.wire.Latest
	if !only(m, w.ConsentField) {
		return p.badRequest()
	}
	c, ok := p.consentOf(business, m[w.ConsentField])
	if !ok {
		return http.StatusConflict, p.refusal(w.NoConsentCode)
	}
	members := map[string]string{w.StateField: c.StateAt(p.config.Now()).String()}
	for name, t := range map[string]time.Time{
		w.ReceivedField: c.ReceivedAt, w.ReflectedField: c.ReflectedAt, w.WithdrawnField: c.WithdrawnAt,
	} {
		if !t.IsZero() {
			members[name] = t.UTC().Format(time.RFC3339)
		}
	}
	return http.StatusOK, members
}

// attributes answers for a consent that counts now: nothing new, what the new certificate says, or that there is none
// yet. The operator keeps nothing of what it hands out.
func (p *Platform) attributes(business string, m map[string]string, _ *http.Request) (int, map[string]string) {
	w := p.wire.Latest
	if !only(m, w.ConsentField, w.KnownField) {
		return p.badRequest()
	}
	c, ok := p.consentOf(business, m[w.ConsentField])
	now := p.config.Now()
	if !ok || c.StateAt(now) != consent.StateActive {
		return http.StatusConflict, p.refusal(w.NoConsentCode)
	}
	known := m[w.KnownField]
	if known == "" {
		known = c.known
	}
	members := map[string]string{
		w.AttributesStateField: w.NoCertificate, w.KnownField: known, w.AsOfField: now.UTC().Format(time.RFC3339),
	}
	der := p.config.Residents.Signing(c.person)
	if len(der) == 0 {
		return http.StatusOK, members
	}
	if latest := p.known(sha256.Sum256(der)); latest != known {
		leaf, err := jpki.ParseCertificate(der)
		if err != nil {
			return http.StatusServiceUnavailable, p.refusal(p.wire.Codes.Unavailable)
		}
		members[w.AttributesStateField], members[w.KnownField] = w.Changed, latest
		s := leaf.Person().RevealAll()
		for name, value := range map[string]*string{
			w.NameField: s.Name, w.AddressField: s.Address, w.BirthdateField: s.Birthdate, w.GenderField: s.Gender,
		} {
			if value != nil {
				members[name] = *value
			}
		}
		// A certificate's date begins with the digit of the era; the card's does not.
		if date := members[w.BirthdateField]; s.BirthdateForm == "era" && len(date) == 9 {
			members[w.BirthdateField] = date[1:]
		}
		return http.StatusOK, members
	}
	members[w.AttributesStateField] = w.Unchanged
	return http.StatusOK, members
}
