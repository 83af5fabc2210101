package evidence

import (
	"bytes"
	"io"
)

// ChainOf writes records as logs were written before there were stores: JSON lines, chained by hashes.
func ChainOf(records ...*Record) ([]byte, error) {
	var out bytes.Buffer
	head := ""
	for _, r := range records {
		linked := *r
		linked.Previous = head
		canonical, err := linked.canonical()
		if err != nil {
			return nil, err
		}
		linked.Hash = fingerprint(canonical)
		line, err := linked.marshalLine()
		if err != nil {
			return nil, err
		}
		out.Write(line)
		head = linked.Hash
	}
	return out.Bytes(), nil
}

// ReadChain is the reader that ImportChain uses.
func ReadChain(r io.Reader) (Chain, error) { return readChain(r, func(*Record) error { return nil }) }
