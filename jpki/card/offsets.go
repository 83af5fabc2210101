package card

import (
	"encoding/binary"

	"github.com/kakunin-go/kakunin/internal/tlv"
)

// checkOffsets checks the offset table, the first object of a file, against the fields that follow it: it holds the offset
// of each field's tag from the first byte of the file. Two readings of one file, by tag and by offset, must not differ.
func checkOffsets(file []byte, root tlv.Node, table tlv.Tag, fields ...tlv.Tag) bool {
	if len(root.Children) < 1+len(fields) || root.Children[0].Tag != table {
		return false
	}
	offsets := root.Children[0].Value
	if len(offsets) < 2*len(fields) || len(offsets)%2 != 0 {
		return false
	}
	at := len(file) - len(root.Value) + len(root.Children[0].Raw)
	for i, want := range fields {
		child := root.Children[i+1]
		if child.Tag != want || int(binary.BigEndian.Uint16(offsets[2*i:])) != at {
			return false
		}
		at += len(child.Raw)
	}
	return true
}

// object reads a file that holds one data object and returns it with those inside.
func object(file []byte, want tlv.Tag) (tlv.Node, bool) {
	nodes, err := tlv.ParseTree(file)
	if err != nil || len(nodes) != 1 || nodes[0].Tag != want {
		return tlv.Node{}, false
	}
	return nodes[0], true
}

// inOrder reports whether the objects inside begin with these tags.
func inOrder(n tlv.Node, tags ...tlv.Tag) bool {
	if len(n.Children) < len(tags) {
		return false
	}
	for i, want := range tags {
		if n.Children[i].Tag != want {
			return false
		}
	}
	return true
}
