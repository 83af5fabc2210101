package sign

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"
)

// Vectors of Project Wycheproof (Apache License 2.0), testvectors_v1/rsa_signature_2048_sha256_test.json: tests 4 and
// 238.
const (
	wycheproofKey = "30820122300d06092a864886f70d01010105000382010f003082010a0282010100a2b451a07d0aa5f96e455671513550514a8a5b462ebef717094fa1fee82224e637f9746d3f7cafd31878d80325b6ef5a1700f65903b469429e89d6eac8845097b5ab393189db92512ed8a7711a1253facd20f79c15e8247f3d3e42e46e48c98e254a2fe9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d9814c22da610428e09c7d9658594266f5c021d0fceca08d945a12be82de4d1ece6b4c03145b5d3495d4ed5411eb878daf05fd7afc3e09ada0f1126422f590975a1969816f48698bcbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d3b9a02e5a530e773066f453d1f5b4c2e9cf7820283f742b9d50203010001"
	// test 4: valid
	wycheproofInfo = "1758eb94588e6fc4f50c1be1afcaa41027869f304cad513b1fb12c2f446d63cdc05c4830a7e3e630da7b2da4f7867cc173bf6420f9732277282596de41ded32e21d0cc31441174da8765f57419c7764ea758f55bc17646eb100c435d1ac0eed6fc7ba6de5f832094ee2f479979765e05ac9976788db3c241a9e32a0da864f0019a87646ba623d63f4411af5dee1be9ec488c7e3e1b231479de70b9ac5f78a17b1f4120aece45f26c07e7bb345fdfeb05e14bcaacc614672a465fc523624cb19f66f9c6c3f642b832ca44cb25176d679f0e05606c3fed022cac24c2bf960a406d48818e3eb7ed53b0446032469047dfed95fc18088c92d91d93722c47f88163a8"
	// test 238: labelled invalid, because the hash is padded without a ModeDigestInfo
	wycheproofBare = "7553fa477296a68ef8423d82af68103581e3a1681deeb91ad5e8f167d3bbeea5de1867969a44a6501b4e447f82be28687706e2fca1862b5dd1e0fb91b146f8e9c4a0a9f2f5ddf4da77bbacba56fa219a9eddd7dc234db9f75773218d1317ef5e4e52ce2eef80f870d39b59fa3c1bf28f67e4df9ba4e1d12d198904a0cda309b3cf2abe2d765fe366bd75652661ec830772102aeb5adf84680457fcb56a8d271604a24090a1f301b00ed67332a721b40e873c8dd3ce9206712ecf39e475a007d59c9cba314f7dcdd75b094da28789893da64628c8ff0d5c892b7e39d5c7655ef911d0dc39d7af59a55e5ada631b1cf3e6353e0f4a555e4558dc4b9a3c8baac281"
	// test 8: the ModeDigestInfo lacks its NULL
	wycheproofNull = "095dad1fd82bcd36652a381b7f4dd656bd89b40aa58b56da4f6aa8247874b935e65d2b86752d537df7103884d39dd9ad3d65f87404526b09094c5615c6249979b0dc58d2199ae8696a5b76b4bb03eaf08c2ab6aec686c6b1b289c9b44f648bd30cb1ac6a64a73d68e59cd05e7aa1b780f4bfd7b83dfe3b884ec11821a93dc5bbb47a00eea4557b6b96b5656276001f1f295ddbbbc511a99b9a665b9c2674c8af0d812286d0be3ce74817ba2cad283757de35dfb149f2835f60cb03ff155524a57f78b148feceb84cd20b0ae22e3e48f433fbd9bfd60be8afec93165ee0310be961d3695f309d031320c830aa6ba08b5a51d943797097c57630be391bd23736cc"
)

// Test 238 is a known answer for the bare-hash mode that nobody made for it, and each mode refuses the other's.
func TestWycheproofModes(t *testing.T) {
	t.Parallel()
	parsed, err := x509.ParsePKIXPublicKey(unhex(t, wycheproofKey))
	if err != nil {
		t.Fatal(err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		t.Fatal("no RSA key")
	}
	bare, info := sha256.Sum256(unhex(t, "313233343030")), sha256.Sum256(unhex(t, "313233343030"))
	for _, c := range []struct {
		name      string
		mode      Mode
		digest    [sha256.Size]byte
		signature string
		want      bool
	}{
		{"bare hash", ModeBareHash, bare, wycheproofBare, true},
		{"bare hash as DigestInfo", ModeDigestInfo, bare, wycheproofBare, false},
		{"DigestInfo", ModeDigestInfo, info, wycheproofInfo, true},
		{"DigestInfo as bare hash", ModeBareHash, info, wycheproofInfo, false},
		{"DigestInfo without NULL", ModeDigestInfo, bare, wycheproofNull, false},
		{"DigestInfo without NULL as bare hash", ModeBareHash, bare, wycheproofNull, false},
		{"no mode", ModeUnknown, bare, wycheproofBare, false},
	} {
		if got := both(t, key, c.mode, c.digest, unhex(t, c.signature)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
