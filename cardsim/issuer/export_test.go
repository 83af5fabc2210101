package issuer

import "crypto/rsa"

// Found is what the table says of a key, and which seeds and labels it has.
func Found() map[[2]string][2]uint16 {
	list := map[[2]string][2]uint16{}
	for from, p := range found {
		list[[2]string{from.seed, from.label}] = p
	}
	return list
}

// Search derives a key without the table.
func Search(seed, label string) (*rsa.PrivateKey, [2]uint16) {
	return derive(newStream(seed, label), places{})
}

// Misled derives a key with wrong places.
func Misled(seed, label string, wrong [2]uint16) *rsa.PrivateKey {
	key, _ := derive(newStream(seed, label), wrong)
	return key
}
