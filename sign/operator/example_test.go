package operator_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/middleware/sharedstore"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// A private business hands what the service sealed to its platform operator and keeps the verdict.
func ExampleClient() {
	var (
		ctx context.Context
		got *signapi.Unverified // from signapi.Client.Fetch
		log *evidence.Log
		now = clock
	)
	run := func() error {
		client, err := operator.New(operator.Config{
			URL: "https://operator.example/v1/verify", IdentifyUser: true,
			Authorize: func(r *http.Request) error {
				r.Header.Set("Authorization", "Bearer "+os.Getenv("OPERATOR_TOKEN"))
				return nil
			},
		})
		if err != nil {
			return err
		}
		verdict, err := client.Verify(ctx, got.Sealed, got.Transaction)
		switch kakunin.FamilyOf(err) { //nolint:exhaustive // what a bank does about two of them
		case kakunin.Account: // expired or revoked: kakunin.MessageFor says what the person can do
		case kakunin.Unavailable: // the same result may be asked about again
		}
		if err != nil {
			return err
		}
		fmt.Println(verdict.Status) // good, because err is nil
		record, err := evidence.FromVerdict(evidence.Judged{Verdict: verdict, Sealed: got.Sealed,
			Transaction: got.Transaction}, now(), evidence.Basis("電子署名法"))
		if err != nil {
			return err
		}
		_, err = log.AppendRecords(ctx, record)
		return err
	}
	_ = run
}

// A platform operator mounts the handler over its key, its policy and its evidence.
func ExampleHandler() {
	var (
		opener   *sign.Opener   // from sign.NewOpener, with the key that the service seals to
		verifier *sign.Verifier // from sign.NewVerifier
		log      *evidence.Log
	)
	h, err := operator.NewHandler(operator.HandlerConfig{
		Opener: opener, Verifier: verifier,
		Authenticate: func(r *http.Request) (business string, err error) {
			if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
				return "", http.ErrNoCookie // any error is answered with status 401
			}
			return r.TLS.PeerCertificates[0].Subject.CommonName, nil
		},
		Keep: func(ctx context.Context, v operator.Verification) error {
			_, err := log.Append(ctx, v.Report, evidence.WithCertificate())
			return err
		},
	})
	fmt.Println(h == nil, err)
	// Output: true operator: configuration: handler: Opener is missing; Verifier is missing
}

// A business asks over HTTP, and an operator answers: both ends in one program.
func ExampleClient_Verify() {
	w := newWorld(exampleTB{}, nil)
	defer w.server.Close()
	verdict, err := w.client(nil).Verify(context.Background(), w.signed(sign.ModeDigestInfo),
		transaction(sign.ModeDigestInfo))
	fmt.Println(verdict.Status == jpki.Good, verdict.Method, verdict.UserID, err)
	// Output: true CRL [redacted] <nil>
}

// A Redis remembers the verdicts of all instances of an operator: a request that comes again, to whichever instance,
// gets the verdict that it had. With an SQL database it is sharedstore.NewSQL.
func ExampleRepeatsIn() {
	var command func(ctx context.Context, args ...any) (any, error) // of a Redis client: see sharedstore.NewRedis
	run := func() error {
		shared, err := sharedstore.NewRedis(sharedstore.RedisConfig{Do: command, Prefix: "operator:"})
		if err != nil {
			return err
		}
		_ = operator.HandlerConfig{Repeats: operator.RepeatsIn(shared)} // and everything else
		return nil
	}
	_ = run
}
