package certpath

import (
	"net/netip"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// nameConstraints is the extension of one authority (RFC 5280, 4.2.1.10).
type nameConstraints struct {
	permitted, excluded []subtree
}

// subtree is one GeneralSubtree. Its minimum is 0 and its maximum is absent: "Within this profile, the minimum and
// maximum fields are not used with any name forms, thus, the minimum MUST be zero, and maximum MUST be absent."
type subtree struct {
	base   names.General
	prefix netip.Prefix // names.FormIP
}

func readNameConstraints(value cryptobyte.String) (*nameConstraints, bool) {
	list, ok := whole(value)
	if !ok || list.Empty() { // "the name constraints extension … MUST NOT be an empty sequence"
		return nil, false
	}
	n := &nameConstraints{}
	for _, part := range [...]struct {
		tag cbasn1.Tag
		out *[]subtree
	}{{der.Tag0C, &n.permitted}, {der.Tag1C, &n.excluded}} {
		var trees cryptobyte.String
		var present bool
		if !list.ReadOptionalASN1(&trees, &present, part.tag) {
			return nil, false
		}
		if present && trees.Empty() {
			return nil, false
		}
		for !trees.Empty() {
			tree, ok := readSubtree(&trees)
			if !ok || len(*part.out) >= limits.GeneralNames {
				return nil, false
			}
			*part.out = append(*part.out, tree)
		}
	}
	return n, list.Empty()
}

func readSubtree(s *cryptobyte.String) (t subtree, ok bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, cbasn1.SEQUENCE) {
		return t, false
	}
	if t.base, ok = names.ReadGeneral(&content); !ok || !content.Empty() {
		return t, false // an encoded minimum is no DER (it is a DEFAULT) or not zero, and maximum must be absent
	}
	switch t.base.Form {
	case names.FormIP:
		t.prefix, ok = readPrefix(t.base.Text)
		return t, ok
	case names.FormDNS:
		return t, t.base.Text == "" || soundHost(strings.TrimPrefix(t.base.Text, "."))
	// "The constraint MUST be specified as a fully qualified domain name": an empty one would exclude nothing
	case names.FormURI:
		return t, soundHost(strings.TrimPrefix(t.base.Text, "."))
	case names.FormEmail:
		local, host, mailbox := cutMailbox(t.base.Text)
		if mailbox {
			return t, local != "" && soundHost(host)
		}
		return t, soundHost(strings.TrimPrefix(t.base.Text, "."))
	default:
		return t, true
	}
}

// readPrefix reads an address and a mask of the same length "in the style of RFC 4632 (CIDR)", whose ones come first.
func readPrefix(octets string) (netip.Prefix, bool) {
	half := len(octets) / 2
	addr, ok := netip.AddrFromSlice([]byte(octets[:half]))
	if !ok || len(octets)%2 != 0 {
		return netip.Prefix{}, false
	}
	ones, ended := 0, false
	for _, b := range []byte(octets[half:]) {
		for bit := 7; bit >= 0; bit-- {
			switch set := b>>bit&1 == 1; {
			case set && ended:
				return netip.Prefix{}, false
			case set:
				ones++
			default:
				ended = true
			}
		}
	}
	return netip.PrefixFrom(addr, ones), true
}

// soundHost reports whether the text is a host name: labels of letters, digits, "-" and "_", none empty.
func soundHost(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, b := range []byte(label) {
			if (b|0x20 < 'a' || b|0x20 > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' {
				return false
			}
		}
	}
	return true
}

// verdict is how a name stands to a subtree.
type verdict int

const (
	outside verdict = iota
	inside
	// undecidable: the name form or this value cannot be compared, so that the certificate must be refused.
	undecidable
)

// nameState holds permitted_subtrees and excluded_subtrees (RFC 5280, 6.1.2 (b) and (c)). The intersection of permitted
// subtrees is kept as a list of what each authority permitted: a name must lie within one subtree of each.
type nameState struct {
	permitted [][]subtree
	excluded  []subtree
	// budget is what the whole call of Validate has left of comparisons, so that many paths cost no more than one.
	budget *int
}

// add applies RFC 5280, 6.1.4 (g).
func (s *nameState) add(n *nameConstraints) {
	if n == nil {
		return
	}
	if len(n.permitted) > 0 {
		s.permitted = append(s.permitted, n.permitted)
	}
	s.excluded = append(s.excluded, n.excluded...)
}

// allows applies RFC 5280, 6.1.3 (b) and (c) to the names of a certificate.
func (s *nameState) allows(c *Certificate) bool {
	if len(s.permitted) == 0 && len(s.excluded) == 0 {
		return true
	}
	if !c.subject.Empty() &&
		!s.allowsName(&names.General{Form: names.FormDirectory, Directory: c.subject, Key: c.subject.Key}) {
		return false
	}
	for i := range c.subjectNames {
		if !s.allowsName(&c.subjectNames[i]) {
			return false
		}
	}
	// "Legacy implementations exist where an electronic mail address is embedded in the subject distinguished name …
	// When a constraint is imposed on the rfc822Name name form, but the certificate does not include a subject
	// alternative name, the rfc822Name constraint MUST be applied to the attribute of type emailAddress in the subject
	// distinguished name." With a subjectAltName it is applied, too: otherwise any other name in it would free the
	// address from its constraint.
	for _, mail := range c.subject.Emails {
		if !s.allowsName(&names.General{Form: names.FormEmail, Text: mail}) {
			return false
		}
	}
	return true
}

func (s *nameState) allowsName(g *names.General) bool {
	for i := range s.excluded {
		if s.compare(g, &s.excluded[i], true) != outside {
			return false
		}
	}
	for _, permitted := range s.permitted {
		restricted, found := false, false
		for i := range permitted {
			if !constrains(permitted[i].base.Form, g) {
				continue
			}
			restricted = true
			v := s.compare(g, &permitted[i], false)
			if v == undecidable {
				return false
			}
			if found = v == inside; found {
				break
			}
		}
		if restricted && !found {
			return false
		}
	}
	return true
}

// constrains reports whether a subtree of the form says anything about the name. A mailbox in UTF-8 is an otherName,
// but RFC 9598, section 6 puts it under the constraints on rfc822Name.
func constrains(form names.Form, g *names.General) bool {
	return form == g.Form || form == names.FormEmail && g.Form == names.FormOther && g.OtherID.Equal(oidSmtpUTF8Mailbox)
}

// compare decides whether the name lies in the subtree. excluding makes a wildcard count as inside when any host that
// it stands for is.
func (s *nameState) compare(g *names.General, t *subtree, excluding bool) verdict {
	if !constrains(t.base.Form, g) {
		return outside
	}
	if *s.budget--; *s.budget < 0 {
		return undecidable
	}
	if t.base.Form != g.Form {
		return undecidable
	}
	switch g.Form {
	case names.FormDirectory:
		return verdictOf(g.Directory.Within(t.base.Directory))
	case names.FormDNS:
		return compareDNS(g.Text, t.base.Text, excluding)
	case names.FormEmail:
		return compareEmail(g.Text, t.base.Text)
	case names.FormURI:
		host, ok := uriHost(g.Text)
		if !ok {
			return undecidable
		}
		return verdictOf(hostWithin(host, t.base.Text))
	case names.FormIP:
		addr, ok := netip.AddrFromSlice([]byte(g.Text))
		if !ok {
			return undecidable
		}
		// An IPv4 address does not leave an excluded range by being written as IPv6 (RFC 4291, 2.5.5.2).
		return verdictOf(t.prefix.Contains(addr) || excluding && t.prefix.Contains(addr.Unmap()))
	default:
		// "If a name constraints extension that is marked as critical imposes constraints on a particular name form,
		// and an instance of that name form appears in the subject field or subjectAltName extension of a subsequent
		// certificate, then the application MUST either process the constraint or reject the certificate." The
		// extension must be critical, and one that is not is no reason to believe more.
		return undecidable
	}
}

func verdictOf(is bool) verdict {
	if is {
		return inside
	}
	return outside
}

// compareDNS: "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the
// name satisfies the name constraint."
func compareDNS(text, base string, excluding bool) verdict {
	host, wildcard := strings.CutPrefix(text, "*.")
	host = strings.TrimSuffix(names.LowerASCII(host), ".")
	if !soundHost(host) {
		return undecidable
	}
	base = names.LowerASCII(base)
	if base == "" {
		return inside
	}
	below, strict := strings.CutPrefix(base, ".")
	if host == below && (!strict || wildcard) || strings.HasSuffix(host, "."+below) {
		return inside
	}
	// *.example.com stands for the excluded www.example.com, too.
	if rest, ok := strings.CutSuffix(below, "."+host); wildcard && excluding && ok && !strings.Contains(rest, ".") {
		return inside
	}
	return outside
}

// compareEmail: a constraint is a mailbox, a host, or with a leading period the hosts below a domain.
func compareEmail(text, base string) verdict {
	local, host, ok := cutMailbox(text)
	if !ok || local == "" || !soundHost(host) {
		return undecidable
	}
	if !strings.Contains(base, "@") {
		// Others may take "a@evil.test,b@example.com" for two mailboxes or for the first one.
		if strings.Contains(local, "@") {
			return undecidable
		}
		return verdictOf(hostWithin(names.LowerASCII(host), base))
	}
	if strings.ContainsAny(local, "\"\\()@ ") { // root and "root" in quotation marks are one mailbox (RFC 5321, 4.1.2)
		return undecidable
	}
	return verdictOf(names.EmailKey(text) == names.EmailKey(base))
}

func cutMailbox(text string) (local, host string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// hostWithin is the rule for URI and rfc822Name: with a leading period any host with at least one more label, otherwise
// exactly the host.
func hostWithin(host, base string) bool {
	base = names.LowerASCII(base)
	if strings.HasPrefix(base, ".") {
		return strings.HasSuffix(host, base)
	}
	return host == base
}

// uriHost returns the host of a URI: "the application MUST reject the certificate" when it "does not include an
// authority component or includes an authority component in which the host name is not specified as a fully qualified
// domain name".
func uriHost(uri string) (string, bool) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || scheme == "" || !consistsOf(scheme, letters+"0123456789+-.") { // "http:/x://host" has no authority
		return "", false
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	if user, host, found := strings.Cut(rest, "@"); found {
		// What RFC 3986, 3.2.1 does not allow, browsers take for the end of the host: "evil.test\@host".
		if !consistsOf(user, letters+"0123456789-._~%!$&'()*+,;=:") {
			return "", false
		}
		rest = host
	}
	if host, port, found := strings.Cut(rest, ":"); found {
		if !consistsOf(port, "0123456789") {
			return "", false
		}
		rest = host
	}
	host := strings.TrimSuffix(names.LowerASCII(rest), ".")
	_, notAddress := netip.ParseAddr(host)
	return host, notAddress != nil && soundHost(host) && strings.Contains(host, ".")
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func consistsOf(text, alphabet string) bool { return strings.Trim(text, alphabet) == "" }
