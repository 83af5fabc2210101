package control_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/control"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// A program of its own serves the control API beside the service; a test moves the clock of the simulated world.
func ExampleNew() {
	clock := new(control.Clock)
	authorities, err := issuer.New(issuer.Config{Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	service, err := daa.New(daa.Config{BaseURL: "http://127.0.0.1:9000", JPKI: authorities, Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := control.New(control.Config{Service: service, Token: "a token of 16 bytes or more", Clock: clock})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", service)
	mux.Handle(control.Path, handler)

	before := clock.Now()
	body := strings.NewReader(`{"advance":"24h"}`)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:9000/control/clock", body)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "Bearer a token of 16 bytes or more")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, clock.Now().Sub(before).Hours() >= 24)
	// Output: 200 true
}
