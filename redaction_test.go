package kakunin_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/report"
)

// Types that print something of their own choice although they are near secrets, each with the reason.
var speaking = map[string]string{
	"authn.Event":          "an audit event says what happened, in words of the module",
	"certpath.Certificate": "a certificate names itself by its fingerprint",
	"revocation.Answer":    "status, method and reason; the evidence shows as its hash",
	"sign.Report":          "mode, time and steps; what it holds of the person redacts itself",
	"fourinfo.Stored":      "the plain form for an encoder: only printing and logging it show nothing",
}

// Types with a method Reveal… that hold one sealed value among others that are not personal.
var partlySealed = map[string]string{
	"authn.Problem":  "name and reason stand in the open, in words of the module; what was received is sealed",
	"card.Record":    "the municipality and the expiry stand in the open",
	"mdoc.Document":  "doctype and dates stand in the open; every element redacts itself",
	"person.Details": "what Person.Reveal gives away",
}

// Types that embed the mark although their fields are open by design: the mark closes the usual doors, not all.
var openFields = map[string]string{
	"person.Description": "what a program fills in to make a synthetic person",
}

// A new type that redacts itself, or that has a method Reveal…, fails this test until it embeds the mechanism and has a
// sample here: then it is tried as value, pointer, field, key and element, with every verb, encoder and handler.
func TestRedactingTypesShowNothing(t *testing.T) {
	samples := redactionSamples(t)
	marked, revealing, talking := redactingTypes(t)
	if len(marked) < 20 {
		t.Fatalf("only %d redacting types found: the enumeration is broken", len(marked))
	}
	for _, name := range slices.Sorted(maps.Keys(marked)) {
		if len(samples[name]) == 0 && openFields[name] == "" && ast.IsExported(path.Ext(name)[1:]) {
			t.Errorf("%s redacts itself and is not tried: give it a sample", name)
		}
	}
	for name := range samples {
		if !marked[name] && speaking[name] == "" && partlySealed[name] == "" {
			t.Errorf("%s has a sample and does not embed the mechanism", name)
		}
	}
	for name := range revealing {
		if !marked[name] && partlySealed[name] == "" {
			t.Errorf("%s has a method Reveal… and does not embed the mechanism", name)
		}
	}
	for name := range talking {
		if !marked[name] && speaking[name] == "" {
			t.Errorf("%s prints itself by hand: embed the mechanism, or say here why it may speak", name)
		}
	}
	for name, list := range samples {
		for _, s := range list {
			for _, view := range s.views {
				for how, shown := range everyWay(view) {
					if what := s.found(shown); what != "" {
						t.Errorf("%s as %T by %s shows %s", name, view, how, what)
					}
				}
			}
		}
	}
}

// redactingTypes reads from the source which types embed redact.Mark, which have methods Reveal…, and which print
// themselves by hand.
func redactingTypes(t *testing.T) (marked, revealing, talking map[string]bool) {
	t.Helper()
	marked, revealing, talking = map[string]bool{}, map[string]bool{}, map[string]bool{}
	structs := map[string]*ast.StructType{}
	for _, file := range sourceFiles(t) {
		pkg := file.syntax.Name.Name
		if file.test || pkg == "main" || file.dir == "internal/redact" {
			continue
		}
		for _, decl := range file.syntax.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok {
						if fields, ok := s.Type.(*ast.StructType); ok {
							structs[pkg+"."+s.Name.Name] = fields
						}
					}
				}
			case *ast.FuncDecl:
				if d.Recv == nil || !exportedReceiver(&ast.FuncDecl{Recv: d.Recv, Name: ast.NewIdent("x")}) {
					continue
				}
				name := pkg + "." + receiverName(d)
				if strings.HasPrefix(d.Name.Name, "Reveal") {
					revealing[name] = true
				}
				if slices.Contains([]string{"GoString", "Format", "LogValue"}, d.Name.Name) {
					talking[name] = true
				}
			}
		}
	}
	for grown := true; grown; { // a type that embeds a redacting type redacts itself, too
		grown = false
		for name, fields := range structs {
			for _, field := range fields.Fields.List {
				if len(field.Names) > 0 || marked[name] {
					continue
				}
				embedded, ok := field.Type.(*ast.Ident)
				if ok && (embedded.Name == "redacted" || marked[strings.Split(name, ".")[0]+"."+embedded.Name]) {
					marked[name], grown = true, true
				}
				if s, ok := field.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Mark" {
					t.Errorf("%s shows the mark in its documentation: embed it under the alias redacted", name)
				}
			}
		}
	}
	return marked, revealing, talking
}

func receiverName(d *ast.FuncDecl) string {
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if index, ok := receiver.(*ast.IndexExpr); ok {
		receiver = index.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// sample is one value in every place where it can stand, and what must not show.
type sample struct {
	views   []any
	secrets []string
}

type holder[T any] struct{ v T }

// try puts a value into every place.
func try[T any](v T, secrets ...string) sample {
	return sample{[]any{
		v, &v, holder[T]{v}, &holder[T]{v}, holder[*T]{&v}, holder[any]{v}, holder[[]T]{[]T{v}},
		holder[holder[T]]{holder[T]{v}},
		[]T{v}, [1]T{v}, []any{v}, map[string]T{"k": v}, holder[map[string]T]{map[string]T{"k": v}}, struct{ V T }{v},
		struct{ V *T }{&v}, struct{ V any }{v},
	}, secrets}
}

// tryPointer is try for a value that is used by pointer and must not be copied.
func tryPointer[T any](v *T, secrets ...string) sample {
	return sample{[]any{
		v, holder[*T]{v}, &holder[*T]{v}, holder[any]{v}, []*T{v}, holder[[]*T]{[]*T{v}}, map[string]*T{"k": v},
		map[*T]int{v: 1}, struct{ V *T }{v},
	}, secrets}
}

// tryKey is try for a value that can be the key of a map.
func tryKey[T comparable](v T, secrets ...string) sample {
	s := try(v, secrets...)
	s.views = append(s.views, map[T]int{v: 1}, holder[map[T]int]{map[T]int{v: 1}},
		struct{ V map[T]string }{map[T]string{v: "x"}})
	return s
}

// short reports whether a secret has so few digits that they turn up in the addresses that fmt prints for pointers.
func short(secret string) bool { return len(secret) < 6 && strings.Trim(secret, "0123456789") == "" }

// alone reports whether the digits stand in the text as a number of their own.
func alone(shown, digits string) bool {
	return regexp.MustCompile(`(^|[^0-9a-fx])` + digits + `([^0-9a-f]|$)`).MatchString(shown)
}

// found names the form in which a secret stands in the text.
func (s sample) found(shown string) string {
	for _, secret := range s.secrets {
		if len(secret) < 4 {
			continue
		}
		head := secret[:min(len(secret), 24)]
		forms := map[string]string{
			"itself":    head,
			"hex":       hex.EncodeToString([]byte(head)),
			"HEX":       strings.ToUpper(hex.EncodeToString([]byte(head))),
			"bytes":     strings.Trim(fmt.Sprintf("%v", []byte(head)), "[]"),
			"base64":    base64.StdEncoding.EncodeToString([]byte(head[:len(head)/3*3])),
			"base64url": base64.URLEncoding.EncodeToString([]byte(head[:len(head)/3*3])),
			"quoted":    strings.Trim(fmt.Sprintf("%+q", head), `"`),
			"# hex": strings.Trim(strings.Join(strings.Split(fmt.Sprintf("%#v", []byte(head)), ", "), ", "),
				"[]byte{}"),
		}
		for form, text := range forms {
			if strings.Contains(shown, text) && (!short(secret) || alone(shown, text)) {
				return "a secret as " + form
			}
		}
	}
	return ""
}

// everyWay shows a value by package fmt, the encoders and the handlers of log/slog. An encoder's refusal shows nothing.
func everyWay(v any) map[string]string {
	ways := map[string]string{}
	for _, verb := range "vsqxXdtTpcboOUeEfFgG" {
		for _, flags := range []string{"", "+", "#"} {
			format := "%" + flags + string(verb)
			ways[format] = fmt.Sprintf(format, v)
		}
	}
	if b, err := json.Marshal(v); err == nil {
		ways["encoding/json"] = string(b)
	}
	if b, err := xml.Marshal(v); err == nil {
		ways["encoding/xml"] = string(b)
	}
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(v) == nil {
		ways["encoding/gob"] = b.String()
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var out bytes.Buffer
		slog.New(handler(&out)).Info("x", slog.Any("v", v))
		ways[name] = out.String()
	}
	return ways
}

func redactionSamples(t *testing.T) map[string][]sample {
	t.Helper()
	const canary = "canary.カナリア.QX7731"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	samples := map[string][]sample{}
	add := func(name string, s ...sample) { samples[name] = append(samples[name], s...) }

	// A whole visit gives what nothing else makes: a login, an opened result, a report.
	w := newWorld(t)
	if status := w.visit(t, http.MethodGet, "/auth/login?return=/account"); status != http.StatusSeeOther ||
		!w.loggedIn(t) {
		t.Fatalf("no login: %d, %v", status, w.errs)
	}
	if status := w.visit(t, http.MethodPost, "/sign"); status != http.StatusOK || w.report == nil {
		t.Fatalf("no signature: %d, %v", status, w.errs)
	}
	subject := w.identity.Subject.Reveal()
	add("authn.Identity", try(w.identity, subject, w.person.Name, "架空島"),
		tryPointer(&w.identity, subject, w.person.Name))
	add("authn.Subject", tryKey(authn.NewSubject(canary), canary))
	add("authn.Token", try(w.identity.AccessToken(), w.identity.AccessToken().Reveal()))

	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	numbers := []string{string(private.D.Bytes()), private.D.String(), private.Primes[0].String(),
		fmt.Sprintf("%x", private.D), fmt.Sprintf("%X", private.D)}
	key, err := authn.NewKey(private, canary)
	must(err)
	add("authn.Key", try(key, numbers...))
	decryption, err := authn.NewDecryptionKey(private, canary)
	must(err)
	add("authn.DecryptionKey", try(decryption, numbers...))
	ring, err := authn.NewKeyRing(key)
	must(err)
	add("authn.KeyRing", tryPointer(ring, numbers...))
	begun, err := w.client.Begin(t.Context(), authn.Request{Scopes: authn.Attributes})
	must(err)
	location, err := url.Parse(begun.URL)
	must(err)
	add("authn.Pending", try(begun.Pending, location.Query().Get("state"), location.Query().Get("nonce")))
	refresh, err := authn.ParseRefreshToken([]byte(`{"v":1,"i":"https://op.example","c":"RP1","sub":"` + canary +
		`","nonce":"` + strings.Repeat("n", 43) + `","iat":1,"g":["openid"],"t":"` + canary + `"}`))
	must(err)
	add("authn.RefreshToken", try(refresh, canary))

	p := fourinfo.Person{Name: fourinfo.NewName(canary), Address: fourinfo.NewAddress(canary),
		Gender: fourinfo.NewGender(canary)}
	p.Birthdate, err = fourinfo.ParseBirthdate("19870403")
	must(err)
	add("fourinfo.Person", try(p, canary, "19870403", "1987"))
	add("fourinfo.Name", try(p.Name, canary))
	add("fourinfo.Address", try(p.Address, canary))
	add("fourinfo.Gender", try(p.Gender, canary))
	add("fourinfo.Birthdate", try(p.Birthdate, "19870403", "1987"))
	number, err := mynumber.New("123456789018", mynumber.PurposeAdministration)
	must(err)
	add("mynumber.Number", try(number, "123456789018"))
	document, _ := mdoc.Read(mdoc.Elements{mdoc.NamespaceJapan: {mdoc.ElementPortrait: []byte(canary)}}, mdoc.Options{})
	add("mdoc.Portrait", try(document.Portrait, canary))

	details := w.person
	details.Name, details.Subject.Name, details.Subject.NameSubstitutes = "架空島　咲見", "架空島　咲見", ""
	made, err := person.New(details)
	must(err)
	add("person.Person", try(made, details.Name, "架空島", details.AuthPIN, details.SigningPassword))
	simulated := cardsim.New(t, person.Hanako)
	client, err := simulated.Client(t.Context())
	must(err)
	face, err := client.Face(t.Context(), card.FaceNumberA, simulated.Person().Reveal().IndividualNumber)
	must(err)
	add("card.Replacement", try(card.Replace(canary, canary), canary))
	add("card.Image", try(face.Name, string(face.Name.Reveal())))

	raw := string(w.report.Certificate.Raw())
	serial := w.report.Certificate.X509().SerialNumber
	add("jpki.Certificate", try(*w.report.Certificate, raw, details.Name, serial.String(), fmt.Sprintf("%x", serial)),
		tryPointer(w.report.Certificate, raw, details.Name, serial.String()))
	asked, err := revocation.ParseCertificate(w.report.Certificate.Raw())
	must(err)
	add("revocation.Certificate", try(*asked, raw, details.Name, serial.String()))
	chained, err := certpath.ParseCertificate(w.report.Certificate.Raw())
	must(err)
	add("certpath.Certificate", try(*chained, raw, details.Name, serial.String(), fmt.Sprintf("%x", serial)),
		tryPointer(chained, raw, details.Name, serial.String()))
	other := otherNameSample(t, w.report.Certificate.Raw())
	add("jpki.OtherName", try(other, string(other.Raw()), string(other.Raw()[4:])))

	keys, err := middleware.ParseSealKeys(base64.StdEncoding.EncodeToString([]byte("k" + canary + "............")[:32]))
	must(err)
	add("middleware.SealKey", try(keys[0], canary[:20]), try(keys, canary[:20]),
		try(middleware.Config{SealKeys: keys}, canary[:20]))

	part := base64.RawURLEncoding.EncodeToString([]byte(canary))
	sealed, err := sign.ParseSealed(strings.Join([]string{part, part, part, part, part}, "."))
	must(err)
	add("sign.Sealed", tryPointer(sealed, canary, part))
	opened := sign.NewOpened([]byte(canary), []byte(canary))
	add("sign.Opened", tryPointer(opened, canary), try(*opened, canary))
	add("sign.UserID", tryKey(sign.NewUserID(canary), canary))
	add("sign.Report", tryPointer(w.report, raw, details.Name, string(w.report.Opened.RevealSignature())))
	record, err := evidence.FromReport(w.report, time.Now(), evidence.Basis("demonstration"),
		evidence.WithCertificate())
	must(err)
	add("evidence.Held", tryPointer(record.Held, raw, details.Name))
	written, err := report.Of(sign.Outcome{Report: w.report}, report.Options{Reveal: true})
	must(err)
	add("report.Revealed", tryPointer(written.Revealed, details.Name, written.Revealed.Reveal().Address))
	wrapping := []byte("0123456789abcdefghijklmnopqrstuv")
	localKeys, err := evidence.NewLocalKeys(wrapping)
	must(err)
	add("evidence.LocalKeys", tryPointer(localKeys, string(wrapping)))
	checkpoint, err := evidence.NewCheckpointKey("example.test/log", rand.Reader)
	must(err)
	add("evidence.CheckpointKey", try(checkpoint, checkpoint.RevealText(),
		checkpoint.RevealText()[len(checkpoint.RevealText())-30:]))
	return samples
}

// otherNameSample is a certificate's address under another object identifier, which no rule knows.
func otherNameSample(t *testing.T, der []byte) jpki.OtherName {
	t.Helper()
	address := []byte{0x2A, 0x83, 0x08, 0x8C, 0x9B, 0x55, 0x08, 0x05, 0x05, 0x05} // 1.2.392.200149.8.5.5.5
	i := bytes.Index(der, address)
	if i < 0 {
		t.Fatal("no address in the certificate")
	}
	other := bytes.Clone(der)
	other[i+len(address)-1] = 0x63
	parsed, err := jpki.ParseCertificate(other)
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.OtherNames()) != 1 {
		t.Fatalf("%d other names", len(parsed.OtherNames()))
	}
	return parsed.OtherNames()[0]
}
