package pemtext_test

import (
	"bytes"
	"encoding/pem"
	"testing"

	"github.com/kakunin-go/kakunin/internal/pemtext"
)

// FuzzBlocks: what encoding/pem wrote is read back whatever stands around it.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte("key"), []byte("text before\n"))
	f.Add([]byte{}, []byte("\xff\xfe-\x00"))
	f.Add([]byte("x"), []byte("-----BEGIN A-----"))
	f.Fuzz(func(t *testing.T, content, around []byte) {
		text := pemtext.Decode(around)
		if blocks, whole := pemtext.Blocks(text); whole && len(blocks) == 0 && pemtext.Has(text) {
			t.Errorf("%q is whole", around)
		}
		block := &pem.Block{Type: "CERTIFICATE", Bytes: content}
		got, whole := pemtext.Blocks(pem.EncodeToMemory(block))
		if !whole || len(got) != 1 || got[0].Type != block.Type || !bytes.Equal(got[0].Bytes, content) {
			t.Errorf("%d blocks, %v", len(got), whole)
		}
	})
}

func TestDecodeLeavesBinaryAlone(t *testing.T) {
	for _, data := range [][]byte{nil, {0x30}, {0x30, 0x82, 1, 0}, {0xff, 0xfe}, {0, 0, 0, 0}, {0x30, 0, 0, 0}, {1, 2,
		3}} {
		if got := pemtext.Decode(data); !bytes.Equal(got, data) {
			t.Errorf("% X became % X", data, got)
		}
	}
}
