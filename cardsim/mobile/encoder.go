package mobile

import "github.com/fxamacker/cbor/v2"

// encoder writes CBOR with the keys of maps in the order of their bytes, so that a response has one form. It keeps the
// first error; what it makes after that is empty.
type encoder struct {
	mode cbor.EncMode
	err  error
}

func newEncoder() *encoder {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	return &encoder{mode, err}
}

func (e *encoder) marshal(v any) []byte {
	var b []byte
	if e.err == nil {
		b, e.err = e.mode.Marshal(v)
	}
	return b
}

// tagged wraps an encoded value in a byte string with tag 24.
func (e *encoder) tagged(v any) cbor.RawMessage {
	return e.marshal(cbor.Tag{Number: 24, Content: e.marshal(v)})
}
