package daa

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"sync"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// operatorPath is below which the simulated platform operator is reached. A real one is somebody else's host.
const operatorPath = "/simulator/operator"

// OperatorURL is the address of the simulated platform operator's verifications, for operator.Config.
func (s *Service) OperatorURL() string { return s.base.String() + operatorPath + platform.Path }

// AttributesURL is the address of the simulated platform operator's other side, the latest attributes of persons who
// consented, for operator.NewAttributes.
func (s *Service) AttributesURL() string { return s.base.String() + operatorPath }

// OperatorToken is the token with which a client comes to the simulated platform operator, as Authorization: Bearer.
// It depends on nothing but the test authorities and the client's ID.
func (s *Service) OperatorToken(clientID string) string {
	return base64.RawURLEncoding.EncodeToString(s.keys.derive("operator token", []byte(clientID)))
}

// Verifications lists the last ones that the simulated platform operator gave a good verdict on, the newest first.
func (s *Service) Verifications() []platform.Verification { return s.platform.Verifications() }

// newPlatform makes the operator over the key that results are sealed to, with the revocation lists of the moment.
func (s *Service) newPlatform(w *operator.Wire) (*platform.Platform, error) {
	names := s.wire.Clone() // an empty list means what the service itself uses, see keyAlgorithm
	if len(names.Sign.JWEKeyAlgorithms) == 0 {
		names.Sign.JWEKeyAlgorithms = wire.Default().Sign.JWEKeyAlgorithms
	}
	if len(names.Sign.JWEContentAlgorithms) == 0 {
		names.Sign.JWEContentAlgorithms = wire.Default().Sign.JWEContentAlgorithms
	}
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: s.OperatorKey(), Wire: &names})
	if err != nil {
		return nil, err
	}
	verifier, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: s.jpki.Trust(), Now: s.now,
		Revocation: revocation.Require(newCurrentCRL(s.jpki)),
		Kinds:      []jpki.Kind{jpki.SigningCard, jpki.SigningPhone}, AssumedPhonePolicies: true,
	})
	if err != nil {
		return nil, err
	}
	return platform.New(platform.Config{
		Opener: opener, Verifier: verifier, Business: s.business, Residents: register{s}, Wire: w,
		Derive: func(parts ...string) string {
			var all [][]byte
			for _, part := range parts {
				all = append(all, []byte(part))
			}
			return hex.EncodeToString(s.keys.derive("operator", all...)[:16])
		},
		Knobs: func() platform.Knobs { return s.Knobs().Operator }, Now: s.now, Logger: s.log,
	})
}

// operator serves the simulated platform operator.
func (s *Service) operator(w http.ResponseWriter, r *http.Request) {
	if business, ok := s.business(bearerToken(r.Header.Get("Authorization"))); ok {
		exchangeOf(r).client = business
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.OperatorRequest))
	if err != nil {
		http.Error(w, "the body cannot be read or is too long", http.StatusRequestEntityTooLarge)
		return
	}
	if len(body) <= limits.FormBody {
		exchangeOf(r).body = body
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	http.StripPrefix(operatorPath, s.platform).ServeHTTP(w, r)
}

// business is whose token it is. Every registered client is a business of the operator's.
func (s *Service) business(token string) (string, bool) {
	for id := range *s.clients.Load() {
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.OperatorToken(id))) == 1 {
			return id, true
		}
	}
	return "", false
}

// residents are to whom certificates were issued, as J-LIS knows it, whatever became of the cards.
type residents struct {
	mu     sync.Mutex
	issued map[[sha256.Size]byte]string // person by certificate
	latest map[string][]byte            // signing certificate by person
}

// enter notes the certificates of a card. Of several cards of one person, the plastic one has the signing certificate
// that counts.
func (r *residents) enter(c *cardsim.Card) {
	signing, _ := c.Certificates()
	if len(signing) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.issued == nil {
		r.issued, r.latest = map[[sha256.Size]byte]string{}, map[string][]byte{}
	}
	person := c.Person().ID()
	r.issued[sha256.Sum256(signing)] = person
	if k := c.Kind(); k != cardsim.Android && k != cardsim.IPhone || r.latest[person] == nil {
		r.latest[person] = signing
	}
}

// of is the person of a certificate.
func (r *residents) of(certificate []byte) (person string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	person, ok = r.issued[sha256.Sum256(certificate)]
	return person, ok
}

func (r *residents) signing(person string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest[person]
}

// register is what J-LIS knows: the residents, and which certificates count now.
type register struct{ s *Service }

// Resident implements platform.Register.
func (r register) Resident(certificate []byte) (person string, ok bool) {
	return r.s.residents.of(certificate)
}

// Signing implements platform.Register.
func (r register) Signing(person string) []byte {
	der := r.s.residents.signing(person)
	leaf, err := jpki.ParseCertificate(der)
	if err != nil ||
		r.s.checkCertificate(context.Background(), r.s.strict, leaf, jpki.SigningCard, jpki.SigningPhone) != nil {
		return nil
	}
	return der
}
