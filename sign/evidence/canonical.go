package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
)

// canonicalJSON rewrites one JSON object in the form of RFC 8785 without the named top-level member: members sorted,
// no white space, nothing escaped that need not be. It relies on what records contain: member names are ASCII (so
// that byte order is UTF-16 order), numbers are small integers, and texts were checked to hold no control or separator
// characters, which encoding/json would escape differently.
func canonicalJSON(plain []byte, without string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var value map[string]any
	if err := d.Decode(&value); err != nil {
		return nil, errors.New("not an object")
	}
	delete(value, without)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil { // maps are written in the order of their keys
		return nil, errors.New("not encodable")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
