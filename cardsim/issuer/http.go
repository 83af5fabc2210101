package issuer

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Handler serves what the JPKI publishes, for both CAs under /sign and /auth:
//
//	GET  /sign/ca.cer                                        the CA certificate (application/pkix-cert)
//	GET  /sign/crl?prefecture=Tokyo-to&city=Kiyose-shi       the revocation list of a municipality (application/pkix-crl)
//	POST /sign/ocsp                                          OCSP (RFC 6960, appendix A)
//
// Mount it under a prefix with [http.StripPrefix].
func (j *JPKI) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, c := range []*CA{j.signing, j.authentication} {
		mux.HandleFunc("GET /"+c.profile.label+"/ca.cer", c.serveCertificate)
		mux.HandleFunc("GET /"+c.profile.label+"/crl", c.serveCRL)
		mux.HandleFunc("POST /"+c.profile.label+"/ocsp", c.serveOCSP)
	}
	return mux
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

func (c *CA) serveOCSP(w http.ResponseWriter, r *http.Request) {
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
	serveDER(w, "application/ocsp-response", c.respond(body))
}

func serveDER(w http.ResponseWriter, mediaType string, der []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(der)))
	w.Header().Set("Cache-Control", "no-store") // a test that revokes wants to see it at once
	// The status is out; a client that went away is not an error of the responder.
	_, _ = w.Write(der)
}
