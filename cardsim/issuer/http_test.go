package issuer_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	leaf := issue(t, j.SigningCA(), holder(), noon)
	crl, err := j.SigningCA().CRL(leaf)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		method, target string
		status         int
		mediaType      string
		body           []byte
	}{
		{"GET", "/sign/ca.cer", 200, "application/pkix-cert", j.SigningCA().Certificate().Raw},
		{"GET", "/auth/ca.cer", 200, "application/pkix-cert", j.AuthenticationCA().Certificate().Raw},
		{"GET", "/sign/crl?prefecture=Tokyo-to&city=Kiyose-shi", 200, "application/pkix-crl", crl},
		{"GET", "/auth/crl?prefecture=Tokyo-to&city=Kiyose-shi", 404, "", nil}, // none issued there yet
		{"GET", "/sign/crl?prefecture=Tokyo-to&city=Machida-shi", 404, "", nil},
		{"GET", "/sign/crl", 404, "", nil},
		{"GET", "/sign/ocsp", 405, "", nil},
		{"POST", "/sign/crl", 405, "", nil},
		{"GET", "/", 404, "", nil},
		{"POST", "/sign/ocsp", 415, "", nil},
	} {
		w := httptest.NewRecorder()
		j.Handler().ServeHTTP(w, httptest.NewRequest(tc.method, tc.target, http.NoBody))
		if w.Code != tc.status {
			t.Errorf("%s %s: status %d, want %d", tc.method, tc.target, w.Code, tc.status)
		}
		if tc.body != nil && (!bytes.Equal(w.Body.Bytes(), tc.body) || w.Header().Get("Content-Type") != tc.mediaType) {
			t.Errorf("%s %s: %d bytes of %q", tc.method, tc.target, w.Body.Len(), w.Header().Get("Content-Type"))
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestHandlerLimitsTheBody(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	response := post(t, j.Handler(), "/sign/ocsp", "application/ocsp-request", make([]byte, limits.OCSPRequest+1))
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", response.StatusCode)
	}
	r := httptest.NewRequest(http.MethodPost, "/sign/ocsp", brokenReader{})
	r.Header.Set("Content-Type", "application/ocsp-request")
	w := httptest.NewRecorder()
	j.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("a broken body gave status %d", w.Code)
	}
}
