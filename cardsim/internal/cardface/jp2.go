package cardface

import (
	"encoding/binary"
	"image"
)

// encodeJP2 wraps a codestream into the boxes that ISO/IEC 15444-1, I.2.2 requires, in their order.
func encodeJP2(img *image.Gray) []byte {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	header := binary.BigEndian.AppendUint32(nil, uint32(height))
	header = binary.BigEndian.AppendUint32(header, uint32(width))
	// One component of eight bits, compression type 7, colour space known, no intellectual property (I.5.3.1).
	header = append(header, 0, 1, 7, 7, 0, 0)
	const greyscale = 17 // I.5.3.3, table I.10
	colour := binary.BigEndian.AppendUint32([]byte{1, 0, 0}, greyscale)

	out := box(nil, "jP  ", []byte{0x0D, 0x0A, 0x87, 0x0A})
	out = box(out, "ftyp", []byte("jp2 \x00\x00\x00\x00jp2 "))
	out = box(out, "jp2h", box(box(nil, "ihdr", header), "colr", colour))
	return box(out, "jp2c", encodeCodestream(img))
}

// box appends a box: length, type, contents (I.4).
func box(out []byte, kind string, contents []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(8+len(contents)))
	return append(append(out, kind...), contents...)
}
