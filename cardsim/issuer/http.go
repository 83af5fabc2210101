package issuer

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Handler serves what the JPKI publishes, for both CAs under /sign and /auth:
//
//	GET  /sign/ca.cer                                     the CA certificate (application/pkix-cert)
//	GET  /sign/crl?prefecture=Tokyo-to&city=Kiyose-shi    the revocation list of a municipality (application/pkix-crl)
//	POST /sign/ocsp                                       OCSP (RFC 6960, appendix A)
//
// CA certificate and list are those of this generation, or with generation=2018 (see [JPKI.At]; 2026-early for a
// [JPKI.Successor]) of another one that was made before; OCSP answers for all of them, by the issuer in the request.
// Mount it under a prefix with [http.StripPrefix].
func (j *JPKI) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, c := range []*CA{j.signing, j.authentication} {
		mux.HandleFunc("GET /"+c.profile.label+"/ca.cer", j.byGeneration(c, (*CA).serveCertificate))
		mux.HandleFunc("GET /"+c.profile.label+"/crl", j.byGeneration(c, (*CA).serveCRL))
		mux.HandleFunc("POST /"+c.profile.label+"/ocsp", func(w http.ResponseWriter, r *http.Request) {
			j.serveOCSP(c, w, r)
		})
	}
	return mux
}

// kin returns a CA of this generation and its counterparts in the others.
func (j *JPKI) kin(c *CA) []*CA {
	return slices.DeleteFunc(j.Authorities(), func(other *CA) bool { return other.profile.label != c.profile.label })
}

// byGeneration serves from the CA of the generation that the request names.
func (j *JPKI) byGeneration(c *CA, serve func(*CA, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		wanted := r.URL.Query().Get("generation")
		if wanted == "" {
			wanted = c.generation.String()
		}
		for _, ca := range j.kin(c) {
			if ca.generation.String() == wanted {
				serve(ca, w, r)
				return
			}
		}
		http.Error(w, "not found", http.StatusNotFound)
	}
}

func (c *CA) serveCertificate(w http.ResponseWriter, _ *http.Request) {
	serveDER(w, "application/pkix-cert", c.certificate.Raw)
}

func (c *CA) serveCRL(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	partition, err := partitionName(c.profile.unit, query.Get("prefecture"), query.Get("city"))
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	der, err := c.list(partition)
	if err != nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	serveDER(w, "application/pkix-crl", der)
}

func (j *JPKI) serveOCSP(c *CA, w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/ocsp-request" {
		http.Error(w, "unsupported media type", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.OCSPRequest))
	if err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	serveDER(w, "application/ocsp-response", j.asked(c, body).respond(body))
}

// asked returns the CA that a request is about, the given one if it is about none.
func (j *JPKI) asked(c *CA, request []byte) *CA {
	q, status := parseOCSPRequest(request)
	if status != ocspSuccessful || len(q.certificates) == 0 {
		return c
	}
	for _, ca := range j.kin(c) {
		if q.certificates[0].names(ca) {
			return ca
		}
	}
	return c
}

func serveDER(w http.ResponseWriter, mediaType string, der []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(der)))
	w.Header().Set("Cache-Control", "no-store") // a test that revokes wants to see it at once
	// The status is out; a client that went away is not an error of the responder.
	_, _ = w.Write(der)
}
