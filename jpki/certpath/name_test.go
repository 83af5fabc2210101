package certpath

import (
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

func parseName(raw []byte) (*names.Name, bool) {
	s := cryptobyte.String(raw)
	n, ok := names.Read(&s)
	return n, ok && s.Empty()
}

// RFC 5280, 7.1 and 7.3: what is the same name and what is not.
func TestNameComparison(t *testing.T) {
	utf8, printableKind := cbasn1.UTF8String, cbasn1.PrintableString
	one := func(kind cbasn1.Tag, value string) []byte { return seq(attr(kind, value, 2, 5, 4, 3)) }
	bmp := func(text string) string {
		var out []byte
		for _, r := range text {
			out = append(out, byte(r>>8), byte(r))
		}
		return string(out)
	}
	multi := func(parts ...[]byte) []byte { return seq(wrap(cbasn1.SET, parts...)) }
	pair := func(value string, id ...int) []byte { return seq(oidDER(id...), wrap(utf8, []byte(value))) }
	for _, c := range []struct {
		name string
		a, b []byte
		want bool
	}{
		{"same", one(utf8, "Good CA"), one(utf8, "Good CA"), true},
		{"another", one(utf8, "Good CA"), one(utf8, "Bad CA"), false},
		{"another type", one(utf8, "Good CA"), seq(attr(utf8, "Good CA", 2, 5, 4, 10)), false},
		{"encoding", one(utf8, "Good CA"), one(printableKind, "Good CA"), true},
		{"case", one(printableKind, "Good CA"), one(utf8, "gOOD ca"), true},
		{"spaces around", one(utf8, "Good CA"), one(utf8, "  Good CA "), true},
		{"spaces within", one(utf8, "Good CA"), one(utf8, "Good   CA"), true},
		{"no space", one(utf8, "Good CA"), one(utf8, "GoodCA"), false},
		{"full width", one(utf8, "認証局１"), one(utf8, "認証局1"), true},
		{"ideographic space", one(utf8, "認証　局"), one(utf8, "認証 局"), true},
		{"half-width kana", one(utf8, "ｶﾞ"), one(utf8, "ガ"), true},
		{"composed", one(utf8, "\u00e9"), one(utf8, "e\u0301"), true},
		{"sharp s", one(utf8, "straße"), one(utf8, "STRASSE"), true},
		{"BMPString", one(names.TagBMPString, bmp("認証局")), one(utf8, "認証局"), true},
		{"UniversalString", one(names.TagUniversalString, "\x00\x00\x8a\x8d"), one(utf8, "認"), true},
		{"zero width", one(utf8, "Go\u200bod"), one(utf8, "Good"), true},
		{"private use matches itself", one(utf8, "\ue000A"), one(utf8, "\ue000A"), true},
		{"private use has no case", one(utf8, "\ue000A"), one(utf8, "\ue000a"), false},
		{"T61 by octets", one(cbasn1.T61String, "Good"), one(cbasn1.T61String, "good"), false},
		{"T61 is not UTF-8", one(cbasn1.T61String, "Good"), one(utf8, "Good"), false},
		{"domain component", seq(attr(cbasn1.IA5String, "Example", 0, 9, 2342, 19200300, 100, 1, 25)),
			seq(attr(cbasn1.IA5String, "eXAMPLE", 0, 9, 2342, 19200300, 100, 1, 25)), true},
		{"order of RDNs", seq(cn("a"), cn("b")), seq(cn("b"), cn("a")), false},
		{"number of RDNs", seq(cn("a")), seq(cn("a"), cn("a")), false},
		{"order within an RDN", multi(pair("a", 2, 5, 4, 3), pair("b", 2, 5, 4, 10)),
			multi(pair("b", 2, 5, 4, 10), pair("a", 2, 5, 4, 3)), true},
		{"one RDN or two", multi(pair("a", 2, 5, 4, 3), pair("b", 2, 5, 4, 10)),
			seq(wrap(cbasn1.SET, pair("a", 2, 5, 4, 3)), wrap(cbasn1.SET, pair("b", 2, 5, 4, 10))), false},
		{"no gluing", seq(cn("ab"), cn("c")), seq(cn("a"), cn("bc")), false},
	} {
		a, okA := parseName(c.a)
		b, okB := parseName(c.b)
		if !okA || !okB {
			t.Errorf("%s: not read (%v, %v)", c.name, okA, okB)
			continue
		}
		if a.Equal(b) != c.want || b.Equal(a) != c.want {
			t.Errorf("%s: equal = %v", c.name, !c.want)
		}
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	for name, raw := range map[string][]byte{
		"printable with umlaut":   seq(attr(cbasn1.PrintableString, "B\xfcro", 2, 5, 4, 3)),
		"printable underscore":    seq(attr(cbasn1.PrintableString, "a_b", 2, 5, 4, 3)),
		"broken UTF-8":            seq(attr(cbasn1.UTF8String, "\xff", 2, 5, 4, 3)),
		"IA5 beyond ASCII":        seq(attr(cbasn1.IA5String, "\x80", 2, 5, 4, 3)),
		"odd BMPString":           seq(attr(names.TagBMPString, "abc", 2, 5, 4, 3)),
		"surrogate":               seq(attr(names.TagBMPString, "\xd8\x00", 2, 5, 4, 3)),
		"numeric with letters":    seq(attr(names.TagNumericString, "12a", 2, 5, 4, 3)),
		"universal beyond":        seq(attr(names.TagUniversalString, "\x00\x11\x00\x00", 2, 5, 4, 3)),
		"empty RDN":               seq(wrap(cbasn1.SET)),
		"attribute without value": seq(wrap(cbasn1.SET, seq(oidDER(2, 5, 4, 3)))),
		"trailing in attribute": seq(wrap(cbasn1.SET, seq(oidDER(2, 5, 4, 3), wrap(cbasn1.UTF8String, []byte("a")),
			[]byte{5, 0}))),
		"padded OID": seq(wrap(cbasn1.SET, seq([]byte{6, 3, 0x55, 0x80, 0x03},
			wrap(cbasn1.UTF8String, []byte("a"))))),
	} {
		if _, ok := parseName(raw); ok {
			t.Errorf("%s was read", name)
		}
	}
}

// general encodes one GeneralName.
func general(form names.Form, value string) []byte {
	switch form {
	case names.FormDirectory:
		return wrap(der.Tag4C, []byte(value))
	case names.FormOther:
		return wrap(der.Tag0C, []byte(value))
	case names.FormX400:
		return wrap(der.Tag3C, []byte(value))
	case names.FormEDIParty:
		return wrap(der.Tag5C, []byte(value))
	default:
		return wrap(cbasn1.Tag(0x80+int(form)), []byte(value))
	}
}

func comparisons(n int) *int { return &n }

// RFC 5280, 4.2.1.10, form by form: a name against a constraint, as permitted and as excluded subtree.
func TestNameConstraints(t *testing.T) {
	other := func(text string, id ...int) string {
		return string(oidDER(id...)) + string(wrap(der.Tag0C, wrap(cbasn1.UTF8String, []byte(text))))
	}
	const in, out, never = "inside", "outside", "refused both ways"
	for _, c := range []struct {
		form       names.Form
		name, base string
		want       string
	}{
		{names.FormDNS, "host.example.com", "host.example.com", in},
		{names.FormDNS, "www.host.example.com", "host.example.com", in},
		{names.FormDNS, "host1.example.com", "host.example.com", out},
		{names.FormDNS, "HOST.example.COM", "host.EXAMPLE.com", in},
		{names.FormDNS, "badexample.com", "example.com", out},
		{names.FormDNS, "example.com", ".example.com", out},
		{names.FormDNS, "www.example.com", ".example.com", in},
		{names.FormDNS, "anything.test", "", in},
		{names.FormDNS, "*.example.com", "example.com", in},
		{names.FormDNS, "bad host", "example.com", never},
		{names.FormDNS, "a..example.com", "example.com", never},
		{names.FormEmail, "root@example.com", "example.com", in},
		{names.FormEmail, "root@EXAMPLE.com", "example.com", in},
		{names.FormEmail, "root@sub.example.com", "example.com", out},
		{names.FormEmail, "root@sub.example.com", ".example.com", in},
		{names.FormEmail, "root@example.com", ".example.com", out},
		{names.FormEmail, "root@example.com", "root@example.com", in},
		{names.FormEmail, "Root@example.com", "root@example.com", out},
		{names.FormEmail, "no-at-sign", "example.com", never},
		{names.FormEmail, "@example.com", "example.com", never},
		{names.FormEmail, "a@evil.test,b@example.com", "example.com", never},
		{names.FormEmail, `"root"@example.com`, "root@example.com", never},
		{names.FormEmail, `ro\ot@example.com`, "root@example.com", never},
		{names.FormURI, "https://host.example.com/x", "host.example.com", in},
		{names.FormURI, "https://user@host.example.com:8443/x", "host.example.com", in},
		{names.FormURI, "https://host.example.com.evil.test/", "host.example.com", out},
		{names.FormURI, "https://www.example.com", ".example.com", in},
		{names.FormURI, "https://example.com", ".example.com", out},
		{names.FormURI, "https://example.com", "example.com", in},
		{names.FormURI, "https://192.0.2.1/", "example.com", never},
		{names.FormURI, "https://[2001:db8::1]/", "example.com", never},
		{names.FormURI, "urn:example", "example.com", never},
		{names.FormURI, "http:/evil.test/://host.example.com", "host.example.com", never},
		{names.FormURI, "javascript:x//://host.example.com", "host.example.com", never},
		{names.FormURI, "https://evil.test\\@host.example.com", "host.example.com", never},
		{names.FormURI, "https://evil.test @host.example.com", "host.example.com", never},
		{names.FormURI, "https://a@evil.test@host.example.com", "host.example.com", never},
		{names.FormURI, "https://evil.test/@host.example.com", "host.example.com", out},
		{names.FormURI, "https://evil.test?@host.example.com", "host.example.com", out},
		{names.FormIP, "\xc0\x00\x02\x01", "\xc0\x00\x02\x00\xff\xff\xff\x00", in},
		{names.FormIP, "\xc0\x00\x03\x01", "\xc0\x00\x02\x00\xff\xff\xff\x00", out},
		{names.FormIP, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", in},
		{names.FormIP, "\xc0\x00\x02\x01",
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", out},
		{names.FormDirectory, string(dn("X")), string(seq(attr(cbasn1.PrintableString, "jp", 2, 5, 4, 6))), in},
		{names.FormDirectory, string(dn("X")), string(dn("X")), in},
		{names.FormDirectory, string(dn("X")), string(dn("Y")), out},
		{names.FormDirectory, string(dn("X")), string(seq(cn("X"))), out},
		{names.FormOther, other("a", 1, 2, 3), other("b", 1, 2, 3), never},
		{names.FormX400, "x", "x", never},
		{names.FormEDIParty, "x", "x", never},
		{names.FormRegisteredID, "\x2a\x03", "\x2a\x03", never},
	} {
		base := seq(general(c.form, c.base))
		for kind, ext := range map[string][]byte{
			"permitted": seq(wrap(der.Tag0C, base)), "excluded": seq(wrap(der.Tag1C, base)),
		} {
			constraints, ok := readNameConstraints(ext)
			if !ok {
				t.Errorf("form %d %q: not read", c.form, c.base)
				continue
			}
			list := cryptobyte.String(general(c.form, c.name))
			g, ok := names.ReadGeneral(&list)
			if !ok {
				t.Errorf("form %d %q: name not read", c.form, c.name)
				continue
			}
			s := nameState{budget: comparisons(100)}
			s.add(constraints)
			allowed := s.allowsName(&g)
			want := c.want == in && kind == "permitted" || c.want == out && kind == "excluded"
			if allowed != want {
				t.Errorf("form %d: %q against %s %q: allowed = %v", c.form, c.name, kind, c.base, allowed)
			}
		}
	}
}

// A constraint on one form says nothing about others, but what authorities permit adds up to an intersection.
func TestNameConstraintsCombine(t *testing.T) {
	permit := func(trees ...[]byte) []byte { return extDER(oidNameConstraints, true, seq(wrap(der.Tag0C, trees...))) }
	san := func(names ...[]byte) []byte { return extDER(oidSubjectAltName, false, seq(names...)) }
	dns := func(text string) []byte { return general(names.FormDNS, text) }
	run := func(rootExt, subExt []byte, leaf *spec) error {
		root, sub := caSpec("A", "A", "A", "A"), caSpec("Sub", "sub", "A", "A")
		if rootExt != nil {
			root.with(rootExt)
		}
		if subExt != nil {
			sub.with(subExt)
		}
		_, err := validate(t, testConfig([]*Certificate{root.cert(t)}, sub.cert(t)), leaf.cert(t))
		return err
	}
	leaf := func(ext ...[]byte) *spec { return leafSpec("EE", "Sub", "sub").with(ext...) }
	wantReason(t, run(nil, permit(seq(dns("example.com"))), leaf(san(dns("www.example.com")))), ReasonUnknown)
	wantReason(t, run(nil, permit(seq(dns("example.com"))), leaf(san(general(names.FormEmail, "a@other.test")))),
		ReasonUnknown)
	wantReason(t, run(nil, permit(seq(dns("example.com")), seq(dns("example.net"))), leaf(san(dns("www.example.net")))),
		ReasonUnknown)
	wantReason(t, run(nil, permit(seq(dns("example.com"))), leaf(san(dns("www.example.com"), dns("evil.test")))),
		ReasonNameConstraints)
	// RFC 5937: the anchor's constraints count, and only what both permit is permitted.
	wantReason(t, run(permit(seq(dns("example.com"))), permit(seq(dns("www.example.com"))),
		leaf(san(dns("mail.example.com")))), ReasonNameConstraints)
	wantReason(t, run(permit(seq(dns("example.com"))), permit(seq(dns("www.example.com"))),
		leaf(san(dns("www.example.com")))), ReasonUnknown)
	wantReason(t, run(permit(seq(dns("example.com"))), nil, leaf(san(dns("evil.test")))), ReasonNameConstraints)
	// The subject is a directoryName.
	wantReason(t, run(nil, permit(seq(general(names.FormDirectory, string(dn("EE"))))), leaf()), ReasonUnknown)
	wantReason(t, run(nil, permit(seq(general(names.FormDirectory, string(dn("Else"))))), leaf()),
		ReasonNameConstraints)
	// An address in the subject counts as rfc822Name.
	withMail := leaf()
	withMail.subject = seq(cn("EE"), attr(cbasn1.IA5String, "a@evil.test", 1, 2, 840, 113549, 1, 9, 1))
	wantReason(t, run(nil, permit(seq(general(names.FormEmail, "example.com"))), withMail), ReasonNameConstraints)
	// Another name beside it does not free it.
	withMail.with(san(dns("www.example.com")))
	wantReason(t, run(nil, permit(seq(general(names.FormEmail, "example.com"))), withMail), ReasonNameConstraints)
	wantReason(t, run(nil, permit(seq(general(names.FormEmail, "evil.test"))), withMail), ReasonUnknown)
	// A mailbox in UTF-8 must not slip past a constraint on mailboxes (RFC 9598, 6).
	smtp := general(names.FormOther, string(oidDER(1, 3, 6, 1, 5, 5, 7, 8, 9))+
		string(wrap(der.Tag0C, wrap(cbasn1.UTF8String, []byte("医生@evil.test")))))
	wantReason(t, run(nil, permit(seq(general(names.FormEmail, "example.com"))), leaf(san(smtp))),
		ReasonNameConstraints)
	wantReason(t, run(nil, permit(seq(dns("example.com"))), leaf(san(smtp))), ReasonUnknown)
	// A wildcard stands for the host that is excluded.
	exclude := extDER(oidNameConstraints, true, seq(wrap(der.Tag1C, seq(dns("www.example.com")))))
	wantReason(t, run(nil, exclude, leaf(san(dns("*.example.com")))), ReasonNameConstraints)
	wantReason(t, run(nil, exclude, leaf(san(dns("*.mail.example.com")))), ReasonUnknown)
	// An excluded IPv4 range has the same addresses written as IPv6; a permitted one does not.
	const mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01"
	v4 := seq(general(names.FormIP, "\xc0\x00\x02\x00\xff\xff\xff\x00"))
	exclude = extDER(oidNameConstraints, true, seq(wrap(der.Tag1C, v4)))
	wantReason(t, run(nil, exclude, leaf(san(general(names.FormIP, mapped)))), ReasonNameConstraints)
	wantReason(t, run(nil, permit(v4), leaf(san(general(names.FormIP, mapped)))), ReasonNameConstraints)
}

func TestNameConstraintsThatAreRefused(t *testing.T) {
	tree := func(form names.Form, value string, more ...[]byte) []byte {
		return seq(wrap(der.Tag0C, seq(append([][]byte{general(form, value)}, more...)...)))
	}
	for name, value := range map[string][]byte{
		"empty":            seq(),
		"empty subtrees":   seq(wrap(der.Tag0C)),
		"minimum":          tree(names.FormDNS, "example.com", wrap(der.Tag0, []byte{1})),
		"maximum":          tree(names.FormDNS, "example.com", wrap(der.Tag1, []byte{1})),
		"mask with holes":  tree(names.FormIP, "\xc0\x00\x02\x00\xff\x00\xff\x00"),
		"address, no mask": tree(names.FormIP, "\xc0\x00\x02\x00"),
		"odd address":      tree(names.FormIP, "\xc0\x00\x02\x00\xff"),
		"bad host":         tree(names.FormDNS, "exa mple.com"),
		"two dots":         tree(names.FormURI, "..example.com"),
		"no URI host":      tree(names.FormURI, ""),
		"no mailbox":       tree(names.FormEmail, ""),
		"no local part":    tree(names.FormEmail, "@example.com"),
		"mailboxes below":  tree(names.FormEmail, "root@.example.com"),
		"trailing":         append(tree(names.FormDNS, "example.com"), 5, 0),
	} {
		if _, ok := readNameConstraints(value); ok {
			t.Errorf("%s was read", name)
		}
	}
}

// Many names against many constraints are refused before they cost time.
func TestNameComparisonLimit(t *testing.T) {
	var trees, subjects [][]byte
	for range 700 {
		trees = append(trees, seq(general(names.FormDNS, "excluded.test")))
		subjects = append(subjects, general(names.FormDNS, "good.test"))
	}
	constraints, ok := readNameConstraints(seq(wrap(der.Tag1C, trees...)))
	list := cryptobyte.String(wrap(cbasn1.SEQUENCE, subjects...))
	subject, okNames := names.ReadWholeGenerals(list)
	if !ok || !okNames {
		t.Fatal("not read")
	}
	s := nameState{budget: comparisons(1 << 18)}
	s.add(constraints)
	if s.allows(veiled(&certificate{subject: &names.Name{}, subjectNames: subject, hasSubjectNames: true})) {
		t.Error("490,000 comparisons were made")
	}
}
