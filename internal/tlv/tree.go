package tlv

import "github.com/kakunin-go/kakunin/internal/limits"

// Node is an object with the objects inside it. Children is empty for a primitive tag.
type Node struct {
	Element
	Children []Node
}

// ParseTree decodes a sequence of objects and, below every constructed tag, the sequences inside, down to TLVDepth
// levels and TLVElements objects altogether. The error is an *[Error].
func ParseTree(b []byte) ([]Node, error) {
	budget := limits.TLVElements
	return parseLevel(b, 1, &budget)
}

func parseLevel(b []byte, depth int, budget *int) ([]Node, error) {
	if depth > limits.TLVDepth {
		return nil, &Error{Reason: TooDeep}
	}
	var out []Node
	for len(b) > 0 {
		if *budget == 0 {
			return nil, &Error{Reason: TooMany}
		}
		*budget--
		el, rest, err := Next(b)
		if err != nil {
			return nil, err
		}
		node := Node{Element: el}
		if el.Tag.Constructed() && len(el.Value) > 0 {
			if node.Children, err = parseLevel(el.Value, depth+1, budget); err != nil {
				return nil, err
			}
		}
		out, b = append(out, node), rest
	}
	return out, nil
}
