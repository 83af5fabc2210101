package signeddata

import "github.com/kakunin-go/kakunin/internal/limits"

// Definite rewrites the lengths of one BER element to those of DER: definite, and as short as they can be (ITU-T X.690,
// 10.1). Programs that write while they sign use indefinite lengths. Nothing else is rewritten: constructed strings
// stay as they are, and whoever reads strictly refuses them. What is DER already is returned as it is.
func Definite(ber []byte) (out []byte, ok bool) {
	w := rewriter{in: ber}
	out, n, ok := w.element(0, 0)
	if !ok || n != len(ber) {
		return nil, false
	}
	if !w.changed {
		return ber, true
	}
	return out, true
}

type rewriter struct {
	in       []byte
	elements int
	changed  bool
}

// element rewrites the element at an offset and returns it with the offset behind it.
func (w *rewriter) element(at, depth int) (out []byte, end int, ok bool) {
	w.elements++
	if depth > limits.SignedDataDepth || w.elements > limits.SignedDataElements || len(w.in)-at < 2 ||
		w.in[at]&0x1f == 0x1f {
		return nil, 0, false // no type here has a tag of several octets
	}
	tag, constructed := w.in[at], w.in[at]&0x20 != 0
	length, content, indefinite, ok := w.length(at + 1)
	if !ok || indefinite && !constructed {
		return nil, 0, false
	}
	if !constructed {
		return w.wrap(tag, w.in[content:content+length]), content + length, true
	}
	var inner []byte
	for at = content; ; {
		if indefinite {
			if len(w.in)-at < 2 {
				return nil, 0, false
			}
			if w.in[at] == 0 && w.in[at+1] == 0 { // end of contents (8.1.5)
				return w.wrap(tag, inner), at + 2, true
			}
		} else if at == content+length {
			return w.wrap(tag, inner), at, true
		}
		one, next, ok := w.element(at, depth+1)
		if !ok || !indefinite && next > content+length {
			return nil, 0, false
		}
		inner, at = append(inner, one...), next
	}
}

// length reads the length at an offset; content is the offset behind it.
func (w *rewriter) length(at int) (length, content int, indefinite, ok bool) {
	first := w.in[at]
	content = at + 1
	switch {
	case first < 0x80:
		length = int(first)
	case first == 0x80:
		w.changed = true
		return 0, content, true, true
	default:
		n := int(first & 0x7f)
		if n > 8 || len(w.in)-content < n {
			return 0, 0, false, false
		}
		for _, b := range w.in[content : content+n] {
			if length > limits.SignedData {
				return 0, 0, false, false
			}
			length = length<<8 | int(b)
		}
		content += n
		w.changed = w.changed || n != lengthOctets(length)
	}
	return length, content, false, length <= len(w.in)-content
}

// lengthOctets is the number of octets behind the first one of a length.
func lengthOctets(length int) int {
	n := 0
	for ; length >= 0x80 && length>>(8*n) > 0; n++ {
	}
	return n
}

func (w *rewriter) wrap(tag byte, content []byte) []byte {
	n := lengthOctets(len(content))
	out := make([]byte, 0, 2+n+len(content))
	if n == 0 {
		out = append(out, tag, byte(len(content)))
	} else {
		out = append(out, tag, 0x80|byte(n))
		for i := n - 1; i >= 0; i-- {
			out = append(out, byte(len(content)>>(8*i)))
		}
	}
	return append(out, content...)
}
