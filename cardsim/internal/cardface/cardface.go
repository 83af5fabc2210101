// Package cardface draws what the chip holds of the face of a card (券面): the texts as 1-bit grey PNG images and the
// portrait as a greyscale JPEG 2000 image.
//
// Everything follows from the arguments: the same text gives the same bytes, the same seed the same face. The faces are
// drawn, not photographed: they show nobody. All functions are safe for concurrent use.
package cardface

// NameImage is the name (氏名) as a 1-bit grey PNG of 216 × 12 pixels, and 12 more for each further line. A character
// that the font does not have shows as a geta mark (〓). Errors come from the encoder only.
func NameImage(text string) ([]byte, error) { return textImage(text, nameWidth) }

// AddressImage is the address (住所) as a 1-bit grey PNG of 288 × 12 pixels, and 12 more for each further line. A
// character that the font does not have shows as a geta mark (〓). Errors come from the encoder only.
func AddressImage(text string) ([]byte, error) { return textImage(text, addressWidth) }

// NumberImage is the individual number (個人番号) as a 1-bit grey PNG of 72 × 12 pixels: twelve digits. What is no digit is
// left out.
func NumberImage(digits string) ([]byte, error) { return digitImage(digits, 12) }

// SecurityCodeImage is the security code (セキュリティコード) as a 1-bit grey PNG of 24 × 12 pixels: four digits. What is no
// digit is left out.
func SecurityCodeImage(digits string) ([]byte, error) { return digitImage(digits, 4) }

// Portrait is the photograph of the holder (顔写真): a greyscale JPEG 2000 image in a JP2 file (ISO/IEC 15444-1, annex I),
// of a face that is drawn from the seed. It never fails.
func Portrait(seed string) ([]byte, error) { return encodeJP2(drawFace(seed)), nil }
