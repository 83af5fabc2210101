package vpcd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"testing/iotest"
)

func FuzzReadFrame(f *testing.F) {
	for _, seed := range [][]byte{{}, {0}, {0, 0}, {0, 1, 4}, {0, 4, 0, 0xA4, 4, 0x0C}, {0xFF, 0xFF, 1},
		{0, 2, 1, 2, 9}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bytes.NewReader(stream)
		got, err := readFrame(r, nil)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || (e.Reason != ReasonHalfFrame && e.Reason != ReasonMalformed) {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(got) == 0 || len(got) != int(binary.BigEndian.Uint16(stream)) ||
			!bytes.Equal(got, stream[2:2+len(got)]) {
			t.Fatalf("%x from %x", got, stream)
		}
		if r.Len() != len(stream)-2-len(got) {
			t.Fatal("read beyond the frame")
		}
		again, err := readFrame(iotest.OneByteReader(bytes.NewReader(stream)), make([]byte, 1, 3))
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("in single bytes: %x, %v", again, err)
		}
	})
}
